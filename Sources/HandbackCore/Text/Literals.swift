/// A list of literals written as one, with a NUL between them: `"pending\0sent\0ended"`.
///
/// For the names of an enum's cases, in their order. A `switch` with a literal for each case
/// becomes a table of addresses that the loader fills in: with 32 bits 12 bytes a case, and each
/// longer literal is aligned besides.
@safe
public struct Literals: ExpressibleByStringLiteral {
  @unsafe private let start: UnsafePointer<UInt8>
  private let byteCount: Int

  @_transparent
  public init(stringLiteral text: StaticString) {
    unsafe self.init(start: text.utf8Start, byteCount: text.utf8CodeUnitCount)
  }

  @unsafe
  public init(start: UnsafePointer<UInt8>, byteCount: Int) {
    unsafe self.start = start
    self.byteCount = byteCount
  }

  /// The literal with this number, counted from 0.
  public subscript(_ number: Int) -> Literal {
    @inline(never) get {
      var left = number
      var index = 0
      while left > 0 {
        precondition(index < byteCount, "no such literal in the list")
        if unsafe start[index] == 0 { left -= 1 }
        index += 1
      }
      return unsafe Literal(start: start + index)
    }
  }

  /// How many there are, for tests.
  public var count: Int {
    var count = 1
    for index in 0..<byteCount where unsafe start[index] == 0 { count += 1 }
    return count
  }
}
