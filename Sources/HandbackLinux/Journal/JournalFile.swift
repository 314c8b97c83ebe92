internal import CLibc
internal import HandbackCore

/// The journal's file and folder, looked at before SQLite opens them: another program's database,
/// or a newer version's, must stay as it is to the byte, and opening may already write.
enum JournalFile {
  /// Makes what is missing, if `access` says so, and refuses what isn't ours.
  ///
  /// `true` if the header says that it is a whole journal of ours, in WAL mode: then SQLite need
  /// not be asked again.
  static func prepare(_ path: Text, _ access: SQLiteJournal.Access) throws(JournalError) -> Bool {
    var status = clibc_status()
    if unsafe clibc_lstat(path.cString, &status) != 0 {
      let cause = clibc_errno()
      guard cause == ENOENT || cause == ENOTDIR else { throw .cannotRead(errno: cause) }
      guard access == .create else { throw .missing }
      try make(path)
      return false
    }
    try check(status)
    return try checkHeader(path)
  }

  private static func check(_ status: clibc_status) throws(JournalError) {
    if status.is_regular == 0 {
      if status.is_symbolic_link != 0 { throw .unsafeFile(.symbolicLink) }
      throw .unsafeFile(.notRegular)
    }
    // Root may look after a journal that a service's user owns; SQLite gives new files to them.
    let user = geteuid()
    if status.owner != user, user != 0 { throw .unsafeFile(.ownedByAnother) }
    if status.mode & 0o077 != 0 { throw .unsafeFile(.reachableByOthers) }
    if status.links != 1 { throw .unsafeFile(.hardLinked) }
  }

  private static func make(_ path: Text) throws(JournalError) {
    let folder = Path.folder(of: path)
    let made = Folder.make(folder)
    guard made == 0 else { throw .cannotCreate(errno: made) }
    let file = unsafe clibc_open(path.cString, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    guard file >= 0 else {
      let cause = clibc_errno()
      // Another process made it in the meantime.
      if cause == EEXIST { return }
      throw .cannotCreate(errno: cause)
    }
    // The umask may have taken our own rights away.
    let code = fchmod(file, 0o600)
    let cause = clibc_errno()
    close(file)
    guard code == 0 else { throw .cannotCreate(errno: cause) }
  }

  /// Reads the header that https://www.sqlite.org/fileformat.html, section 1.3, describes.
  private static func checkHeader(_ path: Text) throws(JournalError) -> Bool {
    var header = InlineArray<100, UInt8>(repeating: 0)
    let file = unsafe clibc_open(path.cString, O_RDONLY | O_NOFOLLOW, 0)
    guard file >= 0 else { throw .cannotRead(errno: clibc_errno()) }
    var span = header.mutableSpan
    let count = unsafe span.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, 100) }
    let cause = clibc_errno()
    close(file)
    guard count >= 0 else { throw .cannotRead(errno: cause) }
    // Empty: made, and cut off before its tables were.
    if count == 0 { return false }
    // These bytes and a NUL.
    guard count == 100, matches("SQLite format 3", header.span.extracting(0..<15)), header[15] == 0
    else {
      throw .notADatabase
    }
    // With a rollback journal beside it, the header is what SQLite is about to undo.
    if exists(path + "-journal") { return false }
    guard number(header, at: 68) == JournalSchema.applicationID else {
      throw .belongsToAnotherProgram
    }
    let version = number(header, at: 60)
    guard version <= JournalSchema.version else { throw .newerVersion(version) }
    // File format write and read version: 2 is WAL.
    return header[18] == 2 && header[19] == 2
  }

  private static func number(_ header: InlineArray<100, UInt8>, at offset: Int) -> Int64 {
    var value: Int64 = 0
    for index in offset..<(offset + 4) { value = value << 8 | Int64(header[index]) }
    return value
  }

  private static func exists(_ path: Text) -> Bool {
    var status = clibc_status()
    return unsafe clibc_lstat(path.cString, &status) == 0
  }

  /// Makes the names in the journal's folder durable.
  static func syncFolder(of path: Text) throws(JournalError) {
    let cause = Folder.sync(Path.folder(of: path))
    guard cause == 0 else { throw .cannotCreate(errno: cause) }
  }
}
