/// Why the journal can't be used. `path` is that of the file or folder that the trouble is with.
public enum JournalError: Error, Sendable {
  /// There is none, and the command makes none.
  case missing
  /// The folder can't be made or written; an `errno` value.
  case cannotCreate(errno: Int32)
  case cannotRead(errno: Int32)
  /// Not a regular file, or one that others own or can reach.
  case unsafeFile(UnsafeFile)
  case notADatabase
  case belongsToAnotherProgram
  /// Made by a newer version, which is left untouched.
  case newerVersion(Int64)
  /// The system's SQLite was built to never sync.
  case libraryNeverSyncs
  /// A row that can't be what this program wrote.
  case damagedRow(Int64)
  case damagedIdentity
  case busy
  case sqlite(SQLiteError)

  public enum UnsafeFile: Sendable {
    case symbolicLink, notRegular, hardLinked, ownedByAnother, reachableByOthers
  }

  init(_ error: SQLiteError) {
    if error.isBusy {
      self = .busy
    } else if error.isNotADatabase {
      self = .notADatabase
    } else {
      self = .sqlite(error)
    }
  }
}
