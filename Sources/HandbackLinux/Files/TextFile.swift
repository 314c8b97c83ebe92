internal import CLibc
public import HandbackCore

/// Reads a small text file whole.
public enum TextFile {
  public enum Failure: Error, Sendable {
    case missing
    case cannotRead(errno: Int32)
    case notAFile
    case writableByOthers
    case tooLarge
  }

  /// `trusted` refuses a file that others could have written.
  public static func read(
    _ path: Text, byteCountMax: Int, trusted: Bool
  ) throws(Failure) -> [UInt8] {
    let file = unsafe clibc_open(path.cString, O_RDONLY | O_NONBLOCK, 0)
    guard file >= 0 else {
      let cause = clibc_errno()
      throw cause == ENOENT ? .missing : .cannotRead(errno: cause)
    }
    defer { close(file) }
    var status = clibc_status()
    guard unsafe clibc_fstat(file, &status) == 0 else { throw .cannotRead(errno: clibc_errno()) }
    guard status.is_regular != 0 else { throw .notAFile }
    if trusted, status.mode & 0o002 != 0 { throw .writableByOthers }
    var text: Text = ""
    var chunk = InlineArray<512, UInt8>(repeating: 0)
    while true {
      var span = chunk.mutableSpan
      let count = unsafe span.withUnsafeMutableBytes { buffer in
        unsafe CLibc.read(file, buffer.baseAddress, buffer.count)
      }
      if count == 0 { return text.bytes }
      if count < 0 {
        let cause = clibc_errno()
        if cause == EINTR { continue }
        throw .cannotRead(errno: cause)
      }
      guard text.bytes.count + count <= byteCountMax else { throw .tooLarge }
      text.append(chunk.span.extracting(0..<count))
    }
  }
}
