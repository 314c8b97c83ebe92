internal import HandbackCore

/// The newest tickets that were accepted: which rows there have to be, whatever became of them.
///
/// Rows are numbered without a gap and never removed, so the newest number tells of all of them.
/// In bytes: a seal (16), the newest row's number (8), and the nonces of that row, of the one
/// before it and so on (4 each), as many as there is room for; 0 for one that isn't known.
struct Roster: ~Copyable {
  /// With the seal.
  static let byteCount: Int64 = 512
  private static let sealByteCount: Int64 = 16
  private static let numberByteCount = 8
  private static let nonceByteCount = 4

  private let bytes: Secret

  /// Reads one that takes so many bytes of a file; `nil` if there is none that is whole.
  init?(_ file: Int32, at offset: Int64, _ byteCount: Int64 = Roster.byteCount) {
    guard byteCount >= Self.sealByteCount + Int64(Self.numberByteCount),
      let bytes = SealedBytes.read(file, at: offset, Int(byteCount - Self.sealByteCount))
    else { return nil }
    self.bytes = bytes
  }

  /// Of rows and their nonces, the newest first, as far as none is missing.
  init(_ statement: inout SQLiteStatement) throws(JournalError) {
    let byteCount = Int(Self.byteCount - Self.sealByteCount)
    var buffer = SecretBuffer(byteCountMax: byteCount)
    var next: Int64 = 0
    while buffer.byteCount < byteCount, try statement.step() {
      if buffer.byteCount == 0 {
        next = statement.integer(0)
        buffer.append(next, byteCount: Self.numberByteCount)
      }
      guard statement.integer(0) == next else { break }
      buffer.append(statement.integer(1), byteCount: Self.nonceByteCount)
      next -= 1
    }
    while buffer.byteCount < byteCount { buffer.append(0) }
    bytes = buffer.take()
  }

  /// How many nonces it has room for.
  var count: Int {
    bytes.withBytes { ($0.count - Self.numberByteCount) / Self.nonceByteCount }
  }

  /// The newest row.
  var row: Int64 { bytes.withBytes { RowImage.number(in: $0, 0..<Self.numberByteCount) } }

  /// The ticket's second half; `nil` if this one doesn't know it.
  func nonce(of row: Int64) -> UInt32? {
    let newest = self.row
    return bytes.withBytes { bytes in
      guard row <= newest, newest - row < Int64(count) else { return nil }
      let start = Self.numberByteCount + Int(newest - row) * Self.nonceByteCount
      let nonce = RowImage.number(in: bytes, start..<(start + Self.nonceByteCount))
      return nonce == 0 ? nil : UInt32(truncatingIfNeeded: nonce)
    }
  }

  /// As much of it as so many bytes hold, sealed; nothing if that is no nonce.
  func append(to buffer: inout SecretBuffer, byteCount: Int64 = Roster.byteCount) {
    let rest = Int(byteCount - Self.sealByteCount)
    guard rest >= Self.numberByteCount + Self.nonceByteCount else { return }
    let part = bytes.withBytes { bytes in Secret(copying: bytes.extracting(0..<rest)) }
    SealedBytes.append(part, to: &buffer)
  }
}

/// The nonces of all rows that rosters know, to look up many.
struct NonceList {
  /// By row, from 1 on; 0 for one that isn't known.
  private var nonces: [Int64] = []

  mutating func add(_ roster: borrowing Roster) {
    let newest = roster.row
    guard newest > 0, newest < Int64(Int32.max) else { return }
    while nonces.count < Int(newest) { nonces.append(0) }
    for row in max(newest - Int64(roster.count) + 1, 1)...newest {
      if let nonce = roster.nonce(of: row) { nonces[Int(row) - 1] = Int64(nonce) }
    }
  }

  func nonce(of row: Int64) -> UInt32? {
    guard row > 0, row <= Int64(nonces.count) else { return nil }
    let nonce = nonces[Int(row) - 1]
    return nonce == 0 ? nil : UInt32(nonce)
  }
}
