/// Writes one JSON object (RFC 8259) into memory that is wiped on release.
///
/// Own code, and not SQLite's `json_object`: a body holds a credential, and what SQLite makes of
/// it stays in memory that nobody wipes; and boards have SQLite builds without JSON functions.
/// Strings are valid UTF-8 already; they are written as they are, with the escapes of section 7.
public struct JSONWriter: ~Copyable {
  private var buffer: SecretBuffer
  private var hasMember = false

  public init(byteCountMax: Int) {
    buffer = SecretBuffer(byteCountMax: byteCountMax)
  }

  public mutating func begin() {
    buffer.append(UInt8(ascii: "{"))
    hasMember = false
  }

  public mutating func member(_ name: Literal, _ value: Text) {
    writeName(name)
    buffer.append(UInt8(ascii: "\""))
    for byte in value.bytes { writeEscaped(byte) }
    buffer.append(UInt8(ascii: "\""))
  }

  public mutating func member(_ name: Literal, _ value: borrowing Secret) {
    writeName(name)
    buffer.append(UInt8(ascii: "\""))
    value.withBytes { bytes in
      for index in bytes.indices { writeEscaped(bytes[index]) }
    }
    buffer.append(UInt8(ascii: "\""))
  }

  public mutating func member(_ name: Literal, _ value: Int64) {
    writeName(name)
    var digits: [UInt8] = []
    Decimal.append(value, to: &digits)
    buffer.append(digits.span)
  }

  /// Closes the object and hands over its bytes.
  public consuming func end() -> Secret {
    buffer.append(UInt8(ascii: "}"))
    return buffer.take()
  }

  private mutating func writeName(_ name: Literal) {
    if hasMember { buffer.append(UInt8(ascii: ",")) }
    hasMember = true
    buffer.append(UInt8(ascii: "\""))
    for index in 0..<name.byteCount {
      buffer.append(unsafe name.start[index])
    }
    buffer.append(UInt8(ascii: "\""))
    buffer.append(UInt8(ascii: ":"))
  }

  private mutating func writeEscaped(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"):
      buffer.append(UInt8(ascii: "\\"))
      buffer.append(byte)
    case 0x00...0x1F:
      for digit in JSONEscape.control(byte) { buffer.append(digit) }
    default:
      buffer.append(byte)
    }
  }
}

/// How control characters are written in JSON, RFC 8259 section 7.
public enum JSONEscape {
  public static func control(_ byte: UInt8) -> [UInt8] {
    let short: UInt8? =
      switch byte {
      case 0x08: UInt8(ascii: "b")
      case 0x09: UInt8(ascii: "t")
      case 0x0A: UInt8(ascii: "n")
      case 0x0C: UInt8(ascii: "f")
      case 0x0D: UInt8(ascii: "r")
      default: nil
      }
    if let short { return [UInt8(ascii: "\\"), short] }
    let zero = UInt8(ascii: "0")
    let low = byte & 15
    return [
      UInt8(ascii: "\\"), UInt8(ascii: "u"), zero, zero, zero + (byte >> 4),
      low < 10 ? zero + low : UInt8(ascii: "a") + low - 10,
    ]
  }
}
