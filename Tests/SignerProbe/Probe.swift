internal import AllocationCounter
internal import HandbackCore

/// Signs 1,000 requests and says how often the allocator was called meanwhile: the signer's
/// promise, checked on the very code that ships, on any board.
///
/// The canary allocates once, so that a counter that counts nothing is found out.
@c(SignerProbe_main)
func signerProbeMain(
  _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> CInt {
  let apiKey = Array("00000000-1111-2222-3333-444444444444".utf8)
  let sharedKey = Array("kw4qSnpSwXzgiv5yxYpZZmFEd9QAeiKTQ6OuyMja".utf8)
  do throws(RequestSigner.KeyError) {
    let signer = try RequestSigner(
      apiKey: Secret(copying: apiKey.span), sharedKey: Secret(copying: sharedKey.span))
    let before = allocation_count()
    for second in 0..<1000 {
      signer.sign(IMFFixdate(epochSeconds: 1_668_718_295 + Int64(second) - 999))
    }
    let signing = allocation_count() - before
    let canary = allocation_count()
    let extra = Secret(copying: apiKey.span)
    let counted = allocation_count() - canary
    print("signing \(signing) canary \(counted)")
    precondition(extra.byteCount == apiKey.count, "the canary's memory is in use")
    // The last date is the recorded one, so the field is known to the byte.
    unsafe signer.withAuthorizationField { unsafe print(String(cString: $0)) }
    return signing == 0 && counted == 1 ? 0 : 1
  } catch {
    return 2
  }
}
