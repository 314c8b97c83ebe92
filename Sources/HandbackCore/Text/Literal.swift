/// A string literal of the program's, kept as the address of its bytes: UTF-8, ended by a NUL and
/// with none inside, there for the process's life. What `StaticString` is elsewhere.
///
/// One word, where a `StaticString` is three, and literals are handed on in a thousand places: 5 KB
/// of the program.
@safe
public struct Literal: ExpressibleByStringLiteral, CustomStringConvertible, @unchecked Sendable {
  @unsafe public let start: UnsafePointer<UInt8>

  /// Transparent, so that length and flags are never made.
  @_transparent
  public init(stringLiteral text: StaticString) {
    unsafe start = text.utf8Start
    #if !hasFeature(Embedded)
      precondition(byteCount == text.utf8CodeUnitCount, "a literal with a NUL inside")
    #endif
  }

  /// One of `Literals`.
  @unsafe
  init(start: UnsafePointer<UInt8>) { unsafe self.start = start }

  /// Counted each time, up to the NUL.
  public var byteCount: Int {
    @inline(never) get {
      var count = 0
      while unsafe start[count] != 0 { count += 1 }
      return count
    }
  }

  /// As C takes it. A `String` literal in its place would be copied at run time, by 2 KB of code.
  public var cString: UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self)
  }

  /// As a text, filled up with spaces to so many characters.
  @inline(never)
  public func padded(to width: Int) -> Text { Text(self).padded(to: width) }

  /// The byte at `index`, checked.
  public func byte(at index: Int) -> UInt8 {
    precondition(index >= 0 && index < byteCount, "index outside of a literal")
    return unsafe start[index]
  }

  /// For tests: the program has no `String`.
  public var description: String { unsafe String(cString: start) }
}
