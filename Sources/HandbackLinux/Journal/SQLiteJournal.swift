internal import CLibc
internal import CSQLite
public import HandbackCore

/// The journal of deactivations: what was accepted stays until the server, or a person, ends it.
///
/// WAL with `synchronous=FULL`: a commit is one sync, and no acknowledged row was lost in any
/// power-cut state measured, where SQLite's default loses the last one in most. A process that
/// lives for one commit must not pay for a checkpoint, so none is made at close; the WAL is
/// bounded by one every 128 pages instead.
///
/// Each row has a seal (`SealedTable`), and what is pending a second copy (`CopyFile`), made durable
/// before the row is: flash damages files, and a row that isn't what was written is never sent.
///
/// A class: in Embedded Swift a noncopyable struct can't be dropped in another module when what
/// it is made of is hidden from there.
public final class SQLiteJournal {
  var connection: SQLiteConnection
  var isMending = false
  /// It is about to take the place of a damaged one.
  var isNew = false
  /// It was made anew in the place of one that was lost or damaged: something may be missing that
  /// nothing names.
  var isSuspect = false
  public let path: Text
  /// Where second copies are; `nil` if the journal is only read.
  let copies: CopyFile?
  /// A journal of an older format, which is only read: its rows have no seals.
  private(set) var isOlder = false
  var report = JournalReport()
  /// The row that the flush has in hand, and its seal.
  var seen: (row: Int64, seal: InlineArray<16, UInt8>)?
  /// The seal of the row that was changed last.
  var changedSeal = InlineArray<16, UInt8>(repeating: 0)
  /// While it is mended: the nonces of what was accepted, if they were asked for.
  var nonces: NonceList?

  /// What was found damaged and mended since it was opened, or since this was asked for.
  public func takeReport() -> JournalReport {
    let taken = report
    report = JournalReport()
    return taken
  }

  /// The server that `serverState` is about: a base URL.
  public var serverAddress: Text = ""

  /// Whether secrets are sealed as they are queued, and those that are can be read.
  public enum Sealing {
    case key(CredentialCipher)
    /// Why there is no key.
    case noKey(Text)
  }
  public var sealing = Sealing.noKey("no seal key is set")

  /// Who may do what with the file.
  public enum Access: Sendable {
    /// Makes the folder and the file if they are missing.
    case create
    /// Writes, but makes none, and checks it first: what was queued is to be settled.
    case write
    /// Reads only, from a read-only file system too.
    case read
  }

  init(path: Text, connection: consuming SQLiteConnection, copies: CopyFile?) {
    self.path = path
    self.connection = connection
    self.copies = copies
  }

  /// Opens the journal; with `.create`, makes it if there is none.
  ///
  /// One that is damaged is set aside, and what can be read is brought over to a new one:
  /// `report` tells of it. A reader leaves that to the next one who writes.
  public static func open(_ path: Text, _ access: Access) throws(JournalError) -> SQLiteJournal {
    guard !SQLiteLibrary.neverSyncs else { throw JournalError(.libraryNeverSyncs) }
    var file = try inode(path)
    do throws(JournalError) {
      return try openWhole(path, access)
    } catch {
      if error.isFull, access == .write {
        Reserve.release(path)
        return try openWhole(path, access)
      }
      guard error.isDamage, try JournalFile.wasOurs(path, error) else { throw error }
      // A reader leaves it.
      guard access != .read else {
        throw error.kind == .sqlite
          ? error : JournalError(.sqlite, Int64(SQLITE_NOTADB), "it is damaged")
      }
    }
    var report = JournalReport()
    // It was gone, and has just been made.
    if file == 0 { file = try inode(path) }
    do throws(JournalError) {
      try rebuild(path, file, &report)
    } catch {
      guard error.isFull, access == .write else { throw error }
      Reserve.release(path)
      report = JournalReport()
      try rebuild(path, file, &report)
    }
    let journal = try openWhole(path, access, isRebuilt: true)
    report.restoredCount += journal.report.restoredCount
    report.damagedCount = max(report.damagedCount, journal.report.damagedCount)
    report.isUnnamed = journal.report.isUnnamed
    report.isCopyUnreadable = journal.report.isCopyUnreadable
    journal.report = report
    return journal
  }

  private static func openWhole(
    _ path: Text, _ access: Access, isRebuilt: Bool = false
  ) throws(JournalError) -> SQLiteJournal {
    var report = JournalReport()
    if access != .read, try JournalFile.isReady(path) {
      try finishReplacing(path, &report)
    }
    var isSuspect = false
    if isRebuilt || report.asidePath != nil { isSuspect = try Reserve.isKnown(path) }
    guard let isKnown = try JournalFile.prepare(path, access, &report) else {
      return try openWhole(path, access, isRebuilt: isRebuilt)
    }
    let hadWAL = try JournalFile.exists(path + "-wal")
    let connection = try connect(path, access)
    var isNew = false
    if !isKnown {
      isNew = try connection.integer("PRAGMA schema_version") == 0
      if isNew {
        // Made, and cut off before its tables were: there is nothing in it, unless it was lost and
        // made to be filled from its second copies.
        var isLost = false
        if access == .write { isLost = try JournalFile.wasThere(path) }
        guard access == .create || isLost else { throw JournalError.missing }
        isSuspect = try create(connection, path)
      }
      guard try connection.integer("PRAGMA application_id") == JournalSchema.applicationID else {
        throw JournalError(.belongsToAnotherProgram)
      }
      if access != .read { try connection.execute("PRAGMA journal_mode = WAL") }
    }
    // A newer format may still be in the WAL alone.
    let version = try connection.integer("PRAGMA user_version")
    guard version <= JournalSchema.version else { throw JournalError(.newerVersion, version) }
    if version < JournalSchema.firstSealed { try checkIsOlder(connection) }
    let copies: CopyFile? = access == .read ? nil : try CopyFile(beside: path)
    let journal = SQLiteJournal(path: path, connection: connection, copies: copies)
    journal.isSuspect = isSuspect
    journal.report = report
    if access == .read {
      journal.isOlder = version < JournalSchema.version
      return journal
    }
    if version < JournalSchema.version { try journal.migrate() }
    // Another process may have changed the tables since this one read what they are, and an INSERT
    // that names no columns would be refused as if they were damaged. True damage is found below.
    do throws(JournalError) {
      _ = try journal.integer("SELECT count(*) FROM sqlite_master")
    } catch {
      guard error.isDamage else { throw error }
    }
    // SQLite doesn't: `csqlite_leave_folder_alone`.
    if isNew || !hadWAL { try JournalFile.syncFolder(of: path) }
    var needsCheck = access == .write || isSuspect
    if !needsCheck { needsCheck = try journal.isBehindItsCopies() }
    if needsCheck { try journal.check() }
    return journal
  }

  /// Where there are seals and the format's number says that there are none, it is damaged.
  private static func checkIsOlder(
    _ connection: borrowing SQLiteConnection
  ) throws(JournalError) {
    do throws(JournalError) {
      _ = try connection.prepare("SELECT seal FROM deactivation")
    } catch { return }
    // Another process may have migrated it in this moment.
    guard try connection.integer("PRAGMA user_version") < JournalSchema.firstSealed else { return }
    throw JournalError(.sqlite, Int64(SQLITE_CORRUPT), "its format's number is wrong")
  }

  private static func connect(
    _ path: Text, _ access: Access
  ) throws(JournalError) -> SQLiteConnection {
    do throws(JournalError) {
      return try connect(path, flags: SQLITE_OPEN_READWRITE)
    } catch {
      // A reader may lack the right to write, or the file system may be read-only.
      guard access == .read, error.cannotOpen || error.isNotPermitted else { throw error }
    }
    return try connect(path, flags: SQLITE_OPEN_READONLY)
  }

  static func connect(_ path: Text, flags: Int32) throws(JournalError) -> SQLiteConnection {
    let connection = try SQLiteConnection(path: path, flags: flags)
    connection.setBusyTimeout(milliseconds: SQLiteConnection.busyMilliseconds)
    try connection.configure(SQLITE_DBCONFIG_DEFENSIVE, true)
    try connection.configure(SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)
    try connection.configure(SQLITE_DBCONFIG_ENABLE_TRIGGER, false)
    try connection.configure(SQLITE_DBCONFIG_ENABLE_VIEW, false)
    try connection.configure(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
    try connection.execute(
      """
      PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA secure_delete = ON;
      PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -256;
      PRAGMA wal_autocheckpoint = 128; PRAGMA journal_size_limit = 262144;
      """)
    // The first read of the file: finds out whether it can be read at all.
    _ = try connection.integer("PRAGMA schema_version")
    return connection
  }

  /// Makes the tables in one transaction of the rollback journal, so that the file's header says
  /// at once whose it is. `true` if there has been one before.
  @discardableResult
  static func create(
    _ connection: borrowing SQLiteConnection, _ path: Text
  ) throws(JournalError) -> Bool {
    try connection.execute(JournalSchema.prepare)
    try connection.execute("BEGIN EXCLUSIVE")
    // Another process may have made them while this one waited for the lock.
    var hasTrace = false
    if try connection.integer("PRAGMA schema_version") == 0 {
      hasTrace = try JournalFile.hasTrace(path)
      try connection.execute(JournalSchema.createDeactivation)
      try connection.execute(JournalSchema.createRest)
    }
    try connection.execute("COMMIT")
    return hasTrace
  }

  /// Brings an older journal to this version's format: whole, or not at all.
  private func migrate() throws(JournalError) {
    var added: [Int64] = []
    do throws(JournalError) {
      try migrateOnce(&added)
    } catch {
      copies?.erase(added)
      // Not to be mended: nothing in it is sealed yet, so all would be taken for damaged. It is as
      // it was, and a read that failed once may be all that was wrong.
      throw error.isDamage ? JournalError(.sqlite, Int64(SQLITE_IOERR), error.text) : error
    }
  }

  private func migrateOnce(_ added: inout [Int64]) throws(JournalError) {
    _ = try attempt { () throws(JournalError) in
      // Read again: another process may have done it while this one waited for the lock.
      var version = try connection.integer("PRAGMA user_version")
      guard version < JournalSchema.version else { return false }
      while let migration = JournalSchema.migration(from: version) {
        if version == JournalSchema.firstSealed - 1 {
          try connection.execute(JournalSchema.setAside)
          try connection.execute(JournalSchema.createDeactivation)
        }
        try connection.execute(migration)
        version = try connection.integer("PRAGMA user_version")
      }
      try sealAll(.deactivation, &added)
      try sealAll(.identity, &added)
      try sealAll(.server, &added)
      try copies?.makeDurable()
      return true
    }
  }

  /// Seals every row of a table, and adds copies of those that have a second copy.
  private func sealAll(
    _ table: SealedTable, _ added: inout [Int64]
  ) throws(JournalError) {
    var number: Int64 = 0
    while true {
      var statement = try connection.select(table, after: number)
      guard try statement.steps(past: number) else { return }
      number = statement.integer(0)
      let isCopied = table.isCopied && (table != .deactivation || statement.isPending)
      statement.reset()
      let image = try connection.seal(table, number)
      if isCopied, let copies {
        added.append(try copies.append(image, nil, isOneOfMany: true))
      }
    }
  }

  func integer(_ sql: Literal) throws(JournalError) -> Int64 { try connection.integer(sql) }

  /// Runs `body` as one transaction, durable on return; its result is `body`'s.
  ///
  /// If the journal turns out to be damaged it is mended, if the disk is full the reserve is given
  /// back, unless something is to be accepted, and `body` runs once more.
  func transaction(
    isAccepting: Bool = false, _ body: () throws(JournalError) -> Bool
  ) throws(JournalError) -> Bool {
    // A new one isn't in its place yet, and is filled in one transaction.
    if isNew { return try body() }
    do throws(JournalError) {
      return try attempt(body)
    } catch {
      if error.isFull, !isAccepting {
        // What was accepted can always be ended: that is what the reserve is for.
        Reserve.release(path)
        _ = try? emptyWAL()
      } else {
        guard error.isDamage, !isMending else { throw error }
        try check(isDamaged: !error.isDamagedRow)
      }
    }
    return try attempt(body)
  }

  private func attempt(_ body: () throws(JournalError) -> Bool) throws(JournalError) -> Bool {
    let lock = try PlaceLock(path, isAlone: false)
    // Another process may have set a damaged journal aside, and put a new one in its place.
    if connection.isReplaced { try reconnect() }
    let result = try commit(body)
    _ = consume lock
    return result
  }

  private func commit(_ body: () throws(JournalError) -> Bool) throws(JournalError) -> Bool {
    do throws(JournalError) {
      try connection.execute("BEGIN IMMEDIATE")
      let result = try body()
      try connection.execute("COMMIT")
      return result
    } catch {
      if connection.isInTransaction { try? connection.execute("ROLLBACK") }
      throw error
    }
  }

  func reconnect() throws(JournalError) {
    connection = try Self.connect(path, flags: SQLITE_OPEN_READWRITE)
    // It may have made the new one's WAL.
    try JournalFile.syncFolder(of: path)
  }
}
