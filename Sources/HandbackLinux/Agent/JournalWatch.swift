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
  /// What is waited for in that folder: the journal, or the next folder on the way to it.
  private var name: Text = ""

  init?(_ path: Text) {
    self.path = path
    file = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    if file < 0 { return nil }
  }

  /// Watches what is there now and forgets what was heard. What is read after this is new enough:
  /// a later change will be heard; `false` if none will, as the kernel has no watch left.
  func prepare() -> Bool {
    var before: Int32 = -1
    // Again after the queue was emptied, in case the folder was made in between.
    repeat {
      before = folder
      watchFolder()
      _ = hear()
    } while folder != before
    // Missing before the first commit; the folder tells when it is made.
    let wal = unsafe inotify_add_watch(file, (path + "-wal").cString, UInt32(IN_MODIFY))
    return folder >= 0 && (wal >= 0 || Self.isMissing)
  }

  private static var isMissing: Bool { clibc_errno() == ENOENT || clibc_errno() == ENOTDIR }

  /// Watches the journal's folder, or the nearest one above that exists.
  private func watchFolder() {
    let mask = UInt32(IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF) | UInt32(IN_ONLYDIR)
    var place = Path.folder(of: path)
    name = Path.name(of: path)
    var added = unsafe inotify_add_watch(file, place.cString, mask)
    while added < 0, Self.isMissing, place.bytes.count > 1 {
      name = Path.name(of: place)
      place = Path.folder(of: place)
      added = unsafe inotify_add_watch(file, place.cString, mask)
    }
    if folder >= 0, folder != added { inotify_rm_watch(file, folder) }
    folder = added
  }

  /// Takes what was heard: whether the journal may be another than before. Other files that come
  /// and go in its folder, or in one above, say nothing about it.
  func hear() -> Bool {
    var buffer = InlineArray<512, UInt8>(repeating: 0)
    var isChanged = false
    while true {
      var span = buffer.mutableSpan
      let count = unsafe span.withUnsafeMutableBytes {
        unsafe read(file, $0.baseAddress, $0.count)
      }
      guard count > 0 else { return isChanged }
      if concernsJournal(buffer.span.extracting(0..<count)) { isChanged = true }
    }
  }

  /// inotify(7): events are read whole, each with a name that ends in one or more NUL bytes. One
  /// without a name is about what is watched itself, or says that events were lost.
  private func concernsJournal(_ events: Span<UInt8>) -> Bool {
    var start = 0
    while start < events.count {
      let nameStart = start + MemoryLayout<inotify_event>.size
      // `len`, the last of the fixed fields.
      let byteCount = unsafe events.bytes.unsafeLoadUnaligned(
        fromByteOffset: nameStart - 4, as: UInt32.self)
      start = nameStart + Int(byteCount)
      let found = Text(events.extracting(nameStart..<start)).prefix(before: 0)
      if found.isEmpty || found == name || found == name + "-wal" { return true }
    }
    return false
  }
}
