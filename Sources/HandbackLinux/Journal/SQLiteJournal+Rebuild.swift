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
    guard try inode(path) == before else { return }
    let new = path + "-new"
    removeAll(new)
    remove(path, readySuffix)
    do throws(JournalError) {
      try JournalFile.make(new, like: path)
      try fill(new, from: path, &report)
    } catch {
      removeAll(new)
      throw error
    }
    remove(new, "-wal")
    remove(new, "-shm")
    // From here on it can be finished by whoever comes.
    try put(new, at: path + readySuffix)
    try finish(path, &report)
  }

  /// A new journal, whole, that is about to take the place of a damaged one.
  static var readySuffix: Text { "-ready" }

  /// Ends a setting aside that was cut off: once the damaged file has left its place, the new one
  /// takes it. While it is still there, it may have got more since, and is brought over anew.
  static func finishReplacing(
    _ path: Text, _ report: inout JournalReport
  ) throws(JournalError) {
    let lock = try PlaceLock(path, isAlone: true)
    if try JournalFile.exists(path) {
      remove(path, readySuffix)
    } else if try JournalFile.isReady(path) {
      try finish(path, &report)
    }
    _ = consume lock
  }

  /// Moves the damaged file aside, then its WAL, and puts the new one in its place: in this order
  /// on the disk too. The file first, so that nobody reads or writes it without its WAL.
  private static func finish(_ path: Text, _ report: inout JournalReport) throws(JournalError) {
    let aside = try asidePath(path)
    try JournalFile.syncFolder(of: path)
    try move(path, aside, "")
    try move(path, aside, "-wal")
    try move(path, aside, "-journal")
    remove(path, "-shm")
    // Beside another file the WAL would be taken for that one's.
    try JournalFile.syncFolder(of: path)
    try put(path + readySuffix, at: path)
    try JournalFile.syncFolder(of: path)
    report.asidePath = aside
  }

  /// The WAL of a journal that is gone: SQLite would delete it, beside an empty file. It has a name
  /// of its own, or it would be taken for that of the next one which is set aside.
  static func setWALAside(_ path: Text, _ report: inout JournalReport) throws(JournalError) {
    remove(path, "-shm")
    guard let wal = try JournalFile.status(path + "-wal"), wal.size > 0 else { return }
    let aside = path + ".lost"
    try move(path, aside, "-wal")
    try JournalFile.syncFolder(of: path)
    report.asidePath = aside + "-wal"
  }

  /// 0 if there is none.
  @inline(never)
  static func inode(_ path: Text) throws(JournalError) -> UInt64 {
    try JournalFile.status(path)?.inode ?? 0
  }

  private static func removeAll(_ path: Text) {
    remove(path, "")
    remove(path, "-wal")
    remove(path, "-shm")
  }

  @inline(never)
  private static func remove(_ path: Text, _ suffix: Text) {
    _ = unsafe unlink((path + suffix).cString)
  }

  /// What isn't there needs no moving, and what is there already is never replaced.
  @inline(never)
  private static func move(
    _ path: Text, _ other: Text, _ suffix: Text
  ) throws(JournalError) {
    var to = other + suffix
    while try JournalFile.exists(to) { to = to + "-" }
    let cause = renamed(path + suffix, to)
    guard cause == 0 || cause == ENOENT else { throw JournalError(.cannotCreate, errno: cause) }
  }

  private static func put(_ path: Text, at other: Text) throws(JournalError) {
    let cause = renamed(path, other)
    guard cause == 0 else { throw JournalError(.cannotCreate, errno: cause) }
  }

  /// 0, or an `errno` value. Of its own: where an error is thrown behind the call, Swift 6.3 loses
  /// its result on riscv64.
  @inline(never)
  private static func renamed(_ path: Text, _ other: Text) -> Int32 {
    unsafe rename(path.cString, other.cString) == 0 ? 0 : clibc_errno()
  }

  static var asideSuffix: Text { ".damaged-" }

  /// The first free name; or, if it was cut off behind its first move, the one that was taken.
  /// There is an end to it: a disk that damages each new file must not be filled with them.
  private static func asidePath(_ path: Text) throws(JournalError) -> Text {
    let isThere = try JournalFile.exists(path)
    var taken: Text?
    for number in 1...99 {
      let name: Text = "\(path)\(asideSuffix)\(number)"
      if try !JournalFile.exists(name) { return isThere ? name : taken ?? name }
      taken = name
    }
    if let taken, !isThere { return taken }
    throw JournalError(.tooManyAside)
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
    try journal.connection.execute("BEGIN IMMEDIATE")
    if let old = try damaged(path) {
      try journal.carry(.identity, from: old)
      try journal.carry(.server, from: old)
      try journal.carry(.deactivation, from: old)
    }
    try journal.bringBack(copies)
    try journal.connection.execute("COMMIT")
    // All of it is in the file then, and its WAL can go.
    guard try journal.checkpoint() else { throw JournalError(errno: EBUSY) }
    report.restoredCount += journal.report.restoredCount
    report.damagedCount = try journal.damagedCount()
  }

  /// `nil` if SQLite can't even open it, and not at a second try either: then there is nothing to be
  /// read. Neither is there in an empty one, whose WAL SQLite would delete.
  private static func damaged(_ path: Text) throws(JournalError) -> SQLiteConnection? {
    guard let status = try JournalFile.status(path), status.size > 0 else { return nil }
    for isLast in [false, true] {
      do throws(JournalError) {
        return try connect(path, flags: SQLITE_OPEN_READWRITE)
      } catch {
        guard error.isUnreadable else { throw error }
        if isLast { return nil }
      }
    }
    return nil
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
    var hasFailed = false
    var failureCount: Int64 = 0
    // A row that isn't sound was found farther on: its number may be damaged, so that others,
    // which are sound, are found behind the numbers between.
    var hasGap = false
    while failureCount < Self.failuresMax {
      var found: Int64 = 0
      var image: Secret?
      var ticket: Ticket?
      do throws(JournalError) {
        var statement = try old.select(table, after: number)
        guard try statement.step() else { return }
        found = statement.integer(0)
        if case .deactivation = table { ticket = statement.ticket }
        if found > number, try statement.isSealed {
          image = try statement.image(columnCount: statement.columnCount - 1)
        }
      } catch {
        guard error.isUnreadable else { throw error }
        if !hasFailed {
          hasFailed = true
          continue
        }
      }
      failureCount += 1
      if image != nil {
        hasFailed = false
        hasGap = false
        failureCount = 0
      }
      if let image = image.take() {
        // What couldn't be read before this one were rows, too.
        while number > known {
          known += 1
          if ticket != nil { try bury(Ticket(row: known, nonce: 0)) }
        }
        known = found
        number = found
        do throws(JournalError) {
          try connection.insert(table, image, found)
        } catch {
          guard error.isDuplicate, let ticket else { throw error }
          try bury(ticket)
        }
        continue
      }
      if found > number + 1 {
        hasGap = true
        if failureCount == Self.failuresMax - 1 {
          number = found
          failureCount = 0
          continue
        }
      }
      if let ticket, found == number + 1, !hasGap {
        try bury(ticket)
        if known == number { known = found }
        failureCount = 0
      }
      number += 1
    }
  }
}
