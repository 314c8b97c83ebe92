internal import HandbackCore

/// Writes facts as JSON (RFC 8259). Nothing in it is secret, so it is built in plain memory.
struct JSONOutput {
  private(set) var bytes: [UInt8] = []
  private var needsComma = false

  mutating func begin() { open("{") }
  mutating func end() { close("}") }

  mutating func beginObject(_ name: StaticString) {
    writeName(name)
    open("{")
  }

  mutating func beginArray(_ name: StaticString) {
    writeName(name)
    open("[")
  }

  /// An object in an array.
  mutating func beginElement() {
    separate()
    open("{")
  }

  mutating func endArray() { close("]") }

  mutating func member(_ name: StaticString, _ text: String?) {
    writeName(name)
    if let text { writeString(text) } else { write("null") }
    needsComma = true
  }

  mutating func member(_ name: StaticString, _ text: StaticString) {
    member(name, text.description)
  }

  mutating func member(_ name: StaticString, _ number: Int64?) {
    writeName(name)
    if let number { Decimal.append(number, to: &bytes) } else { write("null") }
    needsComma = true
  }

  mutating func member(_ name: StaticString, _ flag: Bool) {
    writeName(name)
    write(flag ? "true" : "false")
    needsComma = true
  }

  mutating func element(_ text: String) {
    separate()
    writeString(text)
    needsComma = true
  }

  /// A time as RFC 3339, or null.
  mutating func member(_ name: StaticString, timeSeconds: Int64?) {
    member(name, timeSeconds.map { Timestamp.text(epochSeconds: $0).string })
  }

  /// Hands over what was written so far: a long list is printed as it grows.
  mutating func take() -> [UInt8] {
    let taken = bytes
    bytes = []
    return taken
  }

  private mutating func open(_ bracket: StaticString) {
    write(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: StaticString) {
    write(bracket)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = false
  }

  private mutating func writeName(_ name: StaticString) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    write(name)
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func write(_ text: StaticString) {
    for index in 0..<text.utf8CodeUnitCount {
      bytes.append(unsafe text.utf8Start[index])
    }
  }

  private mutating func writeString(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case 0x00...0x1F:
        bytes.append(contentsOf: JSONEscape.control(byte))
      default:
        bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
