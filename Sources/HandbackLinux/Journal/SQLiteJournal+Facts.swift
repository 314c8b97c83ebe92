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
  /// It was brought back after damage: attempts may have been made that are not counted here.
  public let isRestored: Bool
  /// Its row is damaged, or was: nothing but the ticket and its end is known.
  public let isUnknown: Bool

  public enum State: Sendable {
    case pending(isHeld: Bool, Wait?)
    case ended(Ending, atSeconds: Int64, isInferred: Bool, licenseSignature: Text?)
  }

  /// One of which nothing can be trusted.
  init(damaged ticket: Ticket) {
    self.ticket = ticket
    state = .ended(.damaged, atSeconds: 0, isInferred: false, licenseSignature: nil)
    product = ""
    hardwareID = ""
    way = .key
    username = nil
    licenseID = nil
    bundleCode = nil
    queuedAtSeconds = 0
    attempts = 0
    openAttempts = 0
    lastAtSeconds = nil
    outcome = Outcome(httpStatus: 0, code: nil, message: nil)
    isRestored = false
    isUnknown = true
  }

  init(_ statement: borrowing SQLiteStatement) {
    ticket = statement.ticket
    if let ending = Ending(rawValue: statement.integer(RowColumn.state)) {
      state = .ended(
        ending, atSeconds: statement.integer(RowColumn.endedAt),
        isInferred: statement.integer(RowColumn.inferred) != 0,
        licenseSignature: statement.text(RowColumn.licenseSignature))
    } else {
      state = .pending(
        isHeld: statement.integer(RowColumn.held) != 0,
        DeactivationRow.wait(statement, from: RowColumn.wait))
    }
    product = statement.text(RowColumn.product) ?? ""
    hardwareID = statement.text(RowColumn.hardwareID) ?? ""
    way = LicenseWay(rawValue: Int(clamping: statement.integer(RowColumn.way))) ?? .key
    username = statement.text(RowColumn.username)
    licenseID = statement.integerOrNil(RowColumn.licenseID)
    bundleCode = statement.text(RowColumn.bundleCode)
    queuedAtSeconds = statement.integer(RowColumn.queuedAt)
    attempts = statement.integer(RowColumn.attempts)
    openAttempts = statement.integer(RowColumn.openAttempts)
    lastAtSeconds = statement.integerOrNil(RowColumn.lastAt)
    outcome = Outcome(
      httpStatus: statement.integer(RowColumn.lastStatus),
      code: statement.text(RowColumn.lastCode), message: statement.text(RowColumn.lastMessage))
    isRestored = statement.integer(RowColumn.restored) != 0
    // What is kept of a damaged one has none, and no other is without.
    isUnknown = product.isEmpty
  }
}

extension SQLiteJournal {
  /// The first row behind `row` in the order of queueing; only those that need care, pending or
  /// damaged, or all. One that isn't what was written counts as damaged.
  public func facts(
    after row: Int64, onlyPending: Bool
  ) throws(JournalError) -> DeactivationFacts? {
    var statement = try connection.select(
      .deactivation, after: row, state: onlyPending ? Ending.damaged.rawValue : 0)
    guard try statement.steps(past: row) else { return nil }
    guard try isOlder ? true : statement.isSealed else {
      return DeactivationFacts(damaged: statement.ticket)
    }
    return DeactivationFacts(statement)
  }

  /// The one that a ticket names, pending or ended.
  public func facts(of ticket: Ticket) throws(JournalError) -> DeactivationFacts? {
    guard let found = try facts(after: ticket.row - 1, onlyPending: false),
      found.ticket == ticket
    else { return nil }
    return found
  }

  /// How many can be had back from neither file, and were not withdrawn yet.
  public func damagedCount() throws(JournalError) -> Int64 {
    try integer("SELECT count(*) FROM deactivation WHERE state = 4")
  }
}
