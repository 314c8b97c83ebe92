internal import CLibc
public import HandbackCore

/// Room on the disk that is kept for what must always work: settling and withdrawing what was
/// accepted. `journal.db-reserve` is given back when the disk is full, and nothing is accepted
/// while it can't be made.
///
/// It is a third file, too, so it begins with a `Roster` of what was accepted. That is written
/// behind each commit and not synced, so it never knows of a ticket that was never promised. When
/// the room is given back, the roster stays.
public enum Reserve {
  /// Two commits and the file that SQLite shares between processes, several times.
  static let byteCount: Int64 = 64 * 1024

  private static func path(_ journal: Text) -> Text { journal + "-reserve" }

  static func isHeld(_ journal: Text) -> Bool { size(path(journal)) >= byteCount }

  /// Whether it is there, be it that its room was given back: something was accepted.
  @inline(never)
  static func isKnown(_ journal: Text) throws(JournalError) -> Bool {
    try JournalFile.status(path(journal))?.size ?? 0 >= Roster.byteCount
  }

  /// 0 where it can't be told: where nothing is lost by that.
  static func size(_ path: Text) -> Int64 {
    var status = clibc_status()
    return unsafe clibc_lstat(path.cString, &status) == 0 ? status.size : 0
  }

  /// Makes the file if it isn't there.
  static func hold(_ journal: Text) throws(JournalError) {
    if isHeld(journal) { return }
    // Half of another process's must not be taken away, and what can't be made must not be missed.
    let lock = try PlaceLock(journal, isAlone: true)
    if !isHeld(journal) { try make(journal) }
    _ = consume lock
    // Another process may have needed it in the meantime.
    guard isHeld(journal) else { throw JournalError(errno: ENOSPC) }
  }

  private static func make(_ journal: Text) throws(JournalError) {
    // Behind its end, wherever that is by then: if another process gives the room back meanwhile,
    // what is missing isn't taken for held.
    var file = opened(journal, O_WRONLY | O_APPEND)
    guard file >= -1 else { throw JournalError(errno: -1 - file) }
    let hasRoster = file >= 0
    if !hasRoster {
      unlink(journal)
      file = unsafe clibc_open(
        path(journal).cString, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    }
    guard file >= 0 else { throw JournalError(errno: clibc_errno()) }
    defer { close(file) }
    clibc_truncate(file, hasRoster ? Roster.byteCount : 0)
    if !hasRoster {
      do throws(JournalError) {
        try JournalFile.claim(file, like: journal)
      } catch {
        unlink(journal)
        throw error
      }
    }
    // Bytes that no file system can compress: the reserve must be as large as it says.
    var seed: UInt64 = 0x9E37_79B9_7F4A_7C15
    var block = InlineArray<4096, UInt8>(repeating: 0)
    var cause: Int32 = 0
    for number in 0..<(byteCount / 4096) where cause == 0 {
      for index in 0..<4096 {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        block[index] = UInt8(truncatingIfNeeded: seed >> 56)
      }
      let start = number == 0 && hasRoster ? Int(Roster.byteCount) : 0
      cause = Descriptor.write(block.span.extracting(start...), to: file)
    }
    if cause == 0 { return }
    release(journal)
    // What it began with was no roster.
    if !hasRoster { unlink(journal) }
    throw JournalError(errno: cause)
  }

  static func roster(_ journal: Text) -> Roster? {
    let file = opened(journal, O_RDONLY)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return Roster(file, at: 0)
  }

  static func write(_ roster: borrowing Roster, _ journal: Text) {
    let file = opened(journal, O_WRONLY)
    guard file >= 0 else { return }
    defer { close(file) }
    var buffer = SecretBuffer(byteCountMax: Int(Roster.byteCount))
    roster.append(to: &buffer)
    _ = buffer.take().withBytes { Descriptor.write($0, to: file, at: 0) }
  }

  /// Opens it, if it is a file of ours alone, with a roster: else -1, or if nobody knows, -1 less an
  /// `errno` value.
  private static func opened(_ journal: Text, _ flags: Int32) -> Int32 {
    let path = path(journal)
    let file = unsafe clibc_open(path.cString, flags | O_NOFOLLOW | O_NONBLOCK, 0)
    guard file >= 0 else {
      let cause = clibc_errno()
      if cause == ENOENT || cause == ELOOP || cause == ENXIO || cause == EISDIR { return -1 }
      // Root may have been cut off before it gave it away. There is nothing in it by then.
      if clibc_is_refused(cause) != 0, let found = try? JournalFile.status(path),
        found.size < Roster.byteCount
      {
        return -1
      }
      return -1 - cause
    }
    var status = clibc_status()
    let isKnown = unsafe clibc_fstat(file, &status) == 0
    if isKnown, status.size >= Roster.byteCount, (try? JournalFile.check(status, path)) != nil {
      return file
    }
    let cause = clibc_errno()
    close(file)
    return isKnown ? -1 : -1 - cause
  }

  /// Gives the room back, up to the roster.
  static func release(_ journal: Text) {
    let file = opened(journal, O_WRONLY)
    guard file >= 0 else {
      if file == -1 { unlink(journal) }
      return
    }
    clibc_truncate(file, Roster.byteCount)
    close(file)
  }

  private static func unlink(_ journal: Text) { _ = unsafe CLibc.unlink(path(journal).cString) }

  /// How much has to be freed so that one more deactivation is accepted, in KiB.
  public static func missingKiB(_ journal: Text) -> Int64 {
    // A commit that splits a page of the tree, and a block of second copies.
    var needed: Int64 = 16 * 1024
    if !isHeld(journal) { needed += byteCount }
    // A new journal's files, and the one that SQLite shares between processes.
    if size(journal + "-shm") < 32 * 1024 { needed += 48 * 1024 }
    let free = unsafe clibc_free_bytes(Path.folder(of: journal).cString)
    return (max(needed - free, 4096) + 1023) / 1024
  }
}
