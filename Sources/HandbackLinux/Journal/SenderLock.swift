internal import CLibc
public import HandbackCore

/// One sender at a time: a lock on a file beside the journal that dies with its holder. In the file
/// stands where the last one's pass ended.
///
/// Not on the journal itself: closing any descriptor of a file drops the POSIX locks that SQLite
/// holds on it (https://www.sqlite.org/howtocorrupt.html, section 2.2).
public final class SenderLock {
  private let file: Int32
  /// Whether it may be written to.
  private let isOurs: Bool
  /// The number of the row that a pass begins behind. A hint, which no sync makes durable: 0 if it is
  /// lost, and if it is damaged the pass only begins elsewhere.
  public private(set) var lastRow: Int64 = 0

  public enum Failure: Error, Sendable {
    /// Another process is sending.
    case held
    case cannotOpen(errno: Int32)
  }

  /// Takes the lock of the journal at `path`, or says at once who is in the way.
  public init(journal path: Text) throws(Failure) {
    var opened = Self.open(path)
    if opened < 0, clibc_errno() == ENOSPC || clibc_errno() == EDQUOT {
      Reserve.release(path)
      opened = Self.open(path)
    }
    guard opened >= 0 else { throw .cannotOpen(errno: clibc_errno()) }
    guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
      let cause = clibc_errno()
      close(opened)
      throw cause == EWOULDBLOCK ? .held : .cannotOpen(errno: cause)
    }
    file = opened
    isOurs = JournalFile.claimNumber(opened, like: path)
    var row: Int64 = 0
    if isOurs, unsafe clibc_read_at(file, &row, 8, 0) == 8 { lastRow = max(row, 0) }
  }

  private static func open(_ path: Text) -> Int32 {
    unsafe clibc_open((path + "-sender").cString, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
  }

  /// Unchanged, it is not written: with one pending, no pass writes a block of flash for it.
  public func keep(lastRow row: Int64) {
    guard isOurs, row != lastRow else { return }
    lastRow = row
    var row = row
    _ = unsafe clibc_write_at(file, &row, 8, 0)
  }

  /// Lets go of it, once.
  public func release() { close(file) }
}
