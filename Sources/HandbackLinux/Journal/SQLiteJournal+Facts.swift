internal import CSQLite
public import HandbackCore

/// What the journal knows of one deactivation, without anything secret.
public final class DeactivationFacts: Sendable {
  public let ticket: Ticket
  public let state: State
  public let product: Text
  public let hardwareID: Text
  public let way: LicenseWay
  public let username: Text?
  public let licenseID: Int64?
  public let bundleCode: Text?
  public let queuedAtSeconds: Int64
  public let attempts: Int64
  public let openAttempts: Int64
  /// When the last attempt ended, and what came of it.
  public let lastAtSeconds: Int64?
  public let outcome: Outcome

  public enum State: Sendable {
    case pending(isHeld: Bool, Wait?)
    case ended(Ending, atSeconds: Int64, isInferred: Bool, licenseSignature: Text?)
  }

  /// The columns in the order of the statement below.
  init(_ statement: borrowing SQLiteStatement) {
    ticket = Ticket(
      row: statement.integer(0), nonce: UInt32(truncatingIfNeeded: statement.integer(1)))
    if let ending = Ending(rawValue: statement.integer(2)) {
      state = .ended(
        ending, atSeconds: statement.integer(20), isInferred: statement.integer(21) != 0,
        licenseSignature: statement.text(22))
    } else {
      state = .pending(
        isHeld: statement.integer(16) != 0, DeactivationRow.wait(statement, from: 17))
    }
    product = statement.text(3) ?? ""
    hardwareID = statement.text(4) ?? ""
    way = LicenseWay(rawValue: Int(statement.integer(5))) ?? .key
    username = statement.text(6)
    licenseID = statement.integerOrNil(7)
    bundleCode = statement.text(8)
    queuedAtSeconds = statement.integer(9)
    attempts = statement.integer(10)
    openAttempts = statement.integer(11)
    lastAtSeconds = statement.integerOrNil(12)
    outcome = Outcome(
      httpStatus: statement.integer(13), code: statement.text(14), message: statement.text(15))
  }
}

extension SQLiteJournal {
  /// The first row behind `row` in the order of queueing; only pending ones, or all.
  public func facts(
    after row: Int64, onlyPending: Bool
  ) throws(JournalError) -> DeactivationFacts? {
    do throws(SQLiteError) {
      var statement = try connection.prepare(
        """
        SELECT row, nonce, state, product, hardware_id, way, username, license_id, bundle_code,
          queued_at, attempts, open_attempts, last_at, last_status, last_code, last_message,
          held, wait_ms, wait_end_ms, wait_boot, ended_at, inferred, license_signature
        FROM deactivation WHERE row > ?1 AND state <= ?2 ORDER BY row LIMIT 1
        """)
      try statement.bind(row)
      try statement.bind(onlyPending ? 0 : 3 as Int64)
      guard try statement.step() else { return nil }
      return DeactivationFacts(statement)
    } catch {
      throw JournalError(error)
    }
  }

  /// The one that a ticket names, pending or ended.
  public func facts(of ticket: Ticket) throws(JournalError) -> DeactivationFacts? {
    guard let found = try facts(after: ticket.row - 1, onlyPending: false),
      found.ticket == ticket
    else { return nil }
    return found
  }

  public func pendingCount() throws(JournalError) -> Int64 {
    try integer("SELECT count(*) FROM deactivation WHERE state = 0")
  }
}
