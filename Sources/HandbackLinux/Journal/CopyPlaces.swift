internal import HandbackCore

/// Where the records of a file lie, for who looks for many: `find` would read the file once for
/// each that is missing.
struct CopyPlaces {
  private var numbers: [Int64] = []
  private var offsets: [Int64] = []
  /// Behind the one that was found last: the next one is near.
  private var cursor = 0

  init(_ copies: CopyFile) {
    var offset: Int64 = 0
    while let record = copies.next(from: offset) {
      numbers.append(record.number)
      offsets.append(record.offset)
      offset = record.end
    }
  }

  mutating func find(_ ticket: Ticket, _ copies: CopyFile) -> CopyFile.Record? {
    for _ in numbers.indices {
      if cursor == numbers.count { cursor = 0 }
      let place = cursor
      cursor += 1
      if numbers[place] == ticket.row, let record = copies.record(at: offsets[place]),
        record.number == ticket.row, record.nonce == Int64(ticket.nonce)
      {
        return record
      }
    }
    return nil
  }
}
