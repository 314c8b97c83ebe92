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
  /// Asked again for the same license while one is pending, it keeps the row and takes over the
  /// secret, since a password or a token may be newer.
  public func queue(
    _ deactivation: Deactivation, nonce: UInt32, atSeconds now: Int64
  ) throws(JournalError) -> Queued {
    try Reserve.hold(path)
    let fingerprint = deactivation.fingerprint()
    var queued: Queued?
    do throws(JournalError) {
      _ = try transaction(isAccepting: true) { () throws(JournalError) in
        if let ticket = try find(fingerprint) {
          try renew(ticket, deactivation)
          queued = Queued(ticket: ticket, isNew: false)
          return true
        }
        try insert(deactivation, fingerprint, nonce: nonce, atSeconds: now)
        let row = connection.lastInsertedRow
        let ticket = Ticket(row: row, nonce: nonce)
        queued = Queued(ticket: ticket, isNew: true)
        // Durable before the row is: at no time is the row alone.
        try copies?.append(try connection.seal(.deactivation, row), Reserve.roster(path))
        return true
      }
    } catch {
      if let queued, queued.isNew { copies?.erase(queued.ticket) }
      throw error
    }
    guard let queued else { preconditionFailure("the transaction sets it") }
    if queued.isNew { try? enroll() }
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
    guard try found.stepsTo(row), found.isPending, found.isSealed else {
      throw JournalError.damagedRow()
    }
    return found.ticket
  }

  private func renew(_ ticket: Ticket, _ deactivation: Deactivation) throws(JournalError) {
    // Unchanged, the row is not written: a repeated call costs no flash.
    var statement = try connection.prepare(
      "UPDATE deactivation SET secret = ?1 WHERE row = ?2 AND secret IS NOT ?1")
    try bindSecret(deactivation, to: &statement)
    try statement.bind(ticket.row)
    try statement.run()
    guard connection.changedRowCount == 1 else { return }
    copies?.erase(ticket)
    try copies?.append(try connection.seal(.deactivation, ticket.row), Reserve.roster(path))
  }

  private func insert(
    _ deactivation: Deactivation, _ fingerprint: InlineArray<16, UInt8>,
    nonce: UInt32, atSeconds now: Int64
  ) throws(JournalError) {
    var statement = try connection.prepare(
      """
      INSERT INTO deactivation (secret, fingerprint, nonce, product, hardware_id, way, username,
        customer_account_code, redirect_uri, license_id, bundle_code, sdk_ver, consumptions,
        queued_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
      """)
    try bindSecret(deactivation, to: &statement)
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
  }

  /// The secret is bound in place: it lives as long as the deactivation, past the step.
  private func bindSecret(
    _ deactivation: Deactivation, to statement: inout SQLiteStatement
  ) throws(JournalError) {
    switch deactivation.credential {
    case .key(let key): try statement.bind(inPlace: key)
    case .user: try statement.bindNull()
    case .userWithPassword(let login): try statement.bind(inPlace: login.password)
    case .idToken(let grant): try statement.bind(inPlace: grant.token)
    case .code(let grant): try statement.bind(inPlace: grant.code)
    }
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
    _ ticket: Ticket, _ value: Int64, _ sql: Literal
  ) throws(JournalError) -> Bool {
    try transaction { () throws(JournalError) in
      var found = try connection.select(.deactivation, after: ticket.row - 1)
      guard try found.stepsTo(ticket.row), found.ticket == ticket else { return false }
      guard found.isSealed else {
        throw JournalError.damagedRow()
      }
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
    try connection.seal(.deactivation, ticket.row)
    return true
  }

  /// Empties the WAL into the file: after a settlement, so that no erased secret stays in it.
  /// `false`, and left to the next one, if a reader is in the way.
  @discardableResult
  public func checkpoint() throws(JournalError) -> Bool {
    copies?.sync()
    let isDone = try emptyWAL()
    // There may be room again for what a full disk took.
    if !isNew { try? Reserve.hold(path) }
    return isDone
  }

  func emptyWAL() throws(JournalError) -> Bool {
    try integer("PRAGMA wal_checkpoint(TRUNCATE)") == 0
  }
}
