/// Signs requests as the License API's authorization page wants it.
///
/// - Parties: a company's device, and the license server. Both hold the shared key.
/// - Signed, UTF-8, no newline at the end: `licenseSpring` LF `date: ` and the `Date` value.
///   Method, path and body are not signed.
/// - Signature: HMAC-SHA256 with the shared key's bytes, in Base64 with padding.
/// - Field: `algorithm="hmac-sha256",headers="date",signature="…",apiKey="…"`, the very bytes
///   that the official client sends.
/// - Refused: an empty shared or API key, and an API key with `"`, a control character or a
///   space, none of which a quoted parameter can hold.
/// - Limits: an API key of at most 128 bytes.
///
/// The field is laid out once, when keys are read; signing fills in 44 characters and allocates
/// nothing. Keys are wiped on release.
@safe
public final class RequestSigner {
  public static let apiKeyByteCountMax = 128
  private static let head: Literal =
    "Authorization: algorithm=\"hmac-sha256\",headers=\"date\",signature=\""
  private static let middle: Literal = "\",apiKey=\""

  private let key: HMACSHA256Key
  /// `Authorization: …` and a NUL, with room for the signature behind the head.
  private let field: UnsafeMutableRawBufferPointer

  public enum KeyError: Error {
    case emptySharedKey
    case sharedKeyHoldsControlCharacter
    case emptyAPIKey
    case apiKeyTooLong
    case apiKeyHoldsForbiddenCharacter
  }

  public init(apiKey: borrowing Secret, sharedKey: borrowing Secret) throws(KeyError) {
    guard sharedKey.byteCount > 0 else { throw .emptySharedKey }
    guard !sharedKey.containsControlCharacter() else { throw .sharedKeyHoldsControlCharacter }
    guard apiKey.byteCount > 0 else { throw .emptyAPIKey }
    guard apiKey.byteCount <= Self.apiKeyByteCountMax else { throw .apiKeyTooLong }
    guard apiKey.withBytes({ Self.isPlain($0) }) else { throw .apiKeyHoldsForbiddenCharacter }
    key = sharedKey.withBytes { HMACSHA256Key($0) }
    unsafe field = Self.layOut(apiKey)
  }

  deinit {
    unsafe erase(field)
    unsafe field.deallocate()
  }

  /// Signs `date`; the field, which lives on the heap, then holds the signature.
  public func sign(_ date: IMFFixdate) {
    var hasher = key.begin()
    hasher.update("licenseSpring\ndate: ")
    hasher.update(date.bytes.span)
    let signature = Base64.encode(key.finish(&hasher))
    let start = Self.head.byteCount
    for index in 0..<44 { unsafe field[start + index] = signature[index] }
  }

  /// `Authorization: …` as a C string, for as long as `body` runs.
  public func withAuthorizationField<Result: ~Copyable, Failure: Error>(
    _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let base = unsafe field.baseAddress else { preconditionFailure("an empty field") }
    return try unsafe body(UnsafePointer(base.assumingMemoryBound(to: CChar.self)))
  }

  /// A copy of the field for one request.
  func copyField() -> Secret {
    let text = unsafe UnsafeBufferPointer(
      start: field.baseAddress?.assumingMemoryBound(to: UInt8.self), count: field.count - 1)
    return unsafe Secret(copying: Span(_unsafeElements: text))
  }

  /// Nothing that a quoted parameter can't hold as it is.
  private static func isPlain(_ bytes: Span<UInt8>) -> Bool {
    for index in bytes.indices {
      switch bytes[index] {
      case 0...0x20, 0x7F, UInt8(ascii: "\""), UInt8(ascii: "\\"): return false
      default: continue
      }
    }
    return true
  }

  private static func layOut(_ apiKey: borrowing Secret) -> UnsafeMutableRawBufferPointer {
    let count = head.byteCount + 44 + middle.byteCount + apiKey.byteCount + 2
    let field = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 8)
    var index = 0
    func append(_ byte: UInt8) {
      unsafe field[index] = byte
      index += 1
    }
    func append(_ text: Literal) {
      for offset in 0..<text.byteCount { append(unsafe text.start[offset]) }
    }
    append(head)
    for _ in 0..<44 { append(UInt8(ascii: "=")) }
    append(middle)
    apiKey.withBytes { bytes in
      for offset in bytes.indices { append(bytes[offset]) }
    }
    append(UInt8(ascii: "\""))
    append(0)
    return unsafe field
  }
}
