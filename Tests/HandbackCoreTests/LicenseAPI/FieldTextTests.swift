import TestSupport
import Testing

@testable import HandbackCore

struct FieldTextTests {
  static let fields: [Field] = [
    .product, .hardwareID, .licenseKey, .username, .password, .idToken, .code,
    .customerAccountCode, .redirectURI, .bundleCode, .sdkVersion,
  ]

  private static func problem(_ field: Field, _ bytes: [UInt8]) -> FieldError? {
    do throws(FieldError) {
      _ = try FieldText(field, utf8: bytes.span)
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: fields)
  func `takes 1 byte up to the limit`(field: Field) throws {
    let longest = [UInt8](repeating: UInt8(ascii: "x"), count: field.byteCountMax)
    #expect(try FieldText(field, utf8: longest.span).string.utf8.count == field.byteCountMax)
    #expect(try FieldText(field, utf8: [UInt8(ascii: "x")].span).string == "x")
    if case .empty(let which)? = Self.problem(field, []) {
      #expect(which == field)
    } else {
      Issue.record("an empty \(field.name) is taken")
    }
    if case .tooLong(let which)? = Self.problem(field, longest + [0x78]) {
      #expect(which == field)
    } else {
      Issue.record("a long \(field.name) is taken")
    }
  }

  @Test func `refuses every control character, wherever it stands`() {
    for byte in (0x00..<0x20 as Range<UInt8>).map({ $0 }) + [0x7F] {
      for text in [[byte], [byte, 0x61], [0x61, byte], [0x61, byte, 0x62]] {
        guard case .controlCharacter(.licenseKey)? = Self.problem(.licenseKey, text) else {
          Issue.record("byte \(byte) is taken")
          continue
        }
      }
    }
  }

  /// RFC 3629, section 3, and the examples of the Unicode standard, section 3.9.
  static let invalid: [(String, [UInt8])] = [
    ("a continuation alone", [0x80]),
    ("the last continuation alone", [0xBF]),
    ("two bytes, cut", [0xC3]),
    ("three bytes, cut after one", [0xE2]),
    ("three bytes, cut after two", [0xE2, 0x82]),
    ("four bytes, cut after three", [0xF0, 0x9F, 0x94]),
    ("a letter in place of a continuation", [0xC3, 0x61]),
    ("a letter in place of the third byte", [0xE2, 0x82, 0x61]),
    ("a letter in place of the fourth byte", [0xF0, 0x9F, 0x94, 0x61]),
    ("overlong slash, two bytes", [0xC0, 0xAF]),
    ("overlong DEL", [0xC1, 0xBF]),
    ("overlong slash, three bytes", [0xE0, 0x80, 0xAF]),
    ("overlong U+07FF", [0xE0, 0x9F, 0xBF]),
    ("overlong slash, four bytes", [0xF0, 0x80, 0x80, 0xAF]),
    ("overlong U+FFFF", [0xF0, 0x8F, 0xBF, 0xBF]),
    ("overlong NUL", [0xC0, 0x80]),
    ("first high surrogate", [0xED, 0xA0, 0x80]),
    ("last high surrogate", [0xED, 0xAF, 0xBF]),
    ("first low surrogate", [0xED, 0xB0, 0x80]),
    ("last low surrogate", [0xED, 0xBF, 0xBF]),
    ("a pair of surrogates", [0xED, 0xA0, 0xBD, 0xED, 0xB4, 0x91]),
    ("U+110000", [0xF4, 0x90, 0x80, 0x80]),
    ("past U+13FFFF", [0xF5, 0x80, 0x80, 0x80]),
    ("five bytes", [0xF8, 0x88, 0x80, 0x80, 0x80]),
    ("six bytes", [0xFC, 0x84, 0x80, 0x80, 0x80, 0x80]),
    ("0xFE", [0xFE]),
    ("0xFF", [0xFF]),
    ("Latin-1", [0xE9, 0x74, 0xE9]),
    ("UTF-16's byte order mark", [0xFF, 0xFE, 0x61]),
  ]

  @Test(arguments: invalid)
  func `refuses what is no UTF-8`(name: String, bytes: [UInt8]) {
    for text in [bytes, [0x61] + bytes, bytes + [0x61], [0xC5, 0xBE] + bytes] {
      guard case .notUTF8(.username)? = Self.problem(.username, text) else {
        Issue.record("\(name) is taken")
        continue
      }
      #expect(HardwareID(utf8: text.span) == nil)
    }
  }

  @Test(arguments: [
    "\u{80}", "\u{7FF}", "\u{800}", "\u{FFF}", "\u{1000}", "\u{CFFF}", "\u{D7FF}", "\u{E000}",
    "\u{FFFF}", "\u{10000}", "\u{3FFFF}", "\u{40000}", "\u{FFFFF}", "\u{100000}", "\u{10FFFF}",
  ])
  func `takes the ends of every range of UTF-8`(text: String) throws {
    let bytes = Array(text.utf8)
    #expect(Array(try FieldText(.username, utf8: bytes.span).string.utf8) == bytes)
    #expect(HardwareID(utf8: bytes.span)?.text.string == text)
  }

  /// The standard library is the judge.
  @Test func `agrees with the standard library on random bytes`() {
    var random = SeededGenerator(seed: 4)
    // Lead and continuation bytes at the ends of their ranges are what matters.
    let bytes: [UInt8] = [
      0x61, 0x7E, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC,
      0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
    ]
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 1...5, using: &random)).map { _ in
        bytes[Int.random(in: 0..<bytes.count, using: &random)]
      }
      let isValid = String(validating: text, as: UTF8.self) != nil
      if UTF8Check.isValid(text.span) != isValid { Issue.record("\(Hex.text(text))") }
    }
  }
}

struct HardwareIDTests {
  @Test func `takes 1 to 256 bytes without control characters`() {
    #expect(HardwareID(utf8: [UInt8]().span) == nil)
    #expect(HardwareID(utf8: [UInt8](repeating: 0x61, count: 256).span)?.text.bytes.count == 256)
    #expect(HardwareID(utf8: [UInt8](repeating: 0x61, count: 257).span) == nil)
    for byte in 0...255 as ClosedRange<UInt8> {
      let isTaken = HardwareID(utf8: [0x61, byte].span) != nil
      #expect(isTaken == (0x20..<0x7F).contains(byte), "byte \(byte)")
    }
  }
}
