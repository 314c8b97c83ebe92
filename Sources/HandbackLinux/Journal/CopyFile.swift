internal import CLibc
internal import HandbackCore

/// The second copy of each pending deactivation and of each pinned identity: `journal.db-copy`.
///
/// Flash also damages files that nobody wrote to (https://www.sqlite.org/howtocorrupt.html,
/// section 4.1), so what was promised is kept in two files. This one is as simple as can be:
///
/// - blocks of 512 bytes; the first begins with `HBC1` and twice the journal's format version;
/// - each record begins a block: `HBCr`, the length of its image (4 bytes, big-endian), its seal
///   (16 bytes), the image (`RowImage`) of the row as it was queued;
/// - behind it, up to the end of its last block, a `Roster` of the tickets accepted before it;
/// - a record that is no longer needed is overwritten with zeros; when the last one is, the file is
///   cut short. What is no record is passed over, so that damage costs only what it hits.
///
/// Records are added behind the last one, in the journal's write transactions; `flock` keeps
/// others from cutting the file short meanwhile.
final class CopyFile {
  static let blockByteCount: Int64 = 512
  /// By so much the file grows: whole blocks of the file system, so that most records need no new
  /// size. F2FS (Linux 6.1) makes a size that grew inside the last block durable late.
  static let growthByteCount: Int64 = 4096
  private static let headByteCount = 24
  /// With the first two columns of an image: no record is shorter.
  static let byteCountMin = headByteCount + 18
  private static let fileMark: Literal = "HBC1"
  private static let recordMark: Literal = "HBCr"

  /// The journal that it is beside.
  let journal: Text
  let file: Int32
  /// Where the last record that was looked for lies: the next one is near.
  private var cursor = CopyFile.blockByteCount
  /// Behind the last record that is known of, and where that is; other processes add some, too.
  private var tail = CopyFile.blockByteCount
  private var last: Int64 = 0
  /// The file's size when it was last seen, in bytes.
  private var lastByteCount: Int64 = 0

  /// A record's place, and what it says that it is about.
  struct Record {
    let offset: Int64
    let imageByteCount: Int
    /// The row's number in its table.
    let number: Int64
    /// A ticket's second half; `nil` for an identity.
    let nonce: Int64?

    var table: SealedTable { nonce == nil ? .identity : .deactivation }

    /// Behind its image.
    var imageEnd: Int64 { offset + Int64(CopyFile.headByteCount + imageByteCount) }
    /// Behind its last block. The seal doesn't cover the length: where that says more than a block,
    /// it is believed only of a record that is whole, so that a damaged one hides no others.
    fileprivate(set) var end: Int64

    fileprivate init(offset: Int64, imageByteCount: Int, number: Int64, nonce: Int64?) {
      self.offset = offset
      self.imageByteCount = imageByteCount
      self.number = number
      self.nonce = nonce
      let byteCount = Int64(headByteCount + imageByteCount)
      end = offset + (byteCount + blockByteCount - 1) / blockByteCount * blockByteCount
    }
  }

  /// Opens the one beside the journal at `journal`, and makes it if there is none.
  init(beside journal: Text) throws(JournalError) {
    let path = Self.path(of: journal)
    let opened = unsafe clibc_open(path.cString, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
    guard opened >= 0 else {
      let cause = clibc_errno()
      if cause == ELOOP { throw JournalError(.symbolicLink, 0, path) }
      if cause == EISDIR || cause == ENXIO { throw JournalError(.notRegular, 0, path) }
      throw JournalError(.cannotCreate, errno: cause)
    }
    self.journal = journal
    file = opened
    try setUp(path)
  }

  deinit { close(file) }

  static func path(of journal: Text) -> Text { journal + "-copy" }

  private func setUp(_ path: Text) throws(JournalError) {
    var status = clibc_status()
    guard unsafe clibc_fstat(file, &status) == 0 else {
      throw JournalError(.cannotRead, errno: clibc_errno())
    }
    try JournalFile.check(status, path)
    lastByteCount = status.size
    if Self.version(file) == JournalSchema.version { return }
    // New, or its first block is damaged.
    let isNew = status.size == 0
    if isNew {
      try JournalFile.claim(file, like: journal)
      // The journal and its WAL are there by now. That this file says what it is means that the
      // names of all three are durable.
      try JournalFile.syncFolder(of: path)
    }
    let locked = Descriptor.lock(file, LOCK_EX)
    guard locked == 0 else { throw JournalError(errno: locked) }
    defer { flock(file, LOCK_UN) }
    // Another process may have made it meanwhile, and have records in it.
    if Self.version(file) == JournalSchema.version { return }
    let unit = try byteCount() == 0 ? Self.growthByteCount : Self.blockByteCount
    var block = SecretBuffer(byteCountMax: Int(Self.growthByteCount))
    block.append(Self.fileMark)
    for _ in 0..<2 { block.append(JournalSchema.version, byteCount: 4) }
    let cause = write(Self.padded(block, from: 0, to: unit), at: 0)
    guard cause == 0 else { throw JournalError(errno: cause) }
    try makeDurable()
  }

  /// The format that the file beside `journal` says the journal has, in its first block or by a
  /// record; `nil` if there is none that can be read. Tells a journal whose first bytes are damaged
  /// from a file of somebody else's.
  static func version(beside journal: Text) throws(JournalError) -> Int64? {
    let path = path(of: journal)
    let file = unsafe clibc_open(path.cString, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0)
    guard file >= 0 else {
      let cause = clibc_errno()
      // Missing, if it is made in this moment; or there, and not ours.
      if cause == ENOENT || cause == ELOOP || cause == ENXIO { return nil }
      guard try !JournalFile.exists(path) else { throw JournalError(.cannotRead, errno: cause) }
      return nil
    }
    defer { close(file) }
    if let version = version(file) { return version }
    var offset: Int64 = 0
    while let mark = Descriptor.read(file, at: offset, recordMark.byteCount) {
      if mark.withBytes({ matches(recordMark, $0) }) { return JournalSchema.version }
      offset += blockByteCount
    }
    return nil
  }

  private static func version(_ file: Int32) -> Int64? {
    guard let head = Descriptor.read(file, at: 0, 12) else { return nil }
    return head.withBytes { bytes in
      let version = RowImage.number(in: bytes, 4..<8)
      // Twice, or damage would look like a newer one. Zeros are damage, too.
      let isWhole = version == RowImage.number(in: bytes, 8..<12) && version > 0
      return isWhole && matches(fileMark, bytes.extracting(0..<4)) ? version : nil
    }
  }

  // MARK: - Reading

  /// The first record at or behind `offset`; its image may still be damaged.
  func next(from offset: Int64) -> Record? {
    var offset = max(offset, Self.blockByteCount)
    // Most often it is there, and the file's size isn't needed.
    if let record = record(at: offset) { return record }
    let end = size
    offset += Self.blockByteCount
    while offset < end {
      if let record = record(at: offset) { return record }
      offset += Self.blockByteCount
    }
    return nil
  }

  func record(at offset: Int64) -> Record? {
    guard let head = head(at: offset) else { return nil }
    return record(head, at: offset)
  }

  /// A record's head, and of its image the first two columns.
  func head(at offset: Int64) -> Secret? {
    Descriptor.read(file, at: offset, Self.byteCountMin)
  }

  func record(_ head: borrowing Secret, at offset: Int64) -> Record? {
    guard var record = Self.record(head, at: offset) else { return nil }
    let firstEnd = offset + Self.blockByteCount
    if record.end > firstEnd, isDamaged(record) { record.end = firstEnd }
    return record
  }

  private static func record(_ head: borrowing Secret, at offset: Int64) -> Record? {
    head.withBytes { bytes in
      guard matches(recordMark, bytes.extracting(0..<4)) else { return nil }
      let byteCount = Int(clamping: RowImage.number(in: bytes, 4..<8))
      guard (18...RowImage.byteCountMax).contains(byteCount) else { return nil }
      var index = headByteCount
      guard case .integer(let number) = RowImage.column(at: &index, in: bytes), number > 0 else {
        return nil
      }
      var nonce: Int64?
      if case .integer(let value) = RowImage.column(at: &index, in: bytes) { nonce = value }
      return Record(offset: offset, imageByteCount: byteCount, number: number, nonce: nonce)
    }
  }

  /// A record's image; `nil` if it is damaged. What can't be read may be whole all the same.
  func image(of record: Record) throws(JournalError) -> Secret? {
    if let whole = sealedImage(of: record) { return SealedBytes.content(whole) }
    guard record.imageEnd > size else { throw JournalError(errno: EIO) }
    return nil
  }

  func canRead(_ record: Record) -> Bool {
    sealedImage(of: record) != nil || record.imageEnd > size
  }

  private func sealedImage(of record: Record) -> Secret? {
    Descriptor.read(file, at: record.offset + 8, 16 + record.imageByteCount)
  }

  /// Whether it is known to be; what can't be read may be whole.
  func isDamaged(_ record: Record) -> Bool {
    guard let whole = sealedImage(of: record) else { return record.imageEnd > size }
    return SealedBytes.content(whole) == nil
  }

  func isWhole(_ record: Record?) -> Bool {
    guard let record, let whole = sealedImage(of: record) else { return false }
    return SealedBytes.content(whole) != nil
  }

  /// The first roster behind a record at or behind `offset`, which moves behind it.
  func nextRoster(from offset: inout Int64) -> Roster? {
    while let record = next(from: offset) {
      offset = record.end
      if let roster = Roster(file, at: record.imageEnd, record.end - record.imageEnd) {
        return roster
      }
    }
    return nil
  }

  /// The record about a ticket.
  func find(_ ticket: Ticket) -> Record? { find(ticket.row, Int64(ticket.nonce)) }

  /// The record about a row; of an identity if there is no nonce.
  func find(_ number: Int64, _ nonce: Int64?) -> Record? {
    if let found = find(number, nonce, from: cursor) { return found }
    return cursor > Self.blockByteCount ? find(number, nonce, from: Self.blockByteCount) : nil
  }

  private func find(_ number: Int64, _ nonce: Int64?, from start: Int64) -> Record? {
    var offset = start
    while let record = next(from: offset) {
      if record.number == number, record.nonce == nonce {
        cursor = record.offset
        return record
      }
      offset = record.end
    }
    return nil
  }

  /// Whether all of it can be read: if not, what isn't found, or isn't whole, may be so all the same.
  var isReadable: Bool {
    guard let found = try? byteCount() else { return false }
    for offset in stride(from: 0, to: found, by: Int64.Stride(Self.blockByteCount)) {
      let count = min(Self.blockByteCount, found - offset)
      guard Descriptor.read(file, at: offset, Int(count)) != nil else { return false }
    }
    return true
  }

  // MARK: - Writing

  /// Adds a record, and behind it what `roster` says of those before it; its place. On return it is
  /// durable, unless that is left to `makeDurable`, for many at once.
  @discardableResult
  func append(
    _ image: borrowing Secret, _ roster: borrowing Roster?, isOneOfMany: Bool = false
  ) throws(JournalError) -> Int64 {
    let locked = Descriptor.lock(file, LOCK_EX)
    guard locked == 0 else { throw JournalError(errno: locked) }
    defer { flock(file, LOCK_UN) }
    let before = try byteCount()
    if last == 0 || before < tail || record(at: last)?.end != tail { tail = Self.blockByteCount }
    last = 0
    var offset = tail
    while offset < before {
      if let head = head(at: offset) {
        if let record = record(head, at: offset) {
          last = offset
          tail = record.end
        }
      } else {
        // What can't be read isn't free.
        last = 0
        tail = offset + Self.blockByteCount
      }
      offset = max(offset + Self.blockByteCount, tail)
    }
    let start = tail
    var record = SecretBuffer(byteCountMax: RowImage.byteCountMax + 8192)
    record.append(Self.recordMark)
    record.append(Int64(image.byteCount), byteCount: 4)
    SealedBytes.append(image, to: &record)
    roster?.append(
      to: &record,
      byteCount: Self.blockByteCount - Int64(record.byteCount) % Self.blockByteCount)
    var unit = Self.blockByteCount
    if start + Int64(record.byteCount) > before { unit = Self.growthByteCount }
    var cause = write(Self.padded(record, from: start, to: unit), at: start)
    if cause == 0, !isOneOfMany { cause = sync() }
    guard cause == 0 else {
      if unit == Self.growthByteCount { clibc_truncate(file, before) }
      throw JournalError(errno: cause)
    }
    cursor = start
    return start
  }

  func makeDurable() throws(JournalError) {
    let cause = sync()
    guard cause == 0 else { throw JournalError(errno: cause) }
  }

  /// Makes all of it durable: 0, or an `errno` value.
  @discardableResult
  func sync() -> Int32 { fdatasync(file) == 0 ? 0 : clibc_errno() }

  // MARK: - Bytes

  func byteCount() throws(JournalError) -> Int64 {
    var status = clibc_status()
    guard unsafe clibc_fstat(file, &status) == 0 else { throw JournalError(errno: clibc_errno()) }
    lastByteCount = status.size
    return status.size
  }

  /// The same for readers; where it can't be had, what it was.
  var size: Int64 {
    _ = try? byteCount()
    return lastByteCount
  }

  /// Filled up with zeros to a multiple of `unit`, counted from the file's begin.
  private static func padded(
    _ buffer: consuming SecretBuffer, from start: Int64, to unit: Int64
  ) -> Secret {
    while (start + Int64(buffer.byteCount)) % unit != 0 { buffer.append(0) }
    return buffer.take()
  }

  private func write(_ bytes: consuming Secret, at offset: Int64) -> Int32 {
    bytes.withBytes { Descriptor.write($0, to: file, at: offset) }
  }
}
