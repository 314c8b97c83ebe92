/// Text in UTF-8, made of literals and pieces: `"cannot open \(path)"`. What `String` is elsewhere.
///
/// Not a `String`: in Embedded Swift each piece interpolated into one costs 200 bytes of inlined
/// code, 25 here, a value is two words to pass on, and the standard library's code for views,
/// indices and other encodings comes with it, 25 KB. What comes from outside may be any bytes;
/// where valid UTF-8 matters, it is checked (`FieldText`, `HardwareID`, the JSON output).
///
/// Its functions are kept out of line: they are called from everywhere.
public struct Text: Equatable, ExpressibleByStringInterpolation, Sendable {
  public private(set) var bytes: [UInt8]

  @inline(never)
  public init() { bytes = [] }

  @inline(never)
  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  @inline(never)
  public init(_ bytes: Span<UInt8>) {
    self.bytes = []
    append(bytes)
  }

  @inline(never)
  public init(_ text: Literal) {
    bytes = []
    append(text)
  }

  @_transparent
  public init(stringLiteral text: StaticString) { self.init(Literal(stringLiteral: text)) }

  public init(stringInterpolation pieces: Pieces) { self = pieces.text }

  /// For tests: the program has no `String`. Disfavored, or `Text("…")` would mean it.
  @_disfavoredOverload
  public init(_ text: String) { bytes = Array(text.utf8) }

  /// What a C function returned, up to its NUL.
  @inline(never)
  public init(cString text: UnsafePointer<CChar>) {
    bytes = []
    var index = 0
    while unsafe text[index] != 0 {
      bytes.append(UInt8(bitPattern: unsafe text[index]))
      index += 1
    }
  }

  /// Text from outside, fit for a terminal and a log line: ASCII control characters and all that
  /// is no ASCII become `?`, so that nothing can steer a terminal or fake a line.
  @inline(never)
  public init(printable bytes: Span<UInt8>) {
    self.bytes = []
    for index in bytes.indices {
      let byte = bytes[index]
      self.bytes.append((0x20..<0x7F).contains(byte) ? byte : UInt8(ascii: "?"))
    }
  }

  @inline(never)
  public init(printable text: Text) { self.init(printable: text.bytes.span) }

  public var isEmpty: Bool { bytes.isEmpty }

  /// The bytes and a NUL, for a C function.
  public var cString: [CChar] {
    @inline(never) get {
      var terminated: [CChar] = []
      for byte in bytes { terminated.append(CChar(bitPattern: byte)) }
      terminated.append(0)
      return terminated
    }
  }

  /// For tests: the program has no `String`.
  public var string: String { String(decoding: bytes, as: UTF8.self) }

  // MARK: - Comparing

  @inline(never)
  public static func == (one: Text, other: Text) -> Bool {
    one.bytes.count == other.bytes.count && one.has(other, at: 0)
  }

  @inline(never)
  public func isEqual(to text: Literal) -> Bool { matches(text, bytes.span) }

  public func hasPrefix(_ text: Literal) -> Bool { has(text, at: 0) }

  @_disfavoredOverload
  public func hasPrefix(_ text: Text) -> Bool { has(text, at: 0) }

  @inline(never)
  public func has(_ text: Literal, at start: Int) -> Bool {
    let end = start + text.byteCount
    return end <= bytes.count && matches(text, bytes.span.extracting(start..<end))
  }

  @_disfavoredOverload
  @inline(never)
  public func has(_ text: Text, at start: Int) -> Bool {
    guard start + text.bytes.count <= bytes.count else { return false }
    for index in text.bytes.indices where bytes[start + index] != text.bytes[index] {
      return false
    }
    return true
  }

  // MARK: - Taking apart

  @inline(never)
  public func slice(_ range: Range<Int>) -> Text { Text(bytes.span.extracting(range)) }

  @inline(never)
  public func prefix(_ end: Int) -> Text { slice(0..<end) }

  @inline(never)
  public func suffix(from start: Int) -> Text { slice(start..<bytes.count) }

  /// What is before the first `byte`, all where there is none.
  @inline(never)
  public func prefix(before byte: UInt8) -> Text { prefix(firstIndex(of: byte) ?? bytes.count) }

  @inline(never)
  public func firstIndex(of byte: UInt8) -> Int? {
    for index in bytes.indices where bytes[index] == byte { return index }
    return nil
  }

  @inline(never)
  public func lastIndex(of byte: UInt8) -> Int? {
    var index = bytes.count
    while index > 0 {
      index -= 1
      if bytes[index] == byte { return index }
    }
    return nil
  }

  // MARK: - Putting together

  @inline(never)
  public mutating func append(_ text: Literal) {
    for index in 0..<text.byteCount { bytes.append(unsafe text.start[index]) }
  }

  @inline(never)
  public mutating func append(_ span: Span<UInt8>) {
    for index in span.indices { bytes.append(span[index]) }
  }

  @inline(never)
  public mutating func append(_ byte: UInt8) { bytes.append(byte) }

  @inline(never)
  public static func + (left: Text, right: Text) -> Text {
    var sum = left
    sum += right
    return sum
  }

  @inline(never)
  public static func += (left: inout Text, right: Text) { left.append(right.bytes.span) }

  /// Fills up with spaces to so many characters.
  @inline(never)
  public func padded(to width: Int) -> Text {
    var text = self
    while text.bytes.count < width { text.append(0x20) }
    return text
  }

  /// Collects the pieces; the compiler calls it.
  public struct Pieces: StringInterpolationProtocol {
    fileprivate var text: Text = ""

    @inline(never)
    public init(literalCapacity: Int, interpolationCount: Int) {}

    /// Transparent, so that the empty pieces that the compiler puts between two interpolations
    /// and at the ends leave no code.
    @_transparent
    public mutating func appendLiteral(_ piece: StaticString) {
      if piece.utf8CodeUnitCount > 0 { append(Literal(stringLiteral: piece)) }
    }

    @inline(never)
    public mutating func append(_ piece: Literal) { text.append(piece) }

    public mutating func appendInterpolation(_ piece: Literal) { text.append(piece) }

    public mutating func appendInterpolation(_ piece: Text) { text += piece }

    @inline(never)
    public mutating func appendInterpolation(_ number: Int64) {
      Decimal.append(number, to: &text.bytes)
    }

    public mutating func appendInterpolation(_ number: Int) { appendInterpolation(Int64(number)) }

    public mutating func appendInterpolation(_ number: Int32) { appendInterpolation(Int64(number)) }
  }
}
