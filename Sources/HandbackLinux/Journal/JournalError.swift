internal import CLibc
internal import CSQLite
public import HandbackCore

/// Why the journal can't be used.
///
/// A class, for SQLite's errors too: one word to pass on at each of the many calls that only pass
/// it on. Statements and values are left out, as values may be secret.
public final class JournalError: Error {
  public enum Kind: Sendable {
    /// There is none, and the command makes none.
    case missing
    /// The journal is gone, but the second copies beside it are there: a command that writes
    /// brings it back.
    case lost
    /// The folder or a file can't be made or written; `number` is an `errno` value.
    case cannotCreate
    case cannotRead
    /// The journal, or a file beside it; `text` is its path.
    case symbolicLink, notRegular, hardLinked, ownedByAnother, reachableByOthers
    case notADatabase
    case belongsToAnotherProgram
    /// Made by a newer version, in format `number`, which is left untouched.
    case newerVersion
    /// The system's SQLite was built to never sync.
    case libraryNeverSyncs
    /// The pinned hardware ID, in both files.
    case damagedIdentity
    /// libcrypto refuses, or the kernel has no randomness.
    case cannotSeal
    /// 99 damaged journals lie beside it: no more are set aside.
    case tooManyAside
    /// `number` is SQLite's extended result code, `text` SQLite's words for it.
    case sqlite
  }

  public let kind: Kind
  public let number: Int64
  public let text: Text

  @inline(never)
  init(_ kind: Kind, _ number: Int64 = 0, _ text: Text = "") {
    self.kind = kind
    self.number = number
    self.text = text
  }

  /// What a system call says.
  @inline(never)
  convenience init(_ kind: Kind, errno cause: Int32) { self.init(kind, Int64(cause)) }

  /// What went wrong with a file that SQLite doesn't know, in its terms.
  @inline(never)
  convenience init(errno cause: Int32) {
    let code =
      switch cause {
      case ENOSPC, EDQUOT: SQLITE_FULL
      case EWOULDBLOCK: SQLITE_BUSY
      default: SQLITE_IOERR
      }
    self.init(.sqlite, Int64(code), Process.description(ofErrno: cause))
  }

  /// The low byte of SQLite's code: `SQLITE_IOERR`, `SQLITE_FULL`, …; 0 for other kinds.
  private var code: Int32 { kind == .sqlite ? Int32(truncatingIfNeeded: number) & 0xFF : 0 }

  public static var missing: JournalError { JournalError(.missing) }
  public var isMissing: Bool { kind == .missing }
  /// The disk is; SQLite has a code of its own for the file that it shares between processes.
  public var isFull: Bool {
    code == SQLITE_FULL || kind == .sqlite && number == Int64(csqlite_ioerr_shmsize)
  }
  /// Another process has it locked; `SQLITE_PROTOCOL` is one that is stopped while it makes the
  /// index of the WAL.
  public var isBusy: Bool {
    code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_PROTOCOL
  }
  public var cannotOpen: Bool { code == SQLITE_CANTOPEN }
  public var isNotPermitted: Bool {
    code == SQLITE_PERM || code == SQLITE_AUTH || code == SQLITE_READONLY
  }

  /// The file isn't what was written. Our statements never change, so one that SQLite doesn't
  /// understand, or that a constraint refuses, means that the schema isn't what it was either.
  public var isDamage: Bool {
    switch code {
    case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_ERROR, SQLITE_CONSTRAINT, SQLITE_MISMATCH,
      SQLITE_TOOBIG:
      true
    default:
      kind == .notADatabase || kind == .belongsToAnotherProgram || kind == .newerVersion
    }
  }

  /// Its bytes are damaged, or can't be had: to be believed at the second time, since a read that
  /// fails in the schema looks like damage, too. All else that hinders the reading, memory or open
  /// files or another's lock, says nothing of them.
  var isUnreadable: Bool {
    isDamage
      || kind == .sqlite
        && (number == Int64(csqlite_ioerr_read) || number == Int64(csqlite_ioerr_short_read))
  }

  /// A fingerprint that another row has.
  var isDuplicate: Bool { kind == .sqlite && number == Int64(csqlite_constraint_unique) }

  /// Only one row is.
  var isDamagedRow: Bool { code == SQLITE_MISMATCH }
  static func damagedRow() -> JournalError {
    JournalError(.sqlite, Int64(SQLITE_MISMATCH), "a row is damaged")
  }

  /// More than that row is.
  static func misplacedRow() -> JournalError {
    JournalError(.sqlite, Int64(SQLITE_CORRUPT), "a row is not where it belongs")
  }
}
