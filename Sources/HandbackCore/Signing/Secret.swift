/// Bytes that must not outlive their use: a key, a password, a token, a license key.
///
/// They live in one heap block that is never moved or grown, so no copy is left behind, and are
/// overwritten on release. A trailing NUL, not counted, lets C read them in place. Never
/// `CustomStringConvertible`: a secret can't be interpolated into a message.
@safe
public struct Secret: ~Copyable {
  public let byteCount: Int
  private let storage: UnsafeMutableRawBufferPointer

  /// Copies `bytes`; the caller wipes its own copy.
  public init(copying bytes: Span<UInt8>) {
    unsafe self.init(byteCount: bytes.count) { target in
      for index in bytes.indices { unsafe target[index] = bytes[index] }
    }
  }

  /// Makes room for `byteCount` bytes and lets `fill` write them.
  public init(byteCount: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) {
    self.byteCount = byteCount
    // Bounded by callers: every reader of secrets has a ceiling.
    unsafe storage = .allocate(byteCount: byteCount + 1, alignment: 8)
    unsafe storage[byteCount] = 0
    unsafe fill(UnsafeMutableRawBufferPointer(rebasing: storage[0..<byteCount]))
  }

  deinit {
    unsafe erase(storage)
    unsafe storage.deallocate()
  }

  /// The bytes, for as long as `body` runs.
  public borrowing func withBytes<Result: ~Copyable, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let buffer = unsafe UnsafeBufferPointer(
      start: storage.baseAddress?.assumingMemoryBound(to: UInt8.self), count: byteCount)
    return try body(unsafe Span(_unsafeElements: buffer))
  }

  /// The bytes and their NUL as C wants them, for as long as `body` runs.
  public borrowing func withCString<Result: ~Copyable, Failure: Error>(
    _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // The block has at least the NUL, so it has a base address.
    guard let base = unsafe storage.baseAddress else { preconditionFailure("an empty block") }
    return try unsafe body(UnsafePointer(base.assumingMemoryBound(to: CChar.self)))
  }

  /// Another copy, with its own end of life.
  public borrowing func copy() -> Secret {
    withBytes { bytes in Secret(copying: bytes) }
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
