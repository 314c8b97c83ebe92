/// A line of text for people, built from pieces: `"cannot open \(path)"`.
///
/// Not a `String`: each piece that is interpolated into one costs 200 bytes of inlined code in
/// Embedded Swift, and the program's messages are a third of its size then. A piece costs 25 here.
public struct Line: ExpressibleByStringInterpolation, Sendable {
  public private(set) var bytes: [UInt8]

  @inline(never)
  public init(stringLiteral text: StaticString) {
    bytes = []
    add(text)
  }

  @inline(never)
  public init(stringInterpolation pieces: Pieces) { bytes = pieces.line }

  init(bytes: [UInt8]) { self.bytes = bytes }

  @inline(never)
  public init(_ text: String) { bytes = Array(text.utf8) }

  @inline(never)
  public init(_ text: StaticString) {
    bytes = []
    add(text)
  }

  /// Text from outside, fit for a terminal.
  @inline(never)
  public init(printable text: String) { bytes = printableBytes(Array(text.utf8).span) }

  @inline(never)
  public init(printable text: [UInt8]) { bytes = printableBytes(text.span) }

  @inline(never)
  public static func + (left: Line, right: Line) -> Line {
    var sum = left
    sum.bytes.append(contentsOf: right.bytes)
    return sum
  }

  @inline(never)
  public static func += (left: inout Line, right: Line) {
    left.bytes.append(contentsOf: right.bytes)
  }

  public var isEmpty: Bool { bytes.isEmpty }

  public var string: String { String(decoding: bytes, as: UTF8.self) }

  /// Fills up with spaces to so many characters.
  @inline(never)
  public func padded(to width: Int) -> Line {
    var line = self
    while line.bytes.count < width { line.bytes.append(0x20) }
    return line
  }

  private mutating func add(_ text: StaticString) {
    for index in 0..<text.utf8CodeUnitCount {
      bytes.append(unsafe text.utf8Start[index])
    }
  }

  /// Collects the pieces; the compiler calls it.
  public struct Pieces: StringInterpolationProtocol {
    fileprivate var line: [UInt8] = []

    @inline(never)
    public init(literalCapacity: Int, interpolationCount: Int) {}

    @inline(never)
    public mutating func appendLiteral(_ text: StaticString) {
      for index in 0..<text.utf8CodeUnitCount {
        line.append(unsafe text.utf8Start[index])
      }
    }

    @inline(never)
    public mutating func appendInterpolation(_ text: String) {
      line.append(contentsOf: text.utf8)
    }

    public mutating func appendInterpolation(_ text: StaticString) { appendLiteral(text) }

    @inline(never)
    public mutating func appendInterpolation(_ text: Line) {
      line.append(contentsOf: text.bytes)
    }

    @inline(never)
    public mutating func appendInterpolation(_ number: Int64) {
      Decimal.append(number, to: &line)
    }

    public mutating func appendInterpolation(_ number: Int) { appendInterpolation(Int64(number)) }

    public mutating func appendInterpolation(_ number: Int32) { appendInterpolation(Int64(number)) }
  }
}
