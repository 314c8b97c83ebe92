internal import CLibc
public import HandbackCore

/// Paths as text: bytes between slashes.
public enum Path {
  /// What is before the last slash: `.` if there is none, `/` if it is the first byte.
  public static func folder(of path: Text) -> Text {
    guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == 0 ? "/" : path.prefix(slash)
  }

  /// What is behind the last slash.
  public static func name(of path: Text) -> Text {
    path.suffix(from: (path.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)
  }

  /// The same file by a path whose folders are no symbolic links. The C function is `realpath`.
  static func withRealFolder(_ path: Text) -> Text {
    guard let folder = unsafe realpath(folder(of: path).cString, nil) else { return path }
    defer { unsafe free(folder) }
    return unsafe Text(cString: folder) + "/" + name(of: path)
  }
}

/// Folders made and synced; results are `errno` values, 0 for success.
enum Folder {
  /// Makes a folder, and those above it that are missing, for our user alone; each made one is
  /// durable in the one above.
  static func make(_ path: Text) -> Int32 {
    var status = clibc_status()
    if unsafe clibc_stat(path.cString, &status) == 0 {
      return status.is_directory != 0 ? 0 : ENOTDIR
    }
    let above = Path.folder(of: path)
    if above.bytes.count < path.bytes.count {
      let cause = make(above)
      guard cause == 0 else { return cause }
    }
    guard unsafe mkdir(path.cString, 0o700) == 0 else {
      let cause = clibc_errno()
      return cause == EEXIST ? 0 : cause
    }
    return sync(above)
  }

  static func sync(_ path: Text) -> Int32 {
    let folder = unsafe clibc_open(path.cString, O_RDONLY | O_DIRECTORY, 0)
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
  /// `false` if there is none for this user: it is missing, or in a folder that is another's. What
  /// can't be seen for another reason may be there.
  public static func exists(_ path: Text) -> Bool {
    var status = clibc_status()
    if unsafe clibc_stat(path.cString, &status) == 0 { return true }
    let cause = clibc_errno()
    return cause != ENOENT && cause != ENOTDIR && cause != EACCES
  }

  /// 0, or the `errno` value of why its first byte can't be read.
  public static func cannotRead(_ path: Text) -> Int32 {
    let file = unsafe clibc_open(path.cString, O_RDONLY | O_NONBLOCK, 0)
    guard file >= 0 else { return clibc_errno() }
    defer { close(file) }
    var byte: UInt8 = 0
    return unsafe read(file, &byte, 1) < 0 ? clibc_errno() : 0
  }
}
