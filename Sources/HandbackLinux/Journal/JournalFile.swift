internal import CLibc
internal import HandbackCore

/// The journal's file and folder, looked at before SQLite opens them: another program's database,
/// or a newer version's, must stay as it is to the byte, and opening may already write.
enum JournalFile {
  /// Makes what is missing, if `access` says so, and refuses what isn't ours.
  ///
  /// `true` if the header says that it is a whole journal of ours, in WAL mode: then SQLite need
  /// not be asked again. `nil` if it was just about to be replaced, and has to be looked at anew.
  static func prepare(
    _ path: Text, _ access: SQLiteJournal.Access, _ report: inout JournalReport
  ) throws(JournalError) -> Bool? {
    guard let status = try status(path) else {
      guard try wasThere(path) else {
        guard access == .create else { throw JournalError(.missing) }
        try make(path, like: path)
        return false
      }
      // Gone, but not what it held; unless a damaged one is being set aside in this moment. Alone:
      // its WAL is set aside, and must be nobody's.
      let lock = try PlaceLock(path, isAlone: access != .read)
      if try exists(path) { return nil }
      guard access != .read else { throw JournalError(.lost) }
      if try isReady(path) { return nil }
      try SQLiteJournal.setWALAside(path, &report)
      // It had the owner of its second copies.
      try make(path, like: CopyFile.path(of: path))
      _ = consume lock
      return false
    }
    try check(status, path)
    // SQLite looks at these less closely.
    try checkIfPresent(path + "-wal")
    try checkIfPresent(path + "-shm")
    return try checkHeader(path)
  }

  /// Whether something beside `path` says that there was a journal.
  static func wasThere(_ path: Text) throws(JournalError) -> Bool {
    if try CopyFile.version(beside: path) != nil { return true }
    return try hasTrace(path)
  }

  /// Whether one was there that had accepted something, or was damaged.
  static func hasTrace(_ path: Text) throws(JournalError) -> Bool {
    if try Reserve.isKnown(path) { return true }
    return try exists(path + SQLiteJournal.asideSuffix + "1")
  }

  /// Whether a file that can't be a journal was one: another program's, and a newer version's,
  /// must stay as they are.
  static func wasOurs(_ path: Text, _ error: JournalError) throws(JournalError) -> Bool {
    if let version = try CopyFile.version(beside: path) { return version == JournalSchema.version }
    // Without second copies, those whose head still says whose they are, are theirs.
    guard error.kind == .notADatabase || error.kind == .sqlite else { return false }
    if try Reserve.isKnown(path) { return true }
    return isBlank(path)
  }

  /// Whether all its bytes are zero: F2FS leaves a new file so after a power cut.
  private static func isBlank(_ path: Text) -> Bool {
    let file = unsafe clibc_open(path.cString, O_RDONLY | O_NOFOLLOW, 0)
    guard file >= 0 else { return false }
    defer { close(file) }
    var status = clibc_status()
    // No new one is larger.
    guard unsafe clibc_fstat(file, &status) == 0, (1...65536).contains(status.size),
      let bytes = Descriptor.read(file, at: 0, Int(status.size))
    else { return false }
    return bytes.withBytes { bytes in
      for index in bytes.indices where bytes[index] != 0 { return false }
      return true
    }
  }

  /// Whether it is there.
  @inline(never) @discardableResult
  static func checkIfPresent(_ path: Text) throws(JournalError) -> Bool {
    guard let status = try status(path) else { return false }
    try check(status, path)
    return true
  }

  static func check(_ status: clibc_status, _ path: Text) throws(JournalError) {
    if status.is_regular == 0 {
      if status.is_symbolic_link != 0 { throw JournalError(.symbolicLink, 0, path) }
      throw JournalError(.notRegular, 0, path)
    }
    // Root may look after a journal that a service's user owns; new files are given to them.
    let user = geteuid()
    if status.owner != user, user != 0 { throw JournalError(.ownedByAnother, 0, path) }
    if status.mode & 0o077 != 0 { throw JournalError(.reachableByOthers, 0, path) }
    if status.links != 1 { throw JournalError(.hardLinked, 0, path) }
  }

  static func make(_ path: Text, like other: Text) throws(JournalError) {
    let folder = Path.folder(of: path)
    let made = Folder.make(folder)
    guard made == 0 else { throw JournalError(.cannotCreate, errno: made) }
    // Before there is one that is nobody's.
    let owner = try status(other)?.owner
    let file = unsafe clibc_open(path.cString, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    guard file >= 0 else {
      let cause = clibc_errno()
      // Another process made it in the meantime.
      if cause == EEXIST { return }
      throw JournalError(.cannotCreate, errno: cause)
    }
    defer { close(file) }
    try claim(file, for: owner)
  }

  /// Gives a new file its mode, which the umask may have taken away, and the owner of the one at
  /// `path`: root may look after a journal that a service's user owns.
  static func claim(_ file: Int32, like path: Text) throws(JournalError) {
    try claim(file, for: status(path)?.owner)
  }

  private static func claim(_ file: Int32, for owner: UInt32?) throws(JournalError) {
    if let owner, owner != geteuid() {
      guard fchown(file, owner, UInt32.max) == 0 else {
        throw JournalError(.cannotCreate, errno: clibc_errno())
      }
    }
    guard fchmod(file, 0o600) == 0 else { throw JournalError(.cannotCreate, errno: clibc_errno()) }
  }

  /// Gives a file with no more than a number in it, which need not be new, to the owner of the one at
  /// `path`. Who owns the folder can put any file's name there: one with a second name, or with
  /// something else in it, is left as it is, and what was in one that is given away is not. `false`
  /// if nothing may be written to it.
  static func claimNumber(_ file: Int32, like path: Text) -> Bool {
    var status = clibc_status()
    var journal = clibc_status()
    guard unsafe clibc_fstat(file, &status) == 0, status.size == 0 || status.size == 8,
      (try? check(status, path)) != nil, unsafe clibc_lstat(path.cString, &journal) == 0
    else { return false }
    if status.size > 0, status.owner == journal.owner { return true }
    return clibc_truncate(file, 0) == 0 && (try? claim(file, like: path)) != nil
  }

  /// Reads the header that https://www.sqlite.org/fileformat.html, section 1.3, describes.
  private static func checkHeader(_ path: Text) throws(JournalError) -> Bool {
    var header = InlineArray<100, UInt8>(repeating: 0)
    var count = try read(&header, path)
    // Empty: made, and cut off before its tables were; its second copies are made later. On UBIFS
    // it may have its size by then, but nothing else: its rollback journal makes it empty again.
    let isCutOff = try checkIfPresent(path + "-journal")
    if count == 0 || isCutOff && number(header, at: 0) == 0 {
      if try !wasThere(path) { return false }
      // Another process may be making it, and have come further meanwhile.
      count = try read(&header, path)
    }
    // These bytes and a NUL.
    guard count == 100, matches("SQLite format 3", header.span.extracting(0..<15)), header[15] == 0
    else {
      throw JournalError(.notADatabase)
    }
    // With a rollback journal beside it, the header is what SQLite is about to undo.
    if isCutOff { return false }
    guard number(header, at: 68) == JournalSchema.applicationID else {
      throw JournalError(.belongsToAnotherProgram)
    }
    let version = number(header, at: 60)
    guard version <= JournalSchema.version else { throw JournalError(.newerVersion, version) }
    // File format write and read version: 2 is WAL. What is beyond SQLite takes for read-only.
    guard header[18] <= 2 else { throw JournalError(.notADatabase) }
    return header[18] == 2 && header[19] == 2
  }

  @inline(never)
  private static func read(
    _ header: inout InlineArray<100, UInt8>, _ path: Text
  ) throws(JournalError) -> Int {
    let file = unsafe clibc_open(path.cString, O_RDONLY | O_NOFOLLOW, 0)
    guard file >= 0 else { throw JournalError(.cannotRead, errno: clibc_errno()) }
    var span = header.mutableSpan
    let count = unsafe span.withUnsafeMutableBytes { unsafe CLibc.read(file, $0.baseAddress, 100) }
    let cause = clibc_errno()
    close(file)
    guard count >= 0 else { throw JournalError(.cannotRead, errno: cause) }
    return count
  }

  private static func number(_ header: InlineArray<100, UInt8>, at offset: Int) -> Int64 {
    var value: Int64 = 0
    for index in offset..<(offset + 4) { value = value << 8 | Int64(header[index]) }
    return value
  }

  /// Whether a new journal is about to take this one's place; a link there is none.
  @inline(never)
  static func isReady(_ path: Text) throws(JournalError) -> Bool {
    try status(path + SQLiteJournal.readySuffix)?.is_regular ?? 0 != 0
  }

  @inline(never)
  static func exists(_ path: Text) throws(JournalError) -> Bool { try status(path) != nil }

  /// `nil` if nothing is there. What the kernel doesn't tell is never taken for that: what is missing
  /// is made anew, and what is empty isn't read.
  @inline(never)
  static func status(_ path: Text) throws(JournalError) -> clibc_status? {
    var status = clibc_status()
    if unsafe clibc_lstat(path.cString, &status) == 0 { return status }
    let cause = clibc_errno()
    guard cause == ENOENT || cause == ENOTDIR || cause == ENAMETOOLONG else {
      throw JournalError(.cannotRead, errno: cause)
    }
    return nil
  }

  /// Makes the names in the journal's folder durable.
  static func syncFolder(of path: Text) throws(JournalError) {
    let cause = Folder.sync(Path.folder(of: path))
    guard cause == 0 else { throw JournalError(.cannotCreate, errno: cause) }
  }
}
