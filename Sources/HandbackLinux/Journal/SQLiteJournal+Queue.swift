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
    let fingerprint = deactivation.fingerprint()
    return try transaction { () throws(SQLiteError) in
      if let ticket = try find(fingerprint) {
        try renew(ticket.row, deactivation)
        return Queued(ticket: ticket, isNew: false)
      }
      try insert(deactivation, fingerprint, nonce: nonce, atSeconds: now)
      let row = connection.lastInsertedRow
      return Queued(ticket: Ticket(row: row, nonce: nonce), isNew: true)
    }
  }

  private func find(
    _ fingerprint: InlineArray<16, UInt8>
  ) throws(SQLiteError) -> Ticket? {
    var statement = try connection.prepare(
      "SELECT row, nonce FROM deactivation WHERE fingerprint = ?1")
    try statement.bind(fingerprint)
    guard try statement.step() else { return nil }
    return Ticket(
      row: statement.integer(0), nonce: UInt32(truncatingIfNeeded: statement.integer(1)))
  }

  private func renew(
    _ row: Int64, _ deactivation: Deactivation
  ) throws(SQLiteError) {
    // Unchanged, the row is not written: a repeated call costs no flash.
    var statement = try connection.prepare(
      "UPDATE deactivation SET secret = ?1 WHERE row = ?2 AND secret IS NOT ?1")
    try bindSecret(deactivation, to: &statement)
    try statement.bind(row)
    try statement.run()
  }

  private func insert(
    _ deactivation: Deactivation, _ fingerprint: InlineArray<16, UInt8>,
    nonce: UInt32, atSeconds now: Int64
  ) throws(SQLiteError) {
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
  ) throws(SQLiteError) {
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
  ) throws(SQLiteError) {
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

  /// Ends a pending deactivation because a person says so; `false` if it isn't pending.
  public func withdraw(
    _ ticket: Ticket, atSeconds now: Int64
  ) throws(JournalError) -> Bool {
    try changePending(
      ticket, now,
      """
      UPDATE deactivation SET state = 3, ended_at = ?1, secret = NULL, fingerprint = NULL,
        held = 0, wait_ms = NULL, wait_end_ms = NULL, wait_boot = NULL
      WHERE row = ?2 AND nonce = ?3 AND state = 0
      """)
  }

  /// Forgets a pending deactivation's own wait; `false` if it isn't pending.
  public func makeDue(_ ticket: Ticket) throws(JournalError) -> Bool {
    try changePending(
      ticket, 0,
      """
      UPDATE deactivation SET held = ?1, wait_ms = NULL, wait_end_ms = NULL, wait_boot = NULL
      WHERE row = ?2 AND nonce = ?3 AND state = 0
      """)
  }

  private func changePending(
    _ ticket: Ticket, _ value: Int64, _ sql: Literal
  ) throws(JournalError) -> Bool {
    try transaction { () throws(SQLiteError) in
      var statement = try connection.prepare(sql)
      try statement.bind(value)
      try statement.bind(ticket.row)
      try statement.bind(Int64(ticket.nonce))
      try statement.run()
      return connection.changedRowCount == 1
    }
  }

  /// Empties the WAL into the file: after a settlement, so that no erased secret stays in it.
  /// Left to the next one if a reader is in the way.
  public func checkpoint() throws(JournalError) {
    _ = try integer("PRAGMA wal_checkpoint(TRUNCATE)")
  }
}
