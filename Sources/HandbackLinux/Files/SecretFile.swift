internal import CLibc
public import HandbackCore

/// Reads a secret from a file or from standard input.
///
/// A file that others can read or write is refused: what is in it is no secret any more. Its
/// group may: that is how a service's user is given a key. One line end at the end is dropped.
public enum SecretFile {
  public static let byteCountMax = 16 * 1024

  public enum Failure: Error, Sendable {
    case cannotOpen(errno: Int32)
    case cannotRead(errno: Int32)
    case notAFile
    case reachableByOthers(mode: UInt32)
    case tooLarge
    case empty
    case notText
  }

  /// `-` is standard input.
  public static func read(_ path: Text) throws(Failure) -> Secret {
    if path.isEqual(to: "-") { return try read(from: 0) }
    // A FIFO without a writer must not block the open; reading it blocks until there is one.
    let file = unsafe clibc_open(path.cString, O_RDONLY | O_NONBLOCK, 0)
    guard file >= 0 else { throw .cannotOpen(errno: clibc_errno()) }
    defer { close(file) }
    var status = clibc_status()
    guard unsafe clibc_fstat(file, &status) == 0 else { throw .cannotRead(errno: clibc_errno()) }
    guard status.is_regular != 0 else { throw .notAFile }
    guard status.mode & 0o007 == 0 else { throw .reachableByOthers(mode: status.mode) }
    return try read(from: file)
  }

  private static func read(from file: Int32) throws(Failure) -> Secret {
    var buffer = SecretBuffer(byteCountMax: byteCountMax)
    var chunk = InlineArray<512, UInt8>(repeating: 0)
    defer { eraseChunk(&chunk) }
    while true {
      let count = try readChunk(file, &chunk)
      if count == 0 { break }
      guard buffer.byteCount + count < byteCountMax else { throw .tooLarge }
      buffer.append(chunk.span.extracting(0..<count))
    }
    let whole = buffer.take()
    return try line(whole)
  }

  private static func readChunk(
    _ file: Int32, _ chunk: inout InlineArray<512, UInt8>
  ) throws(Failure) -> Int {
    var span = chunk.mutableSpan
    while true {
      let count = unsafe span.withUnsafeMutableBytes { buffer in
        unsafe CLibc.read(file, buffer.baseAddress, buffer.count)
      }
      if count >= 0 { return count }
      let cause = clibc_errno()
      guard cause == EINTR else { throw .cannotRead(errno: cause) }
    }
  }

  private static func line(_ whole: borrowing Secret) throws(Failure) -> Secret {
    var end = whole.byteCount
    let hasNUL = whole.withBytes { bytes in
      if end > 0, bytes[end - 1] == 0x0A { end -= 1 }
      if end > 0, end < bytes.count, bytes[end - 1] == 0x0D { end -= 1 }
      for index in bytes.indices where bytes[index] == 0 { return true }
      return false
    }
    guard end > 0 else { throw .empty }
    guard !hasNUL else { throw .notText }
    return whole.withBytes { bytes in Secret(copying: bytes.extracting(0..<end)) }
  }

  private static func eraseChunk(_ chunk: inout InlineArray<512, UInt8>) {
    var span = chunk.mutableSpan
    unsafe span.withUnsafeMutableBytes { unsafe erase($0) }
  }
}
