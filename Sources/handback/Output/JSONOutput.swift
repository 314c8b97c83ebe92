internal import HandbackCore

/// Writes facts as JSON (RFC 8259). Nothing in it is secret, so it is built in plain memory.
struct JSONOutput {
  private(set) var bytes: [UInt8] = []
  private var needsComma = false

  mutating func begin() { open("{") }
  mutating func end() { close("}") }

  /// Ends the object and prints it, or what of it wasn't printed yet, as one line.
  mutating func print() throws(Failure) {
    end()
    append(0x0A)
    try Console.write(take())
  }

  /// Ends an object whose array could not be had whole, so that what it says can be read.
  mutating func breakOff() {
    endArray()
    member("is_complete", false)
    try? print()
  }

  mutating func beginObject(_ name: Literal) {
    writeName(name)
    open("{")
  }

  mutating func beginArray(_ name: Literal) {
    writeName(name)
    open("[")
  }

  /// An object in an array.
  mutating func beginElement() {
    separate()
    open("{")
  }

  mutating func endArray() { close("]") }

  mutating func member(_ name: Literal, _ text: Text?) {
    writeName(name)
    if let text { writeString(text) } else { write("null") }
    needsComma = true
  }

  mutating func member(_ name: Literal, _ text: Literal?) {
    member(name, text.map { Text($0) })
  }

  mutating func member(_ name: Literal, _ number: Int64?) {
    writeName(name)
    if let number { Decimal.append(number, to: &bytes) } else { write("null") }
    needsComma = true
  }

  mutating func member(_ name: Literal, _ flag: Bool) {
    writeName(name)
    write(flag ? "true" : "false")
    needsComma = true
  }

  mutating func element(_ text: Text) {
    separate()
    writeString(text)
    needsComma = true
  }

  /// A time as RFC 3339, or null.
  mutating func member(_ name: Literal, timeSeconds: Int64?) {
    member(name, timeSeconds.map { Timestamp.text(epochSeconds: $0) })
  }

  /// Hands over what was written so far: a long list is printed as it grows.
  mutating func take() -> [UInt8] {
    let taken = bytes
    bytes = []
    return taken
  }

  private mutating func open(_ bracket: Literal) {
    write(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: Literal) {
    write(bracket)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { append(UInt8(ascii: ",")) }
    needsComma = false
  }

  private mutating func writeName(_ name: Literal) {
    separate()
    append(UInt8(ascii: "\""))
    write(name)
    append(UInt8(ascii: "\""))
    append(UInt8(ascii: ":"))
  }

  private mutating func write(_ text: Literal) {
    for index in 0..<text.byteCount {
      bytes.append(unsafe text.start[index])
    }
  }

  private mutating func writeString(_ text: Text) {
    append(UInt8(ascii: "\""))
    let source = text.bytes.span
    var index = 0
    while index < source.count {
      // A path or an argument may be any bytes; JSON is UTF-8, and has U+FFFD for the rest.
      let length = UTF8Check.sequenceLength(source, at: index)
      if length == 0 { write("\u{FFFD}") }
      for offset in 0..<length { writeEscaped(source[index + offset]) }
      index += max(length, 1)
    }
    append(UInt8(ascii: "\""))
  }

  private mutating func writeEscaped(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"):
      append(UInt8(ascii: "\\"))
      append(byte)
    case 0x00...0x1F:
      for digit in JSONEscape.control(byte) { append(digit) }
    default:
      append(byte)
    }
  }

  /// Out of line: an array's growth is 100 bytes of code wherever it is inlined.
  @inline(never)
  private mutating func append(_ byte: UInt8) {
    bytes.append(byte)
  }
}
