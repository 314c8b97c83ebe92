/// A row's columns as bytes: what its check value is made over, and what a second copy holds.
///
/// Each column is its kind (one byte), then for an integer 8 bytes, for text and blobs a length of
/// 4 bytes and the bytes; all big-endian. It may hold a credential, so it is wiped on release.
public struct RowImage: ~Copyable {
  /// More than any row of ours can have; a damaged one may claim a gigabyte.
  public static let byteCountMax = 256 * 1024

  private var buffer = SecretBuffer(byteCountMax: RowImage.byteCountMax + 1)
  private var isWhole = true

  /// The kinds are SQLite's own numbers for them.
  enum Kind: UInt8 {
    case integer = 1
    case text = 3
    case blob = 4
    case null = 5
  }

  public init() {}

  public mutating func appendNull() { append(.null, byteCount: 0) }

  public mutating func append(_ number: Int64) {
    guard append(.integer, byteCount: 8) else { return }
    buffer.append(number, byteCount: 8)
  }

  public mutating func append(_ bytes: Span<UInt8>, isText: Bool) {
    guard append(isText ? .text : .blob, byteCount: 4 + bytes.count) else { return }
    buffer.append(Int64(bytes.count), byteCount: 4)
    buffer.append(bytes)
  }

  @discardableResult
  private mutating func append(_ kind: Kind, byteCount: Int) -> Bool {
    isWhole = isWhole && buffer.byteCount + 1 + byteCount <= Self.byteCountMax
    if isWhole { buffer.append(kind.rawValue) }
    return isWhole
  }

  /// The bytes; none if it became too long to be a row of ours.
  public consuming func take() -> Secret {
    let isWhole = isWhole
    let bytes = buffer.take()
    return isWhole ? bytes : unsafe Secret(byteCount: 0) { _ in }
  }

  /// The check value: half of a SHA-256. It finds what flash did; whoever can write the journal
  /// can make one.
  public static func seal(_ image: borrowing Secret) -> InlineArray<16, UInt8> {
    var hasher = SHA256()
    image.withBytes { bytes in hasher.update(bytes) }
    hasher.close()
    let digest = hasher.digest
    hasher.wipe()
    var half = InlineArray<16, UInt8>(repeating: 0)
    for index in 0..<16 { half[index] = digest[index] }
    return half
  }

  // MARK: - Reading

  public enum Column {
    case null
    case integer(Int64)
    case text(Range<Int>)
    case blob(Range<Int>)
  }

  /// The column at `index`, which moves behind it; `nil` at the end, or for what is no image.
  public static func column(at index: inout Int, in image: Span<UInt8>) -> Column? {
    guard index < image.count, let kind = Kind(rawValue: image[index]) else { return nil }
    let start = index + 1
    switch kind {
    case .null:
      index = start
      return .null
    case .integer:
      guard start + 8 <= image.count else { return nil }
      index = start + 8
      return .integer(number(in: image, start..<index))
    case .text, .blob:
      guard start + 4 <= image.count else { return nil }
      // A damaged one may be more than an `Int` of 32 bits holds.
      let count = Int(clamping: number(in: image, start..<(start + 4)))
      guard count <= image.count - start - 4 else { return nil }
      index = start + 4 + count
      return kind == .text ? .text((start + 4)..<index) : .blob((start + 4)..<index)
    }
  }

  public static func number(in bytes: Span<UInt8>, _ range: Range<Int>) -> Int64 {
    var number: Int64 = 0
    for index in range { number = number << 8 | Int64(bytes[index]) }
    return number
  }
}
