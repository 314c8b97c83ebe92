internal import CSQLite
public import HandbackCore

extension SQLiteJournal: FlushJournal {
  public typealias Failure = JournalError

  public func next(
    after row: Int64, onlyDue: Bool, at now: Moment
  ) throws(JournalError) -> PendingDeactivation? {
    var last = row
    while true {
      // A row that ended is passed by the primary key alone, so that no index has to be written
      // for the sake of the search.
      var statement = try connection.selectPending(after: last)
      guard try statement.steps(past: last) else { return nil }
      last = statement.integer(0)
      // One that is damaged is passed too: `check` mends it, or tells that it can't be.
      guard try statement.isSealed else { continue }
      if onlyDue, DeactivationRow.waitLeft(statement, from: RowColumn.wait, at: now) > 0 {
        continue
      }
      seen = (last, statement.seal)
      return PendingDeactivation(
        ticket: statement.ticket, content(statement),
        attempts: Self.count(statement, RowColumn.attempts),
        openAttempts: Self.count(statement, RowColumn.openAttempts),
        failures: Self.count(statement, RowColumn.failures))
    }
  }

  /// The most that is counted: a forged or damaged one must not stop us by an overflow.
  private static let countMax: Int64 = 1_000_000_000

  private static func count(_ statement: borrowing SQLiteStatement, _ column: Int32) -> Int64 {
    min(max(statement.integer(column), 0), countMax)
  }

  private func content(_ statement: borrowing SQLiteStatement) -> PendingDeactivation.Content {
    do throws(SealProblem) {
      if let deactivation = try DeactivationRow.read(statement, sealing) {
        return .deactivation(deactivation)
      }
      // It has the right seal: it was so when an older format was brought to this one.
      return .sealed(Outcome(httpStatus: 0, code: "damaged_details", message: nil))
    } catch {
      var cause: Text?
      if case .noKey(let text) = sealing, case .keyMissing = error { cause = text }
      return .sealed(Outcome(httpStatus: 0, code: Text(error.name), message: cause))
    }
  }

  public func openAttempt(
    _ ticket: Ticket, at now: Moment
  ) throws(JournalError) -> Bool {
    let isOpened = try change(
      ticket, 1,
      """
      UPDATE deactivation SET attempts = min(attempts, 999999999) + ?1,
        open_attempts = min(open_attempts, 999999999) + ?1
      WHERE row = ?2 AND nonce = ?3 AND state = 0
      """, onlyAsSeen: true)
    if isOpened { seen = (ticket.row, changedSeal) }
    return isOpened
  }

  @discardableResult
  public func conclude(
    _ ticket: Ticket, _ change: RowChange, _ outcome: Outcome, server: ServerState?, at now: Moment
  ) throws(JournalError) -> Conclusion {
    var isAsSeen = true
    var isEnd = false
    let isChanged = try transaction { () throws(JournalError) in
      let seconds = server?.clock.seconds(at: now) ?? now.wallSeconds
      var change = change
      isAsSeen = try adapt(&change, to: ticket)
      let isChanged: Bool
      switch change {
      case .ended(let ending, let isInferred, let licenseSignature):
        isEnd = true
        isChanged = try end(
          ticket, ending, isInferred, licenseSignature, outcome, atSeconds: seconds)
      case .postponed(let wait, let failures, let isHeld, let openAttempts):
        isEnd = false
        isChanged = try postpone(
          ticket, wait, failures, isHeld, openAttempts, outcome, atSeconds: seconds)
      }
      if let server { try store(server) }
      return isChanged
    }
    if isEnd, isChanged { copies?.erase(ticket) }
    guard isChanged else { return .ended }
    seen = (ticket.row, changedSeal)
    return isAsSeen ? .written : .askedAgain
  }

  /// The answer to a request is about what was sent. `false` if the row was changed since, by who
  /// asked for it again or by a mending: then nothing but a plain success ends it.
  private func adapt(_ change: inout RowChange, to ticket: Ticket) throws(JournalError) -> Bool {
    var found = try connection.select(.deactivation, after: ticket.row - 1)
    guard try found.stepsTo(ticket.row), try found.isSealed else { throw JournalError.damagedRow() }
    guard found.ticket == ticket else { return true }
    if !found.isPending || isAsSeen(found) { return true }
    // This attempt is answered; what else is open stands in the row.
    var openAttempts = found.integer(RowColumn.openAttempts)
    switch change {
    case .ended(let ending, let isInferred, _):
      if ending == .deactivated, !isInferred { return false }
      // Inferred may also be that this one was sent twice: then it is still open.
      openAttempts = min(openAttempts, max(openAttempts - 1, isInferred ? 1 : 0))
    case .postponed(_, _, _, let openAfterwards):
      openAttempts = min(openAttempts, openAfterwards)
    }
    change = .postponed(
      nil, failures: found.integer(RowColumn.failures), isHeld: false, openAttempts: openAttempts)
    return false
  }

  private func end(
    _ ticket: Ticket, _ ending: Ending, _ isInferred: Bool, _ licenseSignature: Text?,
    _ outcome: Outcome, atSeconds now: Int64
  ) throws(JournalError) -> Bool {
    // A row that was withdrawn, or found damaged, while it was on its way stays so, unless the
    // server says that it did it.
    var statement = try connection.prepare(
      """
      UPDATE deactivation SET state = ?1, inferred = ?2, license_signature = ?3, ended_at = ?4,
        last_at = ?4, last_status = ?5, last_code = ?6, last_message = ?7,
        open_attempts = 0, held = 0, wait_ms = NULL, wait_end_ms = NULL, wait_boot = NULL,
        secret = NULL, fingerprint = NULL
      WHERE row = ?8 AND nonce = ?9 AND (state = 0 OR (state >= 3 AND ?1 = 1 AND ?2 = 0))
      """)
    try statement.bind(ending.rawValue)
    try statement.bind(isInferred ? 1 : 0 as Int64)
    try statement.bind(licenseSignature)
    try statement.bind(now)
    try bind(outcome, ticket, to: &statement)
    return try runAndSeal(&statement, ticket)
  }

  private func postpone(
    _ ticket: Ticket, _ wait: Wait?, _ failures: Int64, _ isHeld: Bool, _ openAttempts: Int64,
    _ outcome: Outcome, atSeconds now: Int64
  ) throws(JournalError) -> Bool {
    var statement = try connection.prepare(
      """
      UPDATE deactivation SET failures = ?1, held = ?2, open_attempts = ?3, wait_ms = ?4,
        wait_end_ms = ?5, wait_boot = ?6, last_at = ?7, last_status = ?8, last_code = ?9,
        last_message = ?10
      WHERE row = ?11 AND nonce = ?12 AND state = 0
      """)
    try statement.bind(failures)
    try statement.bind(isHeld ? 1 : 0 as Int64)
    try statement.bind(openAttempts)
    try bind(wait, to: &statement)
    try statement.bind(now)
    try bind(outcome, ticket, to: &statement)
    return try runAndSeal(&statement, ticket)
  }

  private func bind(
    _ outcome: Outcome, _ ticket: Ticket, to statement: inout SQLiteStatement
  ) throws(JournalError) {
    try statement.bind(outcome.httpStatus)
    try statement.bind(outcome.code)
    try statement.bind(outcome.message)
    try statement.bind(ticket.row)
    try statement.bind(Int64(ticket.nonce))
  }

  private func bind(
    _ wait: Wait?, to statement: inout SQLiteStatement
  ) throws(JournalError) {
    try statement.bind(wait?.milliseconds)
    try statement.bind(wait?.endBootMilliseconds)
    try statement.bind(wait?.bootID)
  }

  // MARK: - The server

  /// What is known of the server that is sent to. Of another one than before nothing is, and an
  /// attempt that the other one didn't answer proves nothing of this one: both are written down
  /// before anything is sent.
  public func serverState() throws(JournalError) -> ServerState {
    var isKnown = false
    let state = try readServerState(isKnown: &isKnown)
    guard !isKnown else { return state }
    _ = try transaction { () throws(JournalError) in
      try forgetOpenAttempts()
      try store(state)
      return true
    }
    return state
  }

  private func forgetOpenAttempts() throws(JournalError) {
    var last: Int64 = 0
    while true {
      var statement = try connection.selectPending(after: last)
      guard try statement.steps(past: last) else { return }
      last = statement.integer(0)
      guard statement.integer(RowColumn.openAttempts) > 0, try statement.isSealed else { continue }
      statement.reset()
      try connection.run("UPDATE deactivation SET open_attempts = 0 WHERE row = ?1", last)
      try connection.seal(.deactivation, last)
    }
  }

  public func readServerState() throws(JournalError) -> ServerState {
    var isKnown = false
    return try readServerState(isKnown: &isKnown)
  }

  private func readServerState(isKnown: inout Bool) throws(JournalError) -> ServerState {
    var statement = try connection.select(.server, after: 0)
    var isKept = try statement.step()
    isKnown = isKept && isAboutThisServer(statement)
    if !isOlder, isKept { isKept = try statement.isSealed }
    let floor = ServerClock.floorSeconds(stored: isKept ? statement.integer(6) : 0)
    guard isKept, isKnown else {
      return ServerState(
        clock: ServerClock(floorSeconds: floor, anchor: nil), failures: 0, wait: nil,
        reason: .none)
    }
    var anchor: ServerClock.Anchor?
    if let seconds = statement.integerOrNil(7) {
      anchor = ServerClock.Anchor(
        seconds: seconds, bootMilliseconds: statement.integer(8), bootID: statement.integer(9))
    }
    return ServerState(
      clock: ServerClock(floorSeconds: floor, anchor: anchor),
      failures: Self.count(statement, 1), wait: DeactivationRow.wait(statement, from: 3),
      reason: WaitReason(rawValue: statement.integer(2)) ?? .network)
  }

  /// Whether the row that is kept is about `serverAddress`; one of format 1 doesn't say.
  private func isAboutThisServer(_ statement: borrowing SQLiteStatement) -> Bool {
    guard let address = statement.text(10) else { return true }
    return address.isEmpty || address == serverAddress
  }

  private func store(_ server: ServerState) throws(JournalError) {
    var statement = try connection.prepare(
      """
      INSERT OR REPLACE INTO server (id, failures, reason, wait_ms, wait_end_ms, wait_boot,
        clock_floor, anchor_at, anchor_boot_ms, anchor_boot, address)
      VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
      """)
    try statement.bind(server.failures)
    try statement.bind(server.reason.rawValue)
    try bind(server.wait, to: &statement)
    try statement.bind(server.clock.floorSeconds)
    try statement.bind(server.clock.anchor?.seconds)
    try statement.bind(server.clock.anchor?.bootMilliseconds)
    try statement.bind(server.clock.anchor?.bootID)
    try statement.bind(serverAddress)
    try statement.run()
    try connection.seal(.server, 1)
  }
}
