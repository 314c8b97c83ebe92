internal import CLibc
internal import HandbackCore

/// Whole reads and writes of a descriptor, and locks that are not waited for without end.
public enum Descriptor {
  /// Writes until all is written: 0, or an `errno` value. Where the file's own place is, or at
  /// `offset`.
  @inline(never)
  public static func write(_ bytes: Span<UInt8>, to file: Int32, at offset: Int64 = -1) -> Int32 {
    unsafe bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let count = unsafe clibc_write_at(
          file, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done,
          offset < 0 ? offset : offset + Int64(done))
        if count < 0 { return clibc_errno() }
        if count == 0 { return ENOSPC }
        done += count
      }
      return 0
    }
  }

  /// So many bytes; `nil` if there are fewer, or they can't be read.
  static func read(_ file: Int32, at offset: Int64, _ byteCount: Int) -> Secret? {
    var done = 0
    let bytes = unsafe Secret(byteCount: byteCount) { buffer in
      while done < byteCount {
        let count = unsafe clibc_read_at(
          file, buffer.baseAddress.map { unsafe $0 + done }, byteCount - done, offset + Int64(done))
        if count <= 0 { return }
        done += count
      }
    }
    guard done == byteCount else { return nil }
    return bytes
  }

  /// `flock`: 0, or an `errno` value. Others hold these locks for milliseconds; behind one that is
  /// stopped or frozen it gives up with `EWOULDBLOCK` after ten seconds, however long a pause takes.
  @inline(never)
  static func lock(_ file: Int32, _ operation: Int32) -> Int32 {
    let end = SystemClock.now().bootMilliseconds + 10_000
    while flock(file, operation | LOCK_NB) != 0 {
      let cause = clibc_errno()
      guard cause == EWOULDBLOCK || cause == EINTR, SystemClock.now().bootMilliseconds < end
      else { return cause }
      SystemClock.sleep(milliseconds: 1)
    }
    return 0
  }
}
