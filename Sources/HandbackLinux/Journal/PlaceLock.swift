internal import CLibc
internal import HandbackCore

/// Keeps a journal in its place: whoever writes into it holds this lock with others, and whoever
/// sets it aside holds it alone. What is committed to a file that is being set aside would be
/// missing in the one that takes its place. Who makes the reserve holds it alone, too. It is an
/// `flock` on the folder, and dies with its holder.
struct PlaceLock: ~Copyable {
  private let folder: Int32

  /// Waits until it can be had, but not for ever.
  @inline(never)
  init(_ journal: Text, isAlone: Bool) throws(JournalError) {
    let path = Path.folder(of: journal)
    folder = unsafe clibc_open(path.cString, O_RDONLY | O_DIRECTORY, 0)
    guard folder >= 0 else { throw JournalError(.cannotRead, errno: clibc_errno()) }
    let cause = Descriptor.lock(folder, isAlone ? LOCK_EX : LOCK_SH)
    guard cause == 0 else { throw JournalError(errno: cause) }
  }

  deinit {
    guard folder >= 0 else { return }
    // First of all: a `close` that fails must not keep us out.
    flock(folder, LOCK_UN)
    close(folder)
  }
}
