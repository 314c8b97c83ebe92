internal import CLibc
public import HandbackCore

/// Seals credentials, and opens them again, as `SealKey` describes.
@safe
public final class CredentialCipher {
  private let key: SealKey
  /// libcrypto's functions, and the keys that are derived.
  private let crypto: UnsafeMutablePointer<clibc_crypto>
  /// Of the key's check, the nonce and the tag.
  private static let addedByteCount = 36

  /// `nil` if the system has no libcrypto.
  public init?(_ key: consuming SealKey) {
    unsafe crypto = .allocate(capacity: 1)
    unsafe crypto.initialize(to: clibc_crypto())
    self.key = key
    guard unsafe clibc_load_crypto(crypto) == 1 else { return nil }
    var block = self.key.expand("handback seal 1 check")
    unsafe memcpy(&crypto.pointee.check, &block, 8)
    block = self.key.expand("handback seal 1 key")
    unsafe memcpy(&crypto.pointee.key, &block, 32)
    var span = block.mutableSpan
    unsafe span.withUnsafeMutableBytes { unsafe erase($0) }
  }

  deinit {
    unsafe erase(UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(start: crypto, count: 1)))
    unsafe crypto.deallocate()
  }

  @inline(never)
  func fingerprint(_ plain: InlineArray<16, UInt8>) -> InlineArray<16, UInt8> {
    var block = key.expand("handback seal 1 fingerprint", Text(plain.span))
    var half = plain
    unsafe memcpy(&half, &block, 16)
    return half
  }

  /// The secret as the row may keep it; `nil` if there is no randomness, or libcrypto refuses.
  func seal(_ secret: borrowing Secret, for row: borrowing Secret) -> Text? {
    var bytes = [UInt8](repeating: 0, count: secret.byteCount + Self.addedByteCount)
    guard crypt(1, row, &bytes, secret) else { return nil }
    return Text([1, 1]) + Text(hexOf: bytes.span)
  }

  /// The secret that was sealed for this row.
  func open(_ column: Text, for row: borrowing Secret) throws(SealProblem) -> Secret {
    guard column.hasPrefix("\u{01}\u{01}"),
      var bytes = column.slice(2..<column.bytes.count).hexBytes(),
      bytes.count > Self.addedByteCount
    else { throw .broken }
    guard unsafe memcmp(&crypto.pointee.check, bytes, 8) == 0 else { throw .keyWrong }
    let secret = unsafe Secret(byteCount: bytes.count - Self.addedByteCount) { _ in }
    guard crypt(0, row, &bytes, secret) else { throw .broken }
    return secret
  }

  private func crypt(
    _ encrypts: Int32, _ row: borrowing Secret, _ bytes: inout [UInt8], _ secret: borrowing Secret
  ) -> Bool {
    let rowByteCount = Int32(row.byteCount)
    let byteCount = Int32(secret.byteCount)
    return unsafe row.withCString { row in
      unsafe secret.withCString { text in
        // Written when it is opened: the block is its owner's alone.
        unsafe clibc_crypt(
          crypto, encrypts, row, rowByteCount, &bytes, UnsafeMutablePointer(mutating: text),
          byteCount) == 1
      }
    }
  }
}
