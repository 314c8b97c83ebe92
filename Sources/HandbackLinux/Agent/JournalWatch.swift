internal import CLibc
internal import HandbackCore

/// Hears when another process writes to the journal, makes it, or puts another in its place.
///
/// A commit writes to the WAL. Reading doesn't, so that whoever looks at the journal wakes nobody.
/// While the journal or its folder is missing, the nearest folder that exists is watched.
final class JournalWatch {
  let file: Int32
  private let path: Text
  private var folder: Int32 = -1

  init?(_ path: Text) {
    self.path = path
    file = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    if file < 0 { return nil }
  }

  /// Watches what is there now and forgets what was heard. What is read after this is new enough:
  /// a later change will be heard.
  func prepare() {
    var before: Int32 = -1
    // Again after the queue was emptied, in case the folder was made in between.
    repeat {
      before = folder
      watchFolder()
      drain()
    } while folder != before
    // Missing before the first commit; the folder tells when it is made.
    _ = unsafe inotify_add_watch(file, (path + "-wal").cString, UInt32(IN_MODIFY))
  }

  /// Watches the journal's folder, or the nearest one above that exists.
  private func watchFolder() {
    let mask = UInt32(IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF) | UInt32(IN_ONLYDIR)
    var place = Path.folder(of: path)
    var added = unsafe inotify_add_watch(file, place.cString, mask)
    while added < 0, place.bytes.count > 1 {
      place = Path.folder(of: place)
      added = unsafe inotify_add_watch(file, place.cString, mask)
    }
    if folder >= 0, folder != added { inotify_rm_watch(file, folder) }
    folder = added
  }

  private func drain() {
    var buffer = InlineArray<512, UInt8>(repeating: 0)
    var count = 1
    while count > 0 {
      var span = buffer.mutableSpan
      count = unsafe span.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
    }
  }
}
