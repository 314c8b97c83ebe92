internal import CSQLite
public import HandbackCore

extension SQLiteJournal {
  /// What queueing found.
  public struct Queued: Sendable {
    public let ticket: Ticket
    /// `false` if the same license was pending already: scripts repeat themselves.
    public let isNew: Bool
  }

  /// Accepts a deactivation. On return it is durable.
  ///
  /// Asked again for the same license while one is pending, it keeps the row and takes over what
  /// is new: a password or a token, or a field that was wrong. Then it is due at once.
  public func queue(
    _ deactivation: Deactivation, nonce: UInt32, atSeconds now: Int64
  ) throws(JournalError) -> Queued {
    try holdReserve()
    let plain = deactivation.fingerprint()
    let fingerprint = fingerprint(deactivation, plain)
    var queued: Queued?
    var isChecked = false
    var isSecond = false
    do throws(JournalError) {
      _ = try transaction(isAccepting: true) { () throws(JournalError) in
        // What was mended for it may have needed the reserve.
        if isSecond, !Reserve.isHeld(path) {
          throw JournalError(.sqlite, Int64(SQLITE_FULL), "the disk is full")
        }
        isSecond = true
        // A process that waited here may have been left a row's copy by one that was killed. Once:
        // what can't be read now must not keep others out.
        if !isChecked, try isBehindCopies() {
          isChecked = true
          throw JournalError.damagedRow()
        }
        // One that was queued before there was a key has a plain fingerprint.
        var found = try find(fingerprint)
        if found == nil { found = try find(plain) }
        if let ticket = found {
          queued = Queued(ticket: ticket, isNew: false)
        } else {
          try insert(deactivation, fingerprint, nonce: nonce, atSeconds: now)
          let ticket = Ticket(row: connection.lastInsertedRow, nonce: nonce)
          queued = Queued(ticket: ticket, isNew: true)
        }
        if let queued { try store(deactivation, fingerprint, queued) }
        return true
      }
    } catch {
      if let queued, queued.isNew {
        // For good: no row says that it isn't to be sent.
        copies?.erase(queued.ticket)
        copies?.sync()
      }
      throw error
    }
    guard let queued else { preconditionFailure("the transaction sets it") }
    if queued.isNew { try? enroll() }
    // Who commits once a process never comes to reset the WAL: it would grow, and be copied whole
    // into the file at each commit.
    if Reserve.size(path + "-wal") > 160 * 1024 { _ = try? emptyWAL() }
    return queued
  }

  private func find(
    _ fingerprint: InlineArray<16, UInt8>
  ) throws(JournalError) -> Ticket? {
    var statement = try connection.prepare("SELECT row FROM deactivation WHERE fingerprint = ?1")
    try statement.bind(fingerprint)
    guard try statement.step() else { return nil }
    let row = statement.integer(0)
    statement.reset()
    var found = try connection.select(.deactivation, after: row - 1)
    // What is damaged is mended first: it must not stand for what is asked for now.
    guard try found.stepsTo(row), found.isPending, try found.isSealed else {
      throw JournalError.damagedRow()
    }
    // The index is no row, and has no seal.
    guard found.isEqual(RowColumn.fingerprint, to: fingerprint) else {
      throw JournalError(.sqlite, Int64(SQLITE_CORRUPT), "an index names another row")
    }
    return found.ticket
  }

  /// What finds the same license again. Of a user's license nothing secret is in it.
  private func fingerprint(
    _ deactivation: Deactivation, _ plain: InlineArray<16, UInt8>
  ) -> InlineArray<16, UInt8> {
    guard case .key(let cipher) = sealing, deactivation.credential.way != .user else {
      return plain
    }
    return cipher.fingerprint(plain)
  }

  /// Writes the secret, which is newer where the row is older, and then the row's copy. A call
  /// without a password keeps the one that is there.
  private func store(
    _ deactivation: Deactivation, _ fingerprint: InlineArray<16, UInt8>, _ queued: Queued
  ) throws(JournalError) {
    // Unchanged, the row is not written: a repeated call costs no flash.
    var hasNewDetails = false
    if !queued.isNew {
      // Without a copy, it may have ended, and the end be lost: then it is marked first.
      if let copies, copies.find(queued.ticket) == nil, copies.isReadable {
        throw JournalError.damagedRow()
      }
      // A sealed secret is bound to what stands beside it: without it, that stays too.
      let secret: Void? = deactivation.credential.withSecret { _ in }
      let isBound = try secret == nil ? hasSealedSecret(queued.ticket.row) : false
      if !isBound { hasNewDetails = try storeDetails(deactivation, queued.ticket.row) }
    }
    var statement = try connection.prepare(
      """
      UPDATE deactivation SET secret = ?1, fingerprint = ?2, held = 0, wait_ms = NULL,
        wait_end_ms = NULL, wait_boot = NULL
      WHERE row = ?3 AND ?1 IS NOT NULL AND secret IS NOT ?1
      """)
    try bindSecret(deactivation, queued.ticket.row, to: &statement)
    try statement.bind(fingerprint)
    try statement.bind(queued.ticket.row)
    try statement.run()
    if !queued.isNew {
      guard hasNewDetails || connection.changedRowCount == 1 else { return }
    }
    let before = queued.isNew ? nil : copies?.find(queued.ticket)
    // Durable before the row is: at no time is the row alone.
    try copies?.append(
      try connection.seal(.deactivation, queued.ticket.row), Reserve.roster(path))
    if let before { copies?.erase(before) }
  }

  private func hasSealedSecret(_ row: Int64) throws(JournalError) -> Bool {
    var statement = try connection.select(.deactivation, after: row - 1)
    return try statement.stepsTo(row) ? statement.sealedSecret != nil : false
  }

  /// Writes what neither finds the row again nor is secret; `false` if it is as the row has it.
  private func storeDetails(
    _ deactivation: Deactivation, _ row: Int64
  ) throws(JournalError) -> Bool {
    var statement = try connection.prepare(
      """
      UPDATE deactivation SET redirect_uri = ?1, sdk_ver = ?2, consumptions = ?3, held = 0,
        wait_ms = NULL, wait_end_ms = NULL, wait_boot = NULL
      WHERE row = ?4
        AND (redirect_uri IS NOT ?1 OR sdk_ver IS NOT ?2 OR consumptions IS NOT ?3)
      """)
    var redirectURI: Text?
    switch deactivation.credential {
    case .code(let grant): redirectURI = grant.redirectURI?.text
    case .key: break
    case .user: break
    case .userWithPassword: break
    case .idToken: break
    }
    try statement.bind(redirectURI)
    try statement.bind(deactivation.details.sdkVersion?.text)
    try statement.bind(deactivation.details.consumptions)
    try statement.bind(row)
    try statement.run()
    return connection.changedRowCount == 1
  }

  private func insert(
    _ deactivation: Deactivation, _ fingerprint: InlineArray<16, UInt8>,
    nonce: UInt32, atSeconds now: Int64
  ) throws(JournalError) {
    // Nothing is left to the table's defaults: they stand in the file, and a bit may turn there.
    var statement = try connection.prepare(
      """
      INSERT INTO deactivation (fingerprint, nonce, product, hardware_id, way, username,
        customer_account_code, redirect_uri, license_id, bundle_code, sdk_ver, consumptions,
        queued_at, state, attempts, open_attempts, failures, held, inferred, restored)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, 0, 0, 0, 0, 0, 0)
      """)
    try statement.bind(fingerprint)
    try statement.bind(Int64(nonce & Ticket.nonceMask))
    try statement.bind(deactivation.product.text)
    try statement.bind(deactivation.hardwareID.text)
    try statement.bind(Int64(deactivation.credential.way.rawValue))
    try bindNames(deactivation, to: &statement)
    try statement.bind(deactivation.details.licenseID)
    try statement.bind(deactivation.details.bundleCode?.text)
    try statement.bind(deactivation.details.sdkVersion?.text)
    try statement.bind(deactivation.details.consumptions)
    try statement.bind(now)
    try statement.run()
    // The number is the next one only if the one before it isn't damaged.
    let before = connection.lastInsertedRow - 1
    guard before > 0 else { return }
    var found = try connection.select(.deactivation, after: before - 1)
    guard try found.stepsTo(before), try found.isSealed else { throw JournalError.damagedRow() }
  }

  /// As it is, the secret is bound in place: it lives as long as the deactivation, past the step.
  private func bindSecret(
    _ deactivation: Deactivation, _ row: Int64, to statement: inout SQLiteStatement
  ) throws(JournalError) {
    let bound: Void? = try deactivation.credential.withSecret { secret throws(JournalError) in
      guard case .key(let cipher) = sealing else { return try statement.bind(inPlace: secret) }
      try statement.bind(try seal(secret, row, cipher))
    }
    if bound == nil { try statement.bindNull() }
  }

  /// The secret sealed for the row. Anew it would have another nonce, so what the row has is taken
  /// if it is right.
  private func seal(
    _ secret: borrowing Secret, _ row: Int64, _ cipher: CredentialCipher
  ) throws(JournalError) -> Text {
    var statement = try connection.select(.deactivation, after: row - 1)
    guard try statement.stepsTo(row) else { throw JournalError.damagedRow() }
    let sealedRow = try statement.sealedRow()
    if let before = statement.sealedSecret,
      let opened = try? cipher.open(before, for: sealedRow), opened.isEqual(to: secret)
    {
      return before
    }
    guard let sealed = cipher.seal(secret, for: sealedRow) else { throw JournalError(.cannotSeal) }
    return sealed
  }

  /// `username`, `customer_account_code`, `redirect_uri`.
  private func bindNames(
    _ deactivation: Deactivation, to statement: inout SQLiteStatement
  ) throws(JournalError) {
    var username: Text?
    var customerAccountCode: Text?
    var redirectURI: Text?
    switch deactivation.credential {
    case .key: break
    case .user(let name): username = name.text
    case .userWithPassword(let login): username = login.name.text
    case .idToken(let grant): customerAccountCode = grant.customerAccountCode.text
    case .code(let grant):
      customerAccountCode = grant.customerAccountCode.text
      redirectURI = grant.redirectURI?.text
    }
    try statement.bind(username)
    try statement.bind(customerAccountCode)
    try statement.bind(redirectURI)
  }

  /// Ends a deactivation because a person says so: one that is pending, or that is damaged and
  /// known to be now. `false` if it is neither.
  public func withdraw(
    _ ticket: Ticket, atSeconds now: Int64
  ) throws(JournalError) -> Bool {
    let isWithdrawn = try change(
      ticket, now,
      """
      UPDATE deactivation SET state = 3, ended_at = ?1, secret = NULL, fingerprint = NULL,
        held = 0, wait_ms = NULL, wait_end_ms = NULL, wait_boot = NULL
      WHERE row = ?2 AND nonce = ?3 AND state IN (0, 4)
      """)
    if isWithdrawn { copies?.erase(ticket) }
    return isWithdrawn
  }

  /// Forgets a pending deactivation's own wait; `false` if it isn't pending.
  public func makeDue(_ ticket: Ticket) throws(JournalError) -> Bool {
    try change(
      ticket, 0,
      """
      UPDATE deactivation SET held = ?1, wait_ms = NULL, wait_end_ms = NULL, wait_boot = NULL
      WHERE row = ?2 AND nonce = ?3 AND state = 0
      """)
  }

  /// Changes a row that is sound, and seals it again; `false` if no row is as the statement wants.
  func change(
    _ ticket: Ticket, _ value: Int64, _ sql: Literal, onlyAsSeen: Bool = false
  ) throws(JournalError) -> Bool {
    try transaction { () throws(JournalError) in
      var found = try connection.select(.deactivation, after: ticket.row - 1)
      guard try found.stepsTo(ticket.row) else {
        // No row is ever removed.
        if onlyAsSeen { throw JournalError.damagedRow() }
        return false
      }
      guard found.ticket == ticket else { return false }
      guard try found.isSealed else { throw JournalError.damagedRow() }
      if onlyAsSeen, !isAsSeen(found) { return false }
      found.reset()
      var statement = try connection.prepare(sql)
      try statement.bind(value)
      try statement.bind(ticket.row)
      try statement.bind(Int64(ticket.nonce))
      return try runAndSeal(&statement, ticket)
    }
  }

  /// Runs a change of one row, and seals it; `false` if the row was not as it has to be.
  func runAndSeal(
    _ statement: inout SQLiteStatement, _ ticket: Ticket
  ) throws(JournalError) -> Bool {
    try statement.run()
    guard connection.changedRowCount == 1 else { return false }
    changedSeal = RowImage.seal(try connection.seal(.deactivation, ticket.row))
    return true
  }

  /// Whether a row is as `next` gave it, or as it was changed here since.
  func isAsSeen(_ found: borrowing SQLiteStatement) -> Bool {
    guard let seen, seen.row == found.integer(RowColumn.row) else { return true }
    return found.hasSeal(seen.seal)
  }

  /// Whether room for settling and withdrawing is kept on the disk.
  public var hasReserve: Bool { Reserve.isHeld(path) }

  /// Empties the WAL into the file: after a settlement, so that no erased secret stays in it, and
  /// after a try, so that damage to its end can't undo what was learned.
  /// `false`, and left to the next one, if a reader is in the way.
  @discardableResult
  public func checkpoint() throws(JournalError) -> Bool {
    copies?.trim()
    copies?.sync()
    let isDone = try emptyWAL()
    // There may be room again for what a full disk took.
    if !isNew { try? holdReserve() }
    return isDone
  }

  /// While it waits for a reader nobody can write, and `deactivate` would wait with it: not long.
  /// > it blocks (calls the busy-handler callback) until all readers are reading from the database
  /// > file only. https://www.sqlite.org/c3ref/wal_checkpoint_v2.html
  func emptyWAL() throws(JournalError) -> Bool {
    connection.setBusyTimeout(milliseconds: 300)
    defer { connection.setBusyTimeout(milliseconds: SQLiteConnection.busyMilliseconds) }
    return try integer("PRAGMA wal_checkpoint(TRUNCATE)") == 0
  }
}
