internal import CSQLite
public import HandbackCore

/// One connection; owns the C handle and closes it.
@safe
struct SQLiteConnection: ~Copyable {
  private var handle: OpaquePointer?

  /// The C function is `sqlite3_open_v2`. A symbolic link at the path's end is refused; SQLite
  /// from 3.39 on would refuse one in its folders, too, which boards have.
  init(path: Text, flags: Int32) throws(JournalError) {
    csqlite_wipe_what_is_freed()
    csqlite_accept_late_dates()
    csqlite_leave_folder_alone()
    var opened: OpaquePointer?
    let code = unsafe sqlite3_open_v2(
      Path.withRealFolder(path).cString, &opened,
      flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE, nil)
    // > Whether or not an error occurs when it is opened, resources associated with the database
    // > connection handle should be released by passing it to sqlite3_close().
    // https://www.sqlite.org/c3ref/open.html
    unsafe handle = opened
    guard code == SQLITE_OK else { throw error(code) }
    unsafe sqlite3_extended_result_codes(handle, 1)
  }

  deinit {
    unsafe sqlite3_close_v2(handle)
  }

  /// How long a lock is waited for before it is an error.
  static var busyMilliseconds: Int32 { 10_000 }

  /// Waits for other processes' locks for so long. The C function is `sqlite3_busy_timeout`.
  borrowing func setBusyTimeout(milliseconds: Int32) {
    unsafe sqlite3_busy_timeout(handle, milliseconds)
  }

  borrowing func configure(_ option: Int32, _ isOn: Bool) throws(JournalError) {
    let code = unsafe csqlite_db_config(handle, option, isOn ? 1 : 0)
    // An option that this SQLite does not know hardens nothing, but breaks nothing either.
    guard code == SQLITE_OK || code == SQLITE_ERROR else { throw error(code) }
  }

  /// Runs statements without values. The C function is `sqlite3_exec`.
  borrowing func execute(_ sql: Literal) throws(JournalError) {
    let code = unsafe sqlite3_exec(handle, sql.cString, nil, nil, nil)
    guard code == SQLITE_OK else { throw error(code) }
  }

  borrowing func prepare(_ sql: Literal) throws(JournalError) -> SQLiteStatement {
    var statement: OpaquePointer?
    let code = unsafe sqlite3_prepare_v2(handle, sql.cString, -1, &statement, nil)
    guard code == SQLITE_OK else { throw error(code) }
    return unsafe SQLiteStatement(owning: statement)
  }

  /// Runs one statement with one value.
  borrowing func run(_ sql: Literal, _ value: Int64) throws(JournalError) {
    var statement = try prepare(sql)
    try statement.bind(value)
    try statement.run()
  }

  /// The first column of the first row, 0 if there is none.
  borrowing func integer(_ sql: Literal) throws(JournalError) -> Int64 {
    var statement = try prepare(sql)
    return try statement.step() ? statement.integer(0) : 0
  }

  var lastInsertedRow: Int64 { unsafe sqlite3_last_insert_rowid(handle) }

  var changedRowCount: Int32 { unsafe sqlite3_changes(handle) }

  /// Whether a statement that failed left a transaction open. The C function is
  /// `sqlite3_get_autocommit`.
  var isInTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }

  /// Whether the file was renamed or removed since it was opened. The C function is
  /// `sqlite3_file_control` with `SQLITE_FCNTL_HAS_MOVED`.
  var isReplaced: Bool {
    var isMoved: Int32 = 0
    unsafe sqlite3_file_control(
      handle, ("main" as Literal).cString, SQLITE_FCNTL_HAS_MOVED, &isMoved)
    return isMoved != 0
  }

  private borrowing func error(_ code: Int32) -> JournalError {
    unsafe JournalError(
      .sqlite, Int64(handle == nil ? code : sqlite3_extended_errcode(handle)),
      Text(cString: sqlite3_errmsg(handle)))
  }
}

/// Facts of the SQLite library that is loaded.
public enum SQLiteLibrary {
  public static var version: Text { unsafe Text(cString: sqlite3_libversion()) }

  /// Whether it was built to never sync: Buildroot's `BR2_PACKAGE_SQLITE_NO_SYNC`. Then nothing
  /// can be promised.
  public static var neverSyncs: Bool {
    unsafe sqlite3_compileoption_used(("NO_SYNC" as Literal).cString) != 0
  }
}
