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
public struct RequestSigner: ~Copyable {
  public static let apiKeyByteCountMax = 128

  private let key: HMACSHA256Key
  private let field: SignedField

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
    let isPlain = apiKey.withBytes { bytes in
      for index in bytes.indices {
        let byte = bytes[index]
        if byte <= 0x20 || byte == 0x7F || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
        {
          return false
        }
      }
      return true
    }
    guard isPlain else { throw .apiKeyHoldsForbiddenCharacter }
    key = sharedKey.withBytes { HMACSHA256Key($0) }
    field = SignedField(apiKey: apiKey)
  }

  /// Signs `date`; the field, which lives on the heap, then holds the signature.
  public borrowing func sign(_ date: IMFFixdate) {
    var hasher = key.begin()
    hasher.update("licenseSpring\ndate: ")
    hasher.update(date.bytes.span)
    field.setSignature(Base64.encode(key.finish(&hasher)))
  }

  /// `Authorization: …` as a C string, for as long as `body` runs.
  public borrowing func withAuthorizationField<Result: ~Copyable, Failure: Error>(
    _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe field.withCString(body)
  }

  /// A copy of the field for one request.
  borrowing func copyField() -> Secret { field.copy() }
}

/// The `Authorization` field with room for the signature.
@safe
private struct SignedField: ~Copyable {
  private static let head: StaticString =
    "Authorization: algorithm=\"hmac-sha256\",headers=\"date\",signature=\""
  private static let middle: StaticString = "\",apiKey=\""

  private let storage: UnsafeMutableRawBufferPointer

  init(apiKey: borrowing Secret) {
    let head = Self.head.utf8CodeUnitCount
    let middle = Self.middle.utf8CodeUnitCount
    unsafe storage = .allocate(
      byteCount: head + 44 + middle + apiKey.byteCount + 2, alignment: 8)
    for index in 0..<head { unsafe storage[index] = Self.head.utf8Start[index] }
    for index in head..<(head + 44) { unsafe storage[index] = UInt8(ascii: "=") }
    for index in 0..<middle {
      unsafe storage[head + 44 + index] = Self.middle.utf8Start[index]
    }
    let keyStart = head + 44 + middle
    apiKey.withBytes { bytes in
      for index in bytes.indices { unsafe storage[keyStart + index] = bytes[index] }
    }
    unsafe storage[storage.count - 2] = UInt8(ascii: "\"")
    unsafe storage[storage.count - 1] = 0
  }

  deinit {
    unsafe erase(storage)
    unsafe storage.deallocate()
  }

  borrowing func setSignature(_ signature: InlineArray<44, UInt8>) {
    let start = Self.head.utf8CodeUnitCount
    for index in 0..<44 { unsafe storage[start + index] = signature[index] }
  }

  borrowing func copy() -> Secret {
    let text = unsafe UnsafeBufferPointer(
      start: storage.baseAddress?.assumingMemoryBound(to: UInt8.self), count: storage.count - 1)
    return unsafe Secret(copying: Span(_unsafeElements: text))
  }

  borrowing func withCString<Result: ~Copyable, Failure: Error>(
    _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let base = unsafe storage.baseAddress else { preconditionFailure("an empty field") }
    return try unsafe body(UnsafePointer(base.assumingMemoryBound(to: CChar.self)))
  }
}
