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
/// A class: in Embedded Swift a noncopyable struct can't be dropped in another module when what
/// it is made of is hidden from there.
public final class SQLiteJournal {
  let connection: SQLiteConnection
  public let path: Text
  /// The server that `serverState` is about: a base URL.
  public var serverAddress: Text = ""

  /// Who may do what with the file.
  public enum Access: Sendable {
    /// Makes the folder and the file if they are missing.
    case create
    /// Writes, but makes none.
    case write
    /// Reads only, from a read-only file system too.
    case read
  }

  private init(path: Text, connection: consuming SQLiteConnection) {
    self.path = path
    self.connection = connection
  }

  /// Opens the journal; with `.create`, makes it if there is none.
  public static func open(_ path: Text, _ access: Access) throws(JournalError) -> SQLiteJournal {
    guard !SQLiteLibrary.neverSyncs else { throw .libraryNeverSyncs }
    let isKnown = try JournalFile.prepare(path, access)
    let journal = SQLiteJournal(path: path, connection: try connect(path, access))
    try journal.setUp(access, isKnown: isKnown)
    return journal
  }

  private func setUp(_ access: Access, isKnown: Bool) throws(JournalError) {
    if !isKnown {
      if try integer("PRAGMA schema_version") == 0 {
        // Made, and cut off before its tables were: there is nothing in it.
        guard access == .create else { throw .missing }
        try create()
      }
      guard try integer("PRAGMA application_id") == JournalSchema.applicationID else {
        throw .belongsToAnotherProgram
      }
      if access != .read { try execute("PRAGMA journal_mode = WAL") }
    }
    // A newer format may still be in the WAL alone.
    let version = try integer("PRAGMA user_version")
    guard version <= JournalSchema.version else { throw .newerVersion(version) }
    guard access != .read else { return }
    if version < JournalSchema.version { try migrate() }
    try execute("PRAGMA wal_autocheckpoint = 128; PRAGMA journal_size_limit = 262144;")
  }

  private static func connect(
    _ path: Text, _ access: Access
  ) throws(JournalError) -> SQLiteConnection {
    do throws(SQLiteError) {
      return try connect(path, flags: SQLITE_OPEN_READWRITE)
    } catch {
      // A reader may lack the right to write, or the file system may be read-only.
      guard access == .read, error.cannotOpen || error.isNotPermitted else {
        throw JournalError(error)
      }
    }
    do throws(SQLiteError) {
      return try connect(path, flags: SQLITE_OPEN_READONLY)
    } catch {
      throw JournalError(error)
    }
  }

  private static func connect(_ path: Text, flags: Int32) throws(SQLiteError)
    -> SQLiteConnection
  {
    let connection = try SQLiteConnection(path: path, flags: flags)
    connection.setBusyTimeout(milliseconds: 10_000)
    try connection.configure(SQLITE_DBCONFIG_DEFENSIVE, true)
    try connection.configure(SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)
    try connection.configure(SQLITE_DBCONFIG_ENABLE_TRIGGER, false)
    try connection.configure(SQLITE_DBCONFIG_ENABLE_VIEW, false)
    try connection.configure(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
    try connection.execute(
      """
      PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA secure_delete = ON;
      PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -256;
      """)
    // The first read of the file: finds out whether it can be read at all.
    _ = try connection.integer("PRAGMA schema_version")
    return connection
  }

  /// Makes the tables in one transaction of the rollback journal, so that the file's header says
  /// at once whose it is; then turns to WAL.
  private func create() throws(JournalError) {
    try execute(JournalSchema.prepare)
    // EXTRA also syncs the folder once the rollback journal is gone.
    try execute("PRAGMA synchronous = EXTRA; BEGIN EXCLUSIVE;")
    // Another process may have made them while this one waited for the lock.
    if try integer("PRAGMA schema_version") == 0 { try execute(JournalSchema.create) }
    try execute("COMMIT; PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL;")
    try JournalFile.syncFolder(of: path)
  }

  /// Brings an older journal to this version's format: whole, or not at all.
  private func migrate() throws(JournalError) {
    try transaction { () throws(SQLiteError) in
      // Read again: another process may have done it while this one waited for the lock.
      var version = try connection.integer("PRAGMA user_version")
      while let migration = JournalSchema.migration(from: version) {
        try connection.execute(migration)
        version = try connection.integer("PRAGMA user_version")
      }
    }
  }

  private func execute(_ sql: Literal) throws(JournalError) {
    do throws(SQLiteError) { try connection.execute(sql) } catch { throw JournalError(error) }
  }

  func integer(_ sql: Literal) throws(JournalError) -> Int64 {
    do throws(SQLiteError) { return try connection.integer(sql) } catch {
      throw JournalError(error)
    }
  }

  /// Runs `body` as one transaction, durable on return.
  func transaction<Result: ~Copyable>(
    _ body: () throws(SQLiteError) -> Result
  ) throws(JournalError) -> Result {
    do throws(SQLiteError) {
      try connection.execute("BEGIN IMMEDIATE")
      let result = try body()
      try connection.execute("COMMIT")
      return result
    } catch {
      if connection.isInTransaction { try? connection.execute("ROLLBACK") }
      throw JournalError(error)
    }
  }
}
