/// The written form of an `hb1` ID: `hb1-<class>-<26 characters>-<2 check characters>`.
///
/// The 26 characters are the hash's first 130 bits, five a character, in Crockford's alphabet
/// (no i, l, o, u), lower case. The check characters make class, hash and themselves a codeword of
/// a Reed-Solomon code over GF(32): any one or two wrong characters are noticed, and any two
/// that changed places.
enum IdentityText {
  static let alphabet: Literal = "0123456789abcdefghjkmnpqrstvwxyz"
  static let symbolCount = 26

  static func make(_ idClass: HardwareIDClass, _ digest: InlineArray<32, UInt8>) -> HardwareID {
    let symbols = symbols(of: digest)
    var text = Text("hb1-")
    text.append(idClass.name)
    text.append(0x2D)
    for symbol in symbols { text.append(alphabet.byte(at: Int(symbol))) }
    text.append(0x2D)
    let check = check(idClass, symbols)
    text.append(alphabet.byte(at: Int(check.0)))
    text.append(alphabet.byte(at: Int(check.1)))
    guard let id = HardwareID(utf8: text.bytes.span) else {
      preconditionFailure("an ID of ours is a hardware ID")
    }
    return id
  }

  /// The class of an ID of ours, `nil` for text of another form or with a wrong character.
  static func parse(_ text: Span<UInt8>) -> HardwareIDClass? {
    guard text.count > 34, matches("hb1-", text.extracting(0..<4)) else { return nil }
    let nameEnd = text.count - symbolCount - 4
    guard text[nameEnd] == 0x2D, text[text.count - 3] == 0x2D,
      let idClass = HardwareIDClass(utf8: text.extracting(4..<nameEnd))
    else { return nil }
    var symbols: [UInt8] = []
    for index in (nameEnd + 1)..<(text.count - 3) {
      guard let symbol = symbol(text[index]) else { return nil }
      symbols.append(symbol)
    }
    let check = check(idClass, symbols)
    guard symbol(text[text.count - 2]) == check.0, symbol(text[text.count - 1]) == check.1 else {
      return nil
    }
    return idClass
  }

  /// The digest's bits, five at a time, highest first.
  static func symbols(of digest: InlineArray<32, UInt8>) -> [UInt8] {
    var symbols: [UInt8] = []
    for index in 0..<symbolCount {
      let bit = index * 5
      let pair = UInt16(digest[bit / 8]) << 8 | UInt16(digest[bit / 8 + 1])
      symbols.append(UInt8(truncatingIfNeeded: pair >> UInt16(11 - bit % 8)) & 31)
    }
    return symbols
  }

  private static func symbol(_ character: UInt8) -> UInt8? {
    for index in 0..<32 where alphabet.byte(at: index) == character { return UInt8(index) }
    return nil
  }

  /// The remainder of class and symbols, as a polynomial, divided by (x + 2)(x + 4).
  private static func check(_ idClass: HardwareIDClass, _ symbols: [UInt8]) -> (UInt8, UInt8) {
    var high: UInt8 = 0
    var low: UInt8 = 0
    func feed(_ symbol: UInt8) {
      let factor = high ^ symbol
      high = low ^ product(factor, 2 ^ 4)
      low = product(factor, product(2, 4))
    }
    feed(idClass.rawValue)
    for symbol in symbols { feed(symbol) }
    return (high, low)
  }

  /// In GF(32) with x^5 + x^2 + 1.
  private static func product(_ one: UInt8, _ other: UInt8) -> UInt8 {
    var result: UInt8 = 0
    var factor = one
    for bit in 0..<5 {
      if other >> UInt8(bit) & 1 == 1 { result ^= factor }
      factor = factor & 16 != 0 ? (factor << 1) ^ 0x25 : factor << 1
    }
    return result & 31
  }
}
