/// Reads members of one JSON object (RFC 8259) that came from outside.
///
/// Own code, and not SQLite's JSON functions, since an answer must be judged in the core and
/// boards have SQLite builds without them. Strict: the whole text must be one valid object, at
/// most 16 levels deep, and a name that occurs twice has no value. A text is read once for each
/// member asked for; answers are small and asked for three.
public enum JSONText {
  static let depthMax = 16

  public static func isObject(_ text: Span<UInt8>) -> Bool {
    var scanner = JSONScanner()
    return scanner.scanObject(text) && scanner.isAtEnd(text)
  }

  /// The unescaped UTF-8 of a string member; `nil` if absent, of another type, or not decodable.
  public static func string(_ name: Literal, in text: Span<UInt8>) -> [UInt8]? {
    guard let range = member(name, in: text), text[range.lowerBound] == UInt8(ascii: "\"") else {
      return nil
    }
    return JSONString.unescape(text.extracting((range.lowerBound + 1)..<(range.upperBound - 1)))
  }

  /// An integer member that fits 64 bits; `nil` if absent, fractional or of another type.
  public static func integer(_ name: Literal, in text: Span<UInt8>) -> Int64? {
    guard let range = member(name, in: text) else { return nil }
    return Decimal.integer(text.extracting(range))
  }

  /// Whether the text is exactly one JSON string, and which.
  public static func soleString(_ text: Span<UInt8>) -> [UInt8]? {
    var scanner = JSONScanner()
    guard let range = scanner.scanString(text), scanner.isAtEnd(text) else { return nil }
    return JSONString.unescape(text.extracting(range))
  }

  private static func member(_ name: Literal, in text: Span<UInt8>) -> Range<Int>? {
    var scanner = JSONScanner(looksFor: name)
    guard scanner.scanObject(text), scanner.isAtEnd(text), scanner.foundCount == 1 else {
      return nil
    }
    return scanner.found
  }
}

/// A recursive-descent scanner that remembers where a top-level member's value stands.
private struct JSONScanner {
  private var index = 0
  private var depth = 0
  private let wanted: Literal?
  private(set) var found: Range<Int>?
  private(set) var foundCount = 0

  init(looksFor name: Literal? = nil) { wanted = name }

  mutating func isAtEnd(_ text: Span<UInt8>) -> Bool {
    skipSpace(text)
    return index == text.count
  }

  mutating func scanObject(_ text: Span<UInt8>) -> Bool {
    skipSpace(text)
    guard take(UInt8(ascii: "{"), text), enter() else { return false }
    skipSpace(text)
    if take(UInt8(ascii: "}"), text) { return leave() }
    repeat {
      skipSpace(text)
      guard let name = scanString(text) else { return false }
      skipSpace(text)
      guard take(UInt8(ascii: ":"), text) else { return false }
      skipSpace(text)
      let start = index
      guard scanValue(text) else { return false }
      if depth == 1, let wanted, matches(wanted, text.extracting(name)) {
        found = start..<index
        foundCount += 1
      }
      skipSpace(text)
    } while take(UInt8(ascii: ","), text)
    return take(UInt8(ascii: "}"), text) && leave()
  }

  /// The range between the quotes; escapes are checked where they are undone.
  mutating func scanString(_ text: Span<UInt8>) -> Range<Int>? {
    skipSpace(text)
    guard take(UInt8(ascii: "\""), text) else { return nil }
    let start = index
    while index < text.count {
      let byte = text[index]
      if byte == UInt8(ascii: "\"") {
        index += 1
        return start..<(index - 1)
      }
      if byte < 0x20 { return nil }
      index += byte == UInt8(ascii: "\\") ? 2 : 1
    }
    return nil
  }

  private mutating func scanValue(_ text: Span<UInt8>) -> Bool {
    guard index < text.count else { return false }
    switch text[index] {
    case UInt8(ascii: "{"): return scanObject(text)
    case UInt8(ascii: "["): return scanArray(text)
    case UInt8(ascii: "\""): return scanString(text) != nil
    case UInt8(ascii: "t"): return scanWord("true", text)
    case UInt8(ascii: "f"): return scanWord("false", text)
    case UInt8(ascii: "n"): return scanWord("null", text)
    default: return scanNumber(text)
    }
  }

  private mutating func scanArray(_ text: Span<UInt8>) -> Bool {
    guard take(UInt8(ascii: "["), text), enter() else { return false }
    skipSpace(text)
    if take(UInt8(ascii: "]"), text) { return leave() }
    repeat {
      skipSpace(text)
      guard scanValue(text) else { return false }
      skipSpace(text)
    } while take(UInt8(ascii: ","), text)
    return take(UInt8(ascii: "]"), text) && leave()
  }

  private mutating func scanWord(_ word: Literal, _ text: Span<UInt8>) -> Bool {
    let end = index + word.byteCount
    guard end <= text.count, matches(word, text.extracting(index..<end)) else { return false }
    index = end
    return true
  }

  private mutating func scanNumber(_ text: Span<UInt8>) -> Bool {
    _ = take(UInt8(ascii: "-"), text)
    if !take(UInt8(ascii: "0"), text) {
      guard scanDigits(text) else { return false }
    }
    if take(UInt8(ascii: "."), text) {
      guard scanDigits(text) else { return false }
    }
    if take(UInt8(ascii: "e"), text) || take(UInt8(ascii: "E"), text) {
      if !take(UInt8(ascii: "+"), text) { _ = take(UInt8(ascii: "-"), text) }
      guard scanDigits(text) else { return false }
    }
    return true
  }

  private mutating func scanDigits(_ text: Span<UInt8>) -> Bool {
    let start = index
    while index < text.count, Decimal.isDigit(text[index]) { index += 1 }
    return index > start
  }

  private mutating func skipSpace(_ text: Span<UInt8>) {
    while index < text.count {
      switch text[index] {
      case 0x20, 0x09, 0x0A, 0x0D: index += 1
      default: return
      }
    }
  }

  private mutating func take(_ byte: UInt8, _ text: Span<UInt8>) -> Bool {
    guard index < text.count, text[index] == byte else { return false }
    index += 1
    return true
  }

  private mutating func enter() -> Bool {
    depth += 1
    return depth <= JSONText.depthMax
  }

  private mutating func leave() -> Bool {
    depth -= 1
    return true
  }
}

/// The inside of a JSON string, RFC 8259 section 7.
enum JSONString {
  /// `nil` for a wrong escape, a lone surrogate, or bytes that are no UTF-8.
  static func unescape(_ text: Span<UInt8>) -> [UInt8]? {
    guard UTF8Check.isValid(text) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var index = 0
    while index < text.count {
      guard text[index] == UInt8(ascii: "\\") else {
        bytes.append(text[index])
        index += 1
        continue
      }
      guard index + 1 < text.count else { return nil }
      if text[index + 1] == UInt8(ascii: "u") {
        guard let scalar = scalar(text, at: &index) else { return nil }
        append(scalar.value, to: &bytes)
      } else {
        guard let byte = simple(text[index + 1]) else { return nil }
        bytes.append(byte)
        index += 2
      }
    }
    return bytes
  }

  /// One code point in UTF-8, RFC 3629 section 3.
  private static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
    if scalar < 0x80 { return bytes.append(UInt8(scalar)) }
    var following = scalar < 0x800 ? 1 : scalar < 0x10000 ? 2 : 3
    let mark: UInt32 = following == 1 ? 0xC0 : following == 2 ? 0xE0 : 0xF0
    bytes.append(UInt8(mark | scalar >> UInt32(6 * following)))
    while following > 0 {
      following -= 1
      bytes.append(UInt8(0x80 | scalar >> UInt32(6 * following) & 0x3F))
    }
  }

  private static func simple(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): byte
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: nil
    }
  }

  /// One `\uXXXX`, or two that make a surrogate pair; moves `index` past them.
  private static func scalar(_ text: Span<UInt8>, at index: inout Int) -> Unicode.Scalar? {
    guard let first = unit(text, at: index) else { return nil }
    index += 6
    guard (0xD800...0xDBFF).contains(first) else { return Unicode.Scalar(first) }
    guard let second = unit(text, at: index), (0xDC00...0xDFFF).contains(second) else {
      return nil
    }
    index += 6
    return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
  }

  private static func unit(_ text: Span<UInt8>, at index: Int) -> UInt32? {
    guard index + 6 <= text.count, text[index] == UInt8(ascii: "\\"),
      text[index + 1] == UInt8(ascii: "u")
    else { return nil }
    var value: UInt32 = 0
    for offset in 2..<6 {
      guard let digit = hexDigit(text[index + offset]) else { return nil }
      value = value << 4 | digit
    }
    return value
  }

  private static func hexDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }
}
