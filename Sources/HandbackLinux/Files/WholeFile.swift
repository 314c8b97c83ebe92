internal import CLibc
public import HandbackCore

/// Writes a file whole: a reader sees the one before or the new one, never a part.
public enum WholeFile {
  /// 0, or an `errno` value. It isn't synced: after a power cut it is written again.
  public static func write(_ bytes: [UInt8], to path: Text, mode: UInt32) -> Int32 {
    // Beside it, since a name can't be moved to another file system; and with a name that a
    // collector of `*.prom` doesn't take.
    let new = path + ".new"
    // The folder may be another's, and what has that name anything: nothing is opened but a new file.
    unsafe unlink(new.cString)
    let file = unsafe clibc_open(new.cString, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
    guard file >= 0 else { return clibc_errno() }
    // Whoever is to read it may be another user, whatever the umask is.
    fchmod(file, mode)
    var cause = Descriptor.write(bytes.span, to: file)
    close(file)
    if cause == 0, unsafe rename(new.cString, path.cString) != 0 { cause = clibc_errno() }
    if cause != 0 { unsafe unlink(new.cString) }
    return cause
  }
}
