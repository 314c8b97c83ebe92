internal import CSQLite
public import HandbackCore

/// A result code of SQLite other than `SQLITE_OK`, and SQLite's words for it.
///
/// A class over the integer, so that a code this program does not know survives, and an error is
/// one word to pass on. The statement and its values are left out: values may be secret.
public final class SQLiteError: Error {
  /// The extended result code.
  public let code: Int32
  public let message: Text

  public init(code: Int32, message: Text) {
    self.code = code
    self.message = message
  }

  /// The low byte: `SQLITE_IOERR`, `SQLITE_FULL`, …
  public var primaryCode: Int32 { code & 0xFF }

  public var isFull: Bool { primaryCode == SQLITE_FULL }
  public var isBusy: Bool { primaryCode == SQLITE_BUSY || primaryCode == SQLITE_LOCKED }
  public var isReadOnly: Bool { primaryCode == SQLITE_READONLY }
  public var isNotADatabase: Bool { primaryCode == SQLITE_NOTADB }
  public var isCorrupt: Bool { primaryCode == SQLITE_CORRUPT }
  public var cannotOpen: Bool { primaryCode == SQLITE_CANTOPEN }
  public var isNotPermitted: Bool {
    primaryCode == SQLITE_PERM || primaryCode == SQLITE_AUTH || primaryCode == SQLITE_READONLY
  }
}
