/// Bytes that must not outlive their use: a key, a password, a token, a license key.
///
/// They live in one heap block that is never moved or grown, so no copy is left behind, and are
/// overwritten on release. A trailing NUL, not counted, lets C read them in place. Never
/// `CustomStringConvertible`: a secret can't be interpolated into a message.
@safe
public struct Secret: ~Copyable {
  /// The number of bytes, the bytes, and a NUL. One word here, since a value is passed on, and
  /// released at each exit, in many places.
  private let block: UnsafeMutableRawPointer
  private static let headByteCount = 8

  /// Copies `bytes`; the caller wipes its own copy.
  @inline(never)
  public init(copying bytes: Span<UInt8>) {
    unsafe self.init(byteCount: bytes.count) { target in
      for index in bytes.indices { unsafe target[index] = bytes[index] }
    }
  }

  /// Makes room for `byteCount` bytes and lets `fill` write them.
  public init(byteCount: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) {
    // Bounded by callers: every reader of secrets has a ceiling.
    unsafe block = .allocate(byteCount: Self.headByteCount + byteCount + 1, alignment: 8)
    unsafe block.storeBytes(of: byteCount, as: Int.self)
    let start = unsafe block + Self.headByteCount
    unsafe start.storeBytes(of: 0, toByteOffset: byteCount, as: UInt8.self)
    unsafe fill(UnsafeMutableRawBufferPointer(start: start, count: byteCount))
  }

  deinit {
    unsafe Self.release(block)
  }

  /// Out of line, as it stands at every exit of every function that holds a secret.
  @inline(never)
  private static func release(_ block: UnsafeMutableRawPointer) {
    let count = unsafe headByteCount + block.load(as: Int.self)
    unsafe erase(UnsafeMutableRawBufferPointer(start: block, count: count))
    unsafe block.deallocate()
  }

  public var byteCount: Int { unsafe block.load(as: Int.self) }

  /// The bytes, for as long as `body` runs.
  public borrowing func withBytes<Result: ~Copyable, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let start = unsafe (block + Self.headByteCount).assumingMemoryBound(to: UInt8.self)
    return try body(unsafe Span(_unsafeElements: .init(start: start, count: byteCount)))
  }

  /// The bytes and their NUL as C wants them, for as long as `body` runs.
  public borrowing func withCString<Result: ~Copyable, Failure: Error>(
    _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let start = unsafe (block + Self.headByteCount).assumingMemoryBound(to: CChar.self)
    return try unsafe body(UnsafePointer(start))
  }

  /// Another copy, with its own end of life.
  @inline(never)
  public borrowing func copy() -> Secret {
    withBytes { bytes in Secret(copying: bytes) }
  }

  public borrowing func isEqual(to other: borrowing Secret) -> Bool {
    guard byteCount == other.byteCount else { return false }
    return withBytes { bytes in
      other.withBytes { others in
        for index in bytes.indices where bytes[index] != others[index] { return false }
        return true
      }
    }
  }

  /// Whether some byte is one of C0, DEL: nothing that belongs in a key or a header.
  public borrowing func containsControlCharacter() -> Bool {
    withBytes { bytes in
      for index in bytes.indices where bytes[index] < 0x20 || bytes[index] == 0x7F {
        return true
      }
      return false
    }
  }
}
