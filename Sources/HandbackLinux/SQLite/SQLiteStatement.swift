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

  mutating func bind(_ value: Int64) throws(JournalError) {
    try check(unsafe sqlite3_bind_int64(handle, takeParameter(), value))
  }

  mutating func bind(_ value: Int64?) throws(JournalError) {
    if let value { try bind(value) } else { try bindNull() }
  }

  mutating func bind(_ text: Text?) throws(JournalError) {
    guard let text else { return try bindNull() }
    let parameter = takeParameter()
    try check(
      unsafe csqlite_bind_text(handle, parameter, text.cString, Int32(text.bytes.count)))
  }

  mutating func bind(_ bytes: InlineArray<16, UInt8>) throws(JournalError) {
    let parameter = takeParameter()
    let code = unsafe bytes.span.withUnsafeBytes { buffer in
      unsafe csqlite_bind_blob(handle, parameter, buffer.baseAddress, Int32(buffer.count))
    }
    try check(code)
  }

  /// Binds an image's columns in order, texts without a copy: it must live until the step is done.
  mutating func bind(image: borrowing Secret) throws(JournalError) {
    var index = 0
    while let column = image.withBytes({ bytes in RowImage.column(at: &index, in: bytes) }) {
      let parameter = takeParameter()
      let statement = unsafe handle
      let code = unsafe image.withCString { start in
        switch column {
        case .null: unsafe sqlite3_bind_null(statement, parameter)
        case .integer(let value): unsafe sqlite3_bind_int64(statement, parameter, value)
        case .text(let range):
          unsafe csqlite_bind_text_in_place(
            statement, parameter, start + range.lowerBound, Int32(range.count))
        case .blob(let range):
          unsafe csqlite_bind_blob(
            statement, parameter, start + range.lowerBound, Int32(range.count))
        }
      }
      try check(code)
    }
  }

  mutating func bindNull() throws(JournalError) {
    try check(unsafe sqlite3_bind_null(handle, takeParameter()))
  }

  /// Binds without a copy of SQLite's own; the secret must live until the step is done.
  mutating func bind(inPlace secret: borrowing Secret) throws(JournalError) {
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
  mutating func step() throws(JournalError) -> Bool {
    let code = unsafe sqlite3_step(handle)
    switch code {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default: throw error()
    }
  }

  /// Runs a statement that has no rows.
  mutating func run() throws(JournalError) {
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

  /// A blob of 16 bytes; zeros if it is none.
  borrowing func block(_ column: Int32) -> InlineArray<16, UInt8> {
    var block = InlineArray<16, UInt8>(repeating: 0)
    guard let start = unsafe sqlite3_column_blob(handle, column),
      unsafe sqlite3_column_bytes(handle, column) == 16
    else { return block }
    let blob = unsafe start.assumingMemoryBound(to: UInt8.self)
    for index in 0..<16 { block[index] = unsafe blob[index] }
    return block
  }

  /// Whether a column has just this blob, which isn't all zeros.
  borrowing func isEqual(_ column: Int32, to bytes: InlineArray<16, UInt8>) -> Bool {
    let block = block(column)
    for index in 0..<16 where block[index] != bytes[index] { return false }
    return true
  }

  var columnCount: Int32 { unsafe sqlite3_column_count(handle) }

  /// The row's first columns, as our other functions here read them: a file whose header says
  /// UTF-16 since a bit flipped has other text than was written. `excluded` has a bit for each
  /// column that is left out.
  borrowing func image(
    columnCount: Int32, without excluded: Int32 = 0
  ) throws(JournalError) -> Secret {
    var image = RowImage()
    for column in 0..<columnCount where excluded >> column & 1 == 0 {
      switch unsafe sqlite3_column_type(handle, column) {
      case SQLITE_INTEGER: image.append(integer(column))
      case SQLITE_NULL: image.appendNull()
      case SQLITE_TEXT:
        // Without memory for it, it isn't what the row has.
        let isText: Void? = withText(column) { bytes in image.append(bytes, isText: true) }
        if isText == nil { throw error() }
      default:
        // A blob; or a floating-point number, which no column of ours has: an empty blob here.
        let count = unsafe sqlite3_column_bytes(handle, column)
        let start = unsafe sqlite3_column_blob(handle, column)
        if count > 0, unsafe start == nil { throw error() }
        let bytes = unsafe UnsafeBufferPointer(
          start: start?.assumingMemoryBound(to: UInt8.self), count: start == nil ? 0 : Int(count))
        image.append(unsafe Span(_unsafeElements: bytes), isText: false)
      }
    }
    return image.take()
  }

  private mutating func takeParameter() -> Int32 {
    defer { nextParameter += 1 }
    return nextParameter
  }

  private borrowing func check(_ code: Int32) throws(JournalError) {
    guard code == SQLITE_OK else { throw error() }
  }

  private borrowing func error() -> JournalError {
    let connection = unsafe sqlite3_db_handle(handle)
    return unsafe JournalError(
      .sqlite, Int64(sqlite3_extended_errcode(connection)),
      Text(cString: sqlite3_errmsg(connection)))
  }
}
