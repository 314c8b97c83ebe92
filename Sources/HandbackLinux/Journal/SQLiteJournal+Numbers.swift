internal import CSQLite
internal import HandbackCore

/// Which rows there have to be, by what tells of them: the rows, their second copies, and the lists
/// of tickets in those and in the reserve.
extension SQLiteJournal {
  /// The newest row that was ever accepted, as far as something still knows.
  func newestRow(_ copies: CopyFile) throws(JournalError) -> Int64 {
    var newest: Int64 = 0
    if let roster = Reserve.roster(path) {
      newest = max(newest, roster.row)
      isSuspect = false
    }
    var offset: Int64 = 0
    while let roster = copies.nextRoster(from: &offset) { newest = max(newest, roster.row) }
    newest = max(newest, try newestRow())
    guard newest == 0, isSuspect else { return newest }
    report.isUnnamed = true
    return 1
  }

  /// The newest that is sound, and behind it as many as there are damaged ones: whose numbers may be
  /// damaged, too.
  private func newestRow() throws(JournalError) -> Int64 {
    var damagedCount: Int64 = 0
    var next = Int64.max
    while true {
      var statement = try connection.prepare(
        "SELECT * FROM deactivation WHERE row < ?1 ORDER BY row DESC LIMIT 1")
      try statement.bind(next)
      guard try statement.step() else { return damagedCount }
      let row = statement.integer(0)
      // In a damaged file the order may be wrong.
      if try statement.isSealed || row >= next { return row + damagedCount }
      next = row
      damagedCount += 1
    }
  }

  /// Removes what isn't sound behind the newest row: it is one of those before, or was.
  func removeStrays(behind newest: Int64) throws(JournalError) {
    guard try integer("SELECT max(row) FROM deactivation") > newest else { return }
    _ = try transaction { () throws(JournalError) in
      var row = newest
      while true {
        var found = try connection.select(.deactivation, after: row)
        guard try found.steps(past: row) else { return true }
        row = found.integer(0)
        if try found.isSealed { continue }
        found.reset()
        try connection.run("DELETE FROM deactivation WHERE row = ?1", row)
      }
    }
  }

  /// A ticket's second half, from a file that knows it for certain.
  func nonce(of row: Int64) -> UInt32? {
    guard let copies else { return nil }
    var list = nonces ?? NonceList()
    if nonces == nil {
      var offset: Int64 = 0
      while let roster = copies.nextRoster(from: &offset) { list.add(roster) }
      if let roster = Reserve.roster(copies.journal) { list.add(roster) }
      nonces = list
    }
    return list.nonce(of: row)
  }

  /// Writes down which tickets were accepted; without a sync: what is lost of it in a power cut is
  /// a row that both files have.
  func enroll() throws(JournalError) {
    var newest = try connection.prepare(
      "SELECT row, nonce FROM deactivation ORDER BY row DESC LIMIT 122")
    let roster = try Roster(&newest)
    // Unchanged, it isn't written: a look costs no flash.
    if let known = Reserve.roster(path), known.row >= roster.row { return }
    Reserve.write(roster, path)
  }

  /// A reserve that is made now gets its list at once: without one nobody could tell that nothing
  /// was accepted yet, if the journal is found damaged in this moment.
  func holdReserve() throws(JournalError) {
    let isKnown = try Reserve.isKnown(path)
    try Reserve.hold(path)
    if !isKnown { try? enroll() }
  }

  /// Whether a row is missing that another file knows: after a lost or older file, or a WAL that
  /// was cut off at damage. A new row must not take its number.
  func isBehindItsCopies() throws(JournalError) -> Bool {
    var row: Int64 = 0
    if try Reserve.isKnown(path) {
      guard let roster = Reserve.roster(path) else { return true }
      row = roster.row
    }
    return try isBehindCopies(known: row)
  }

  /// The same, without the reserve; `known` is a row that there has to be.
  func isBehindCopies(known: Int64 = 0) throws(JournalError) -> Bool {
    var row = known
    var number: Int64 = 0
    var offset: Int64 = 0
    while let record = copies?.next(from: offset) {
      if record.nonce == nil {
        if copies?.canRead(record) == true { number = max(number, record.number) }
      } else {
        row = max(row, record.number)
      }
      offset = record.end
    }
    if row > 0, try integer("SELECT max(row) FROM deactivation") < row { return true }
    if number > 0, try integer("SELECT max(number) FROM identity") < number { return true }
    return false
  }
}
