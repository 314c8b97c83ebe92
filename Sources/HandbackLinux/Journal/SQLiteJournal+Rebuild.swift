internal import CLibc
internal import CSQLite
internal import HandbackCore

extension SQLiteJournal {
  /// Makes a new journal of what can be read in the damaged one and in the second copies, and
  /// puts it in its place. The damaged file is set aside with its WAL, never deleted.
  ///
  /// `before` is the inode of the file that was found damaged: another one isn't touched.
  static func rebuild(
    _ path: Text, _ before: UInt64, _ report: inout JournalReport
  ) throws(JournalError) {
    let lock = try PlaceLock(path, isAlone: true)
    try replace(path, before, &report)
    _ = consume lock
  }

  private static func replace(
    _ path: Text, _ before: UInt64, _ report: inout JournalReport
  ) throws(JournalError) {
    // Another process may have done it meanwhile.
    guard inode(path) == before else { return }
    let aside = try asidePath(path)
    let new = path + "-new"
    remove(new, "")
    remove(new, "-wal")
    remove(new, "-shm")
    try JournalFile.make(new, like: path)
    try fill(new, from: path, &report)
    remove(new, "-wal")
    remove(new, "-shm")
    // The WAL goes first: beside another file it would be taken for that one's.
    var cause = move(path, aside, "-wal")
    if cause == 0 { cause = move(path, aside, "-journal") }
    if cause == 0 { cause = move(path, aside, "-shm") }
    if cause == 0 { cause = move(path, aside, "") }
    if cause == 0 { cause = move(new, path, "") }
    if cause == 0 { cause = Folder.sync(Path.folder(of: path)) }
    guard cause == 0 else { throw JournalError(.cannotCreate, errno: cause) }
    report.asidePath = aside
  }

  static func inode(_ path: Text) -> UInt64 {
    var status = clibc_status()
    return unsafe clibc_lstat(path.cString, &status) == 0 ? status.inode : 0
  }

  @inline(never)
  private static func remove(_ path: Text, _ suffix: Literal) {
    _ = unsafe unlink((path + Text(suffix)).cString)
  }

  /// What isn't there needs no moving.
  @inline(never)
  private static func move(_ path: Text, _ other: Text, _ suffix: Literal) -> Int32 {
    let end = Text(suffix)
    if unsafe rename((path + end).cString, (other + end).cString) == 0 { return 0 }
    let cause = clibc_errno()
    return cause == ENOENT ? 0 : cause
  }

  static var asideSuffix: Text { ".damaged-" }

  /// The first free name. There is an end to it: a disk that damages each new file must not be
  /// filled with them.
  private static func asidePath(_ path: Text) throws(JournalError) -> Text {
    for number in 1...99 {
      let name: Text = "\(path)\(asideSuffix)\(number)"
      if !FilePresence.exists(name) { return name }
    }
    throw JournalError(.cannotCreate, errno: EEXIST)
  }

  private static func fill(
    _ new: Text, from path: Text, _ report: inout JournalReport
  ) throws(JournalError) {
    let connection = try connect(new, flags: SQLITE_OPEN_READWRITE)
    try create(connection, new)
    try connection.execute("PRAGMA journal_mode = WAL")
    let copies = try CopyFile(beside: path)
    let journal = SQLiteJournal(path: new, connection: connection, copies: copies)
    journal.isMending = true
    journal.isNew = true
    // A file that SQLite can't even open has nothing to be read.
    if let old = try? connect(path, flags: SQLITE_OPEN_READWRITE) {
      try journal.connection.execute("BEGIN IMMEDIATE")
      try journal.carry(.identity, from: old)
      try journal.carry(.server, from: old)
      try journal.carry(.deactivation, from: old)
      try journal.connection.execute("COMMIT")
    }
    try journal.bringBack(copies)
    // All of it is in the file then, and its WAL can go.
    guard try journal.checkpoint() else { throw JournalError(errno: EBUSY) }
    report.restoredCount += journal.report.restoredCount
    report.damagedCount = try journal.damagedCount()
  }

  /// How many numbers in a row may be unreadable before the rest of a table is given up: more
  /// rows than lie below one page of the tree.
  private static let failuresMax: Int64 = 1024

  /// Brings over each row whose seal is right. Of the others only the ticket is, as damaged: their
  /// second copies may bring them back.
  private func carry(
    _ table: SealedTable, from old: borrowing SQLiteConnection
  ) throws(JournalError) {
    // Up to where all is known, and up to where was looked.
    var known: Int64 = 0
    var number: Int64 = 0
    while number - known < Self.failuresMax {
      do throws(JournalError) {
        var statement = try old.select(table, after: number)
        guard try statement.step() else { return }
        let found = statement.integer(0)
        if found > number, statement.isSealed {
          // What couldn't be read before this one were rows, too.
          while number > known {
            known += 1
            if case .deactivation = table { try bury(Ticket(row: known, nonce: 0)) }
          }
          let image = statement.image(columnCount: statement.columnCount - 1)
          try connection.insert(table, image, found)
          known = found
          number = found
          continue
        }
        if case .deactivation = table, found == number + 1 {
          try bury(statement.ticket)
          if known == number { known = found }
        }
      } catch {}
      number += 1
    }
  }
}
