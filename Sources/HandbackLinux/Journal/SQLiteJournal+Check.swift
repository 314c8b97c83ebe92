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
    defer {
      isMending = false
      nonces = nil
    }
    let file = try Self.inode(path)
    var isDamaged = isDamaged
    if connection.isReplaced {
      try reconnect()
      isDamaged = false
    }
    if !isDamaged { isDamaged = try !isWhole() }
    do throws(JournalError) {
      if isDamaged { try rebuild(file) }
      try compare(with: copies)
      try enroll()
    } catch {
      // Damage that shows in writing only.
      guard error.isDamage, !isDamaged else { throw error }
      try rebuild(file)
      try compare(with: copies)
      try enroll()
    }
    if report.damagedCount > 0 { report.damagedCount = try damagedCount() }
  }

  private func rebuild(_ file: UInt64) throws(JournalError) {
    if !isSuspect { isSuspect = try Reserve.isKnown(path) }
    try Self.rebuild(path, file, &report)
    try reconnect()
  }

  private func compare(with copies: CopyFile) throws(JournalError) {
    try bringBack(copies)
    do throws(JournalError) {
      try copyIdentities(copies)
    } catch {
      // As with rows: on a full disk the journal's own is as good.
      guard error.isFull else { throw error }
    }
    let newest = try newestRow(copies)
    try removeStrays(behind: newest)
    try checkRows(upTo: newest, copies)
  }

  /// Whether SQLite finds pages, records and tables as they have to be.
  private func isWhole() throws(JournalError) -> Bool {
    do throws(JournalError) {
      _ = try connection.prepare(SealedTable.deactivation.insert)
      _ = try connection.prepare(SealedTable.identity.insert)
      _ = try connection.prepare(SealedTable.server.insert)
      // Indexes too: a license is found by one.
      var statement = try connection.prepare("PRAGMA integrity_check(1)")
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
    guard try needsBringingBack(copies, mends: false) else { return }
    let restoredCount = report.restoredCount
    _ = try transaction { () throws(JournalError) in
      // Looked at again: another process may have queued one, or ended it, in this moment; and
      // it may be the second try.
      report.restoredCount = restoredCount
      return try needsBringingBack(copies, mends: true)
    }
  }

  /// Whether a row isn't as its second copy has it; puts all such rows back.
  private func needsBringingBack(_ copies: CopyFile, mends: Bool) throws(JournalError) -> Bool {
    var offset: Int64 = 0
    while let record = copies.next(from: offset) {
      offset = record.end
      let condition = try condition(record)
      // What can't be read now may be another time.
      if condition == .inForce || !copies.canRead(record) { continue }
      guard mends else { return true }
      if condition == .missing, let image = try copies.image(of: record) {
        try putBack(image, record)
      } else {
        copies.erase(record)
      }
    }
    return mends
  }

  private enum Condition {
    case inForce, ended, missing
  }

  private func condition(_ record: CopyFile.Record) throws(JournalError) -> Condition {
    var statement = try connection.select(record.table, after: record.number - 1)
    guard try statement.stepsTo(record.number), try statement.isSealed else { return .missing }
    guard let nonce = record.nonce else { return .inForce }
    if statement.integer(RowColumn.state) == Ending.damaged.rawValue { return .missing }
    if statement.integer(RowColumn.nonce) == nonce {
      return statement.isPending ? .inForce : .ended
    }
    // The number may be another's: then this one is left to a person. Or it is damaged.
    return copies?.isDamaged(record) == true ? .ended : .inForce
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

  /// An attempt that it says is unanswered may have been answered: "no such device" proves nothing
  /// any more.
  @discardableResult
  private func markRestored(_ row: Int64) throws(JournalError) -> Secret {
    try connection.run(
      "UPDATE deactivation SET restored = 1, open_attempts = 0 WHERE row = ?1", row)
    return try connection.seal(.deactivation, row)
  }

  /// Makes the second copies of pins that have none that is whole. A damaged one that has the seal
  /// of another is that one, under a number that was damaged.
  private func copyIdentities(_ copies: CopyFile) throws(JournalError) {
    var number: Int64 = 0
    while true {
      var statement = try connection.select(.identity, after: number)
      guard try statement.steps(past: number) else { return }
      number = statement.integer(0)
      guard try statement.isSealed else {
        statement.reset()
        _ = try transaction { () throws(JournalError) in
          var found = try connection.select(.identity, after: number - 1)
          guard try found.stepsTo(number), try !found.isSealed else { return false }
          found.reset()
          try connection.run(
            """
            DELETE FROM identity WHERE number = ?1
              AND seal IN (SELECT seal FROM identity WHERE number <> ?1)
            """, number)
          return true
        }
        continue
      }
      let record = copies.find(number, nil)
      if copies.isWhole(record) { continue }
      guard copies.isReadable else {
        report.isCopyUnreadable = true
        continue
      }
      statement.reset()
      // The reserve is not for this.
      _ = try transaction(isAccepting: true) { () throws(JournalError) in
        var found = try connection.select(.identity, after: number - 1)
        guard try found.stepsTo(number), try found.isSealed else { return false }
        try copies.append(try found.image(columnCount: found.columnCount - 1), nil)
        if let record { copies.erase(record) }
        return true
      }
    }
  }

  /// What a look at all rows is for.
  private enum RowCheck {
    /// Tells whether there is anything to mend.
    case look
    /// Ends what is lost, and marks what has no copy.
    case mark
    /// Makes the copies that are missing.
    case copy
  }

  private func checkRows(upTo newest: Int64, _ copies: CopyFile) throws(JournalError) {
    var change = CopyChange()
    guard try needsMending(upTo: newest, copies, .look, &change) else { return }
    // Marked for good first: with its copy, a row looks sound.
    _ = try transaction { () throws(JournalError) in
      try needsMending(upTo: newest, copies, .mark, &change)
    }
    do throws(JournalError) {
      try makeCopies(upTo: newest, copies)
    } catch {
      // On a full disk what has no copy is sent all the same.
      guard error.isFull else { throw error }
    }
  }

  private func makeCopies(
    upTo newest: Int64, _ copies: CopyFile
  ) throws(JournalError) {
    var change = CopyChange()
    // The reserve is not for them: it is kept for what has to be ended.
    _ = try transaction(isAccepting: true) { () throws(JournalError) in
      copies.trim()
      change = CopyChange()
      do throws(JournalError) {
        _ = try needsMending(upTo: newest, copies, .copy, &change)
        try copies.makeDurable()
      } catch {
        copies.erase(change.added)
        throw error
      }
      // Their heads say that the rows haven't ended, until others do.
      copies.erase(change.replaced)
      return true
    }
  }

  /// What was done to the second copies, to be ended or undone: places of records.
  private struct CopyChange {
    var added: [Int64] = []
    /// Damaged ones, in whose place those are.
    var replaced: [Int64] = []
  }

  /// Whether a row is missing or isn't sound, or is pending and has no copy that is whole; does
  /// with all such rows what `check` says.
  private func needsMending(
    upTo newest: Int64, _ copies: CopyFile, _ check: RowCheck, _ change: inout CopyChange
  ) throws(JournalError) -> Bool {
    var places = CopyPlaces(copies)
    var statement = try connection.select(.deactivation, after: 0)
    var row: Int64 = 0
    var isReadable: Bool?
    while true {
      let isThere = try statement.stepsTo(row + 1)
      guard isThere || row < newest else { return false }
      row += 1
      let isSealed = try isThere ? statement.isSealed : false
      let ticket = isThere ? statement.ticket : Ticket(row: row, nonce: 0)
      let isPending = isSealed && statement.isPending
      let isMarked =
        statement.integer(RowColumn.restored) != 0
        && statement.integer(RowColumn.openAttempts) == 0
      statement.reset()
      try statement.bind(row)
      try statement.bind(0 as Int64)
      if isSealed, !isPending { continue }
      let copy = isSealed ? places.find(ticket, copies) : nil
      if isSealed {
        if copies.isWhole(copy) { continue }
        // What can't be read now may be there.
        let readable = isReadable ?? copies.isReadable
        isReadable = readable
        if !readable {
          report.isCopyUnreadable = true
          continue
        }
      }
      switch check {
      case .look: return true
      case .mark:
        if !isSealed {
          try bury(ticket)
        } else if copy == nil, !isMarked {
          // Where a copy's head is left, it hasn't ended. Else the copy is lost; or it had ended,
          // and the end is.
          try markRestored(row)
        }
      case .copy:
        var found = try connection.select(.deactivation, after: row - 1)
        guard try found.stepsTo(row), try found.isSealed else { throw JournalError.damagedRow() }
        change.added.append(
          try copies.append(
            try found.image(columnCount: found.columnCount - 1), Reserve.roster(copies.journal),
            isOneOfMany: true))
        if let copy { change.replaced.append(copy.offset) }
      }
    }
  }

  /// Ends a row that can't be had back as damaged. Nothing of it is kept: none of it can be
  /// trusted, its ticket neither where another file knows better.
  func bury(_ ticket: Ticket) throws(JournalError) {
    try connection.run("DELETE FROM deactivation WHERE row = ?1", ticket.row)
    var statement = try connection.prepare(
      """
      INSERT INTO deactivation (row, nonce, state, product, hardware_id, way, queued_at, ended_at,
        attempts, open_attempts, failures, held, inferred, restored)
      VALUES (?1, ?2, 4, '', '', 0, 0, 0, 0, 0, 0, 0, 0, 0)
      """)
    try statement.bind(ticket.row)
    try statement.bind(Int64(nonce(of: ticket.row) ?? ticket.nonce))
    try statement.run()
    try connection.seal(.deactivation, ticket.row)
    report.damagedCount += 1
  }
}
