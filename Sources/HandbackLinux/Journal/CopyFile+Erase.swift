internal import CLibc
internal import HandbackCore

extension CopyFile {
  /// Cuts off what lies behind the last record: it is nothing that can be used, and whoever adds a
  /// record would look through all of it.
  func trim() {
    guard Descriptor.lock(file, LOCK_EX) == 0 else { return }
    defer { flock(file, LOCK_UN) }
    guard let found = try? byteCount(), var end = recordsEnd(found) else { return }
    end = (end + Self.growthByteCount - 1) / Self.growthByteCount * Self.growthByteCount
    if found > end { clibc_truncate(file, end) }
  }

  /// Where the last record ends, in a file of so many bytes; `nil` if not all can be read: that may
  /// be a record.
  private func recordsEnd(_ byteCount: Int64) -> Int64? {
    var end = Self.blockByteCount
    var offset = end
    while offset + Int64(Self.byteCountMin) <= byteCount {
      guard let head = head(at: offset) else { return nil }
      if let record = record(head, at: offset) { end = record.end }
      offset = max(offset + Self.blockByteCount, end)
    }
    return end
  }

  /// Overwrites a record, and cuts the file short if it was the last one. `sync` makes it durable;
  /// till then a power cut may bring the record back, which is harmless where the journal says that
  /// it is settled.
  func erase(_ record: Record) {
    // If it can't be had, the next check erases what has ended.
    guard Descriptor.lock(file, LOCK_EX) == 0 else { return }
    defer { flock(file, LOCK_UN) }
    // Another process may have erased it, and put another in its place.
    guard let found = self.record(at: record.offset), found.number == record.number,
      found.nonce == record.nonce
    else { return }
    // Of a damaged one all that may be its own: there is a secret in it.
    var end = found.end
    let byteCount = size
    while end < min(found.imageEnd, byteCount), let head = head(at: end),
      self.record(head, at: end) == nil
    {
      end += Self.blockByteCount
    }
    var zeros = SecretBuffer(byteCountMax: RowImage.byteCountMax + 8192)
    while Int64(zeros.byteCount) < end - found.offset { zeros.append(0) }
    _ = zeros.take().withBytes { Descriptor.write($0, to: file, at: record.offset) }
    guard next(from: end) == nil, next(from: Self.blockByteCount) == nil,
      let found = try? self.byteCount(), recordsEnd(found) == Self.blockByteCount
    else { return }
    clibc_truncate(file, Self.growthByteCount)
  }

  func erase(_ places: [Int64]) {
    for offset in places {
      if let record = record(at: offset) { erase(record) }
    }
  }

  /// A process that was killed may have left two of one ticket. In a large file the second one is
  /// left to the next check.
  func erase(_ ticket: Ticket) {
    for _ in 0..<4 {
      guard let record = find(ticket) else { return }
      erase(record)
      if size > 64 * 1024 { return }
    }
  }
}
