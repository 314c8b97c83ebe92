internal import CLibc

/// Paths as text: bytes between slashes.
public enum Path {
  /// What is before the last slash: `.` if there is none, `/` if it is the first byte.
  public static func folder(of path: String) -> String {
    let bytes = Array(path.utf8)
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    if slash == 0 { return "/" }
    return String(decoding: bytes[0..<slash], as: UTF8.self)
  }
}

/// Folders made and synced; results are `errno` values, 0 for success.
enum Folder {
  /// Makes a folder, and those above it that are missing, for our user alone; each made one is
  /// durable in the one above.
  static func make(_ path: String) -> Int32 {
    var status = clibc_status()
    if unsafe path.withCString({ unsafe clibc_stat($0, &status) }) == 0 {
      return status.is_directory != 0 ? 0 : ENOTDIR
    }
    let above = Path.folder(of: path)
    if above.utf8.count < path.utf8.count {
      let cause = make(above)
      guard cause == 0 else { return cause }
    }
    guard unsafe path.withCString({ unsafe mkdir($0, 0o700) }) == 0 else {
      let cause = clibc_errno()
      return cause == EEXIST ? 0 : cause
    }
    return sync(above)
  }

  static func sync(_ path: String) -> Int32 {
    let folder = unsafe path.withCString { unsafe clibc_open($0, O_RDONLY | O_DIRECTORY, 0) }
    guard folder >= 0 else { return clibc_errno() }
    defer { close(folder) }
    guard fsync(folder) != 0 else { return 0 }
    let cause = clibc_errno()
    // Some file systems can't sync a folder, and say so; their names are durable by other means.
    return cause == EINVAL ? 0 : cause
  }
}

/// Whether something is there.
public enum FilePresence {
  public static func exists(_ path: String) -> Bool {
    var status = clibc_status()
    return unsafe path.withCString { unsafe clibc_stat($0, &status) } == 0
  }
}
