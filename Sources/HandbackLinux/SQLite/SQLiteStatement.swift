internal import CSQLite
internal import HandbackCore

/// A prepared statement; owns the C handle and finalizes it.
///
/// Columns and parameters are addressed by position, from 0; SQLite's own parameters begin at 1.
@safe
struct SQLiteStatement: ~Copyable {
  private var handle: OpaquePointer?
  private var nextParameter: Int32 = 1

  init(owning handle: OpaquePointer?) {
    unsafe self.handle = handle
  }

  deinit {
    unsafe sqlite3_finalize(handle)
  }

  // MARK: - Parameters, in order

  mutating func bind(_ value: Int64) throws(SQLiteError) {
    try check(unsafe sqlite3_bind_int64(handle, takeParameter(), value))
  }

  mutating func bind(_ value: Int64?) throws(SQLiteError) {
    if let value { try bind(value) } else { try bindNull() }
  }

  mutating func bind(_ text: Text?) throws(SQLiteError) {
    guard let text else { return try bindNull() }
    let parameter = takeParameter()
    try check(
      unsafe csqlite_bind_text(handle, parameter, text.cString, Int32(text.bytes.count)))
  }

  mutating func bind(_ bytes: InlineArray<16, UInt8>) throws(SQLiteError) {
    let parameter = takeParameter()
    let code = unsafe bytes.span.withUnsafeBytes { buffer in
      unsafe csqlite_bind_blob(handle, parameter, buffer.baseAddress, Int32(buffer.count))
    }
    try check(code)
  }

  mutating func bindNull() throws(SQLiteError) {
    try check(unsafe sqlite3_bind_null(handle, takeParameter()))
  }

  /// Binds without a copy of SQLite's own; the secret must live until the step is done.
  mutating func bind(inPlace secret: borrowing Secret) throws(SQLiteError) {
    let parameter = takeParameter()
    let count = Int32(secret.byteCount)
    let statement = unsafe handle
    let code = unsafe secret.withCString { text in
      unsafe csqlite_bind_text_in_place(statement, parameter, text, count)
    }
    try check(code)
  }

  // MARK: - Rows

  /// `true` if there is a row.
  mutating func step() throws(SQLiteError) -> Bool {
    let code = unsafe sqlite3_step(handle)
    switch code {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default: throw error()
    }
  }

  /// Runs a statement that has no rows.
  mutating func run() throws(SQLiteError) {
    while try step() {}
  }

  /// Makes the statement ready for other values, and forgets the last ones.
  mutating func reset() {
    unsafe sqlite3_reset(handle)
    unsafe sqlite3_clear_bindings(handle)
    nextParameter = 1
  }

  // MARK: - Columns

  borrowing func isNull(_ column: Int32) -> Bool {
    unsafe sqlite3_column_type(handle, column) == SQLITE_NULL
  }

  borrowing func integer(_ column: Int32) -> Int64 {
    unsafe sqlite3_column_int64(handle, column)
  }

  borrowing func integerOrNil(_ column: Int32) -> Int64? {
    isNull(column) ? nil : integer(column)
  }

  /// The column's bytes, for as long as `body` runs; `nil` if it is null.
  borrowing func withText<Result: ~Copyable, Failure: Error>(
    _ column: Int32, _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let start = unsafe sqlite3_column_text(handle, column) else { return nil }
    let count = unsafe sqlite3_column_bytes(handle, column)
    let bytes = unsafe UnsafeBufferPointer(start: start, count: Int(count))
    return try body(unsafe Span(_unsafeElements: bytes))
  }

  borrowing func text(_ column: Int32) -> Text? {
    withText(column) { Text($0) }
  }

  private mutating func takeParameter() -> Int32 {
    defer { nextParameter += 1 }
    return nextParameter
  }

  private borrowing func check(_ code: Int32) throws(SQLiteError) {
    guard code == SQLITE_OK else { throw error() }
  }

  private borrowing func error() -> SQLiteError {
    let connection = unsafe sqlite3_db_handle(handle)
    return unsafe SQLiteError(
      code: sqlite3_extended_errcode(connection),
      message: Text(cString: sqlite3_errmsg(connection)))
  }
}
