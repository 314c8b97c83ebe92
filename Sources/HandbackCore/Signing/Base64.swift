/// Base64 with the standard alphabet and padding (RFC 4648, section 4).
public enum Base64 {
  private static let alphabet: Literal =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

  /// The 44 characters of a SHA-256 digest.
  public static func encode(_ digest: InlineArray<32, UInt8>) -> InlineArray<44, UInt8> {
    var text = InlineArray<44, UInt8>(repeating: UInt8(ascii: "="))
    var output = 0
    for input in stride(from: 0, to: 32, by: 3) {
      let second = input + 1 < 32 ? UInt32(digest[input + 1]) : 0
      let third = input + 2 < 32 ? UInt32(digest[input + 2]) : 0
      let group = UInt32(digest[input]) << 16 | second << 8 | third
      text[output] = character(group >> 18)
      text[output + 1] = character(group >> 12)
      text[output + 2] = character(group >> 6)
      if input + 2 < 32 { text[output + 3] = character(group) }
      output += 4
    }
    return text
  }

  /// Decodes base64url without padding (RFC 4648, section 5), as JSON Web Tokens have it; `nil`
  /// for any other character or an impossible length. Strict about what it takes, as a token is
  /// outside data; spare bits at the end are ignored.
  public static func decodeURL(_ text: Span<UInt8>) -> [UInt8]? {
    guard text.count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count * 3 / 4)
    var accumulator: UInt32 = 0
    var bitCount = 0
    for index in text.indices {
      guard let digit = urlDigit(text[index]) else { return nil }
      accumulator = accumulator << 6 | digit
      bitCount += 6
      if bitCount >= 8 {
        bitCount -= 8
        bytes.append(UInt8(truncatingIfNeeded: accumulator >> UInt32(bitCount)))
      }
    }
    return bytes
  }

  private static func character(_ value: UInt32) -> UInt8 {
    unsafe alphabet.start[Int(value & 63)]
  }

  private static func urlDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a") + 26)
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0") + 52)
    case UInt8(ascii: "-"): 62
    case UInt8(ascii: "_"): 63
    default: nil
    }
  }
}
