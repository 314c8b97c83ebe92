internal import CSQLite
internal import HandbackCore

extension SQLiteJournal {
  /// Compares the whole journal with its seals and second copies, and mends what is damaged.
  ///
  /// Afterwards every pending row is as it was queued, and has a second copy; one that can't be
  /// had back from either file has ended as damaged. `report` tells what was done. Reads the
  /// journal once; writes only what has to be mended.
  public func check() throws(JournalError) { try check(isDamaged: false) }

  func check(isDamaged: Bool) throws(JournalError) {
    guard let copies, !isMending else { return }
    isMending = true
    defer { isMending = false }
    if connection.isReplaced { try reconnect() }
    var isDamaged = isDamaged
    if !isDamaged { isDamaged = try !isWhole() }
    do throws(JournalError) {
      if isDamaged { try rebuild() }
      try compare(with: copies)
    } catch {
      // Damage that shows in writing only.
      guard error.isDamage, !isDamaged else { throw error }
      try rebuild()
      try compare(with: copies)
    }
    if report.damagedCount > 0 { report.damagedCount = try damagedCount() }
  }

  private func rebuild() throws(JournalError) {
    try Self.rebuild(path, &report)
    try reconnect()
  }

  private func compare(with copies: CopyFile) throws(JournalError) {
    try bringBack(copies)
    try checkPending(copies)
  }

  /// Whether a row is missing that its second copy knows: after a lost or older file, or a WAL
  /// that was cut off at damage. A new row must not take its number.
  func isBehindItsCopies() throws(JournalError) -> Bool {
    var row: Int64 = 0
    var number: Int64 = 0
    var offset: Int64 = 0
    while let record = copies?.next(from: offset) {
      if record.nonce == nil {
        number = max(number, record.number)
      } else {
        row = max(row, record.number)
      }
      offset = record.end
    }
    if row > 0, try integer("SELECT max(row) FROM deactivation") < row { return true }
    if number > 0, try integer("SELECT max(number) FROM identity") < number { return true }
    return false
  }

  /// Whether SQLite finds pages, records and tables as they have to be.
  private func isWhole() throws(JournalError) -> Bool {
    do throws(JournalError) {
      _ = try connection.prepare(SealedTable.deactivation.insert)
      _ = try connection.prepare(SealedTable.identity.insert)
      _ = try connection.prepare(SealedTable.server.insert)
      var statement = try connection.prepare("PRAGMA quick_check(1)")
      guard try statement.step(), let found = statement.text(0) else { return false }
      return found.isEqual(to: "ok")
    } catch {
      guard error.isDamage else { throw error }
      return false
    }
  }

  /// Puts rows that are missing or damaged back, as their second copies have them. Copies of
  /// what has ended are erased.
  func bringBack(_ copies: CopyFile) throws(JournalError) {
    var offset: Int64 = 0
    while let record = copies.next(from: offset) {
      offset = record.end
      if try condition(record) == .inForce { continue }
      _ = try transaction { () throws(JournalError) in
        // Looked at again: another process may have queued it, or ended it, in this moment.
        switch try condition(record) {
        case .inForce: break
        case .ended: copies.erase(record)
        case .missing:
          if let image = copies.image(of: record) {
            try putBack(image, record)
          } else {
            copies.erase(record)
          }
        }
        return true
      }
    }
  }

  private enum Condition {
    case inForce, ended, missing
  }

  private func condition(_ record: CopyFile.Record) throws(JournalError) -> Condition {
    var statement = try connection.select(record.table, after: record.number - 1)
    guard try statement.stepsTo(record.number), statement.isSealed else {
      return .missing
    }
    guard let nonce = record.nonce, !statement.isPending else { return .inForce }
    if statement.integer(RowColumn.state) == Ending.damaged.rawValue { return .missing }
    // The number may be another's: then this one is left to a person.
    return statement.integer(RowColumn.nonce) == nonce ? .ended : .inForce
  }

  private func putBack(
    _ image: borrowing Secret, _ record: CopyFile.Record
  ) throws(JournalError) {
    let number = record.number
    if case .deactivation = record.table {
      try connection.run("DELETE FROM deactivation WHERE row = ?1", number)
    }
    do throws(JournalError) {
      try connection.insert(record.table, image, number)
      report.restoredCount += 1
      if case .deactivation = record.table { try markRestored(number) }
    } catch {
      // In an older file it may be the index that is damaged; in a new one, the license was queued
      // again under another ticket, which stands for both.
      guard isNew, error.isDuplicate else { throw error }
      copies?.erase(record)
      try bury(Ticket(row: number, nonce: UInt32(truncatingIfNeeded: record.nonce ?? 0)))
    }
  }

  @discardableResult
  private func markRestored(_ row: Int64) throws(JournalError) -> Secret {
    try connection.run("UPDATE deactivation SET restored = 1 WHERE row = ?1", row)
    return try connection.seal(.deactivation, row)
  }

  private func checkPending(_ copies: CopyFile) throws(JournalError) {
    var row: Int64 = 0
    while try checkPending(after: &row, copies, mends: false) {
      let before = row - 1
      _ = try transaction { () throws(JournalError) in
        var row = before
        return try checkPending(after: &row, copies, mends: true)
      }
    }
  }

  /// Goes to the first pending row that isn't sound or has no copy; `false` if there is none.
  private func checkPending(
    after row: inout Int64, _ copies: CopyFile, mends: Bool
  ) throws(JournalError) -> Bool {
    while true {
      var statement = try connection.selectPending(after: row)
      guard try statement.steps(past: row) else { return false }
      row = statement.integer(0)
      let ticket = statement.ticket
      let isSealed = statement.isSealed
      if isSealed, copies.find(ticket) != nil { continue }
      guard mends else { return true }
      statement.reset()
      guard isSealed else {
        try bury(ticket)
        return true
      }
      // Its copy is lost; or it had ended, and the end is.
      try copies.append(try markRestored(row))
      return true
    }
  }

  /// Ends a row that can't be had back as damaged. Nothing of it is kept: none of it can be
  /// trusted.
  func bury(_ ticket: Ticket) throws(JournalError) {
    try connection.run("DELETE FROM deactivation WHERE row = ?1", ticket.row)
    var statement = try connection.prepare(
      """
      INSERT INTO deactivation (row, nonce, state, product, hardware_id, way, queued_at, ended_at)
      VALUES (?1, ?2, 4, '', '', 0, 0, 0)
      """)
    try statement.bind(ticket.row)
    try statement.bind(Int64(ticket.nonce))
    try statement.run()
    try connection.seal(.deactivation, ticket.row)
    report.damagedCount += 1
  }
}
