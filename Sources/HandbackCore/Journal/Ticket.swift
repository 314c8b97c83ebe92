/// What names a deactivation to its user: `17-k3f9xq`.
///
/// The first half is the row, so that a look-up needs no index (an index page more per commit is
/// what flash pays for); the second is random, so that a ticket of another journal, or a
/// mistyped one, names nothing.
public struct Ticket: Sendable, Equatable {
  /// The row's number in the journal, 1 and up.
  public let row: Int64
  /// 30 random bits.
  public let nonce: UInt32

  public static let nonceMask: UInt32 = 0x3FFF_FFFF
  /// Base 32 without the letters that are easily misread (Crockford's).
  private static let alphabet: Literal = "0123456789abcdefghjkmnpqrstvwxyz"

  public init(row: Int64, nonce: UInt32) {
    self.row = row
    self.nonce = nonce & Self.nonceMask
  }

  /// Reads a ticket as a person types it, in either case; `nil` if it can't be one.
  public init?(utf8 text: Span<UInt8>) {
    guard let dash = firstIndex(of: UInt8(ascii: "-"), in: text), text.count == dash + 7,
      let row = Decimal.integer(text.extracting(0..<dash)), row > 0
    else { return nil }
    var nonce: UInt32 = 0
    for index in (dash + 1)..<text.count {
      guard let digit = Self.digit(lowercased(text[index])) else { return nil }
      nonce = nonce << 5 | digit
    }
    self.init(row: row, nonce: nonce)
  }

  public var text: Text {
    var bytes: [UInt8] = []
    Decimal.append(row, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    for shift in stride(from: UInt32(25), through: 0, by: -5) {
      bytes.append(unsafe Self.alphabet.start[Int(nonce >> shift & 31)])
    }
    return Text(bytes)
  }

  private static func digit(_ byte: UInt8) -> UInt32? {
    for index in 0..<32 where unsafe alphabet.start[index] == byte { return UInt32(index) }
    return nil
  }
}
