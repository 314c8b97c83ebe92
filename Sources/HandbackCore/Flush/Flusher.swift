/// Sends what the journal holds, one deactivation after the other, and writes down what became
/// of each: in the order of queueing, beginning behind the one that ended the last pass, so that
/// one which ends each pass keeps no other from being sent. It decides and remembers; it neither
/// sleeps nor talks to the network.
///
/// Call `step`, do what it says, tell `receive`, until it is finished. Every attempt is made
/// durable before its first byte is sent, and every verdict before the next attempt, so it may
/// be stopped at any point.
public struct Flusher: ~Copyable {
  var authorizer: Authorizer
  let rules: FlushRules

  var server: ServerState?
  /// The same as the journal has it.
  var storedServer: ServerState?
  var current: PendingDeactivation?
  var stage = Stage.choosing
  /// The row that the next pass is to begin behind. To be kept before anything is sent: it is to
  /// hold for a pass that is cut off, too.
  public private(set) var resumeRow: Int64 = 0
  /// The row that the pass began behind.
  var beginRow: Int64 = 0
  /// Those up to that row.
  var wrap = Wrap.none
  /// The last row before those.
  var endRow: Int64 = 0
  /// The row that was chosen last.
  var lastRow: Int64 = 0
  /// The row that was read once more.
  var rereadRow: Int64 = 0
  var nextSendBootMilliseconds: Int64 = 0
  var end: FlushEnd?
  var hasCorrectedClock = false
  var hasRefreshedToken = false
  var laterInARow = 0
  var refusedInARow = 0
  var faultsInARow = 0

  enum Wrap {
    case none, ahead, running
  }

  enum Stage {
    /// No deactivation is in hand.
    case choosing
    /// One is in hand; its attempt isn't open.
    case chosen
    case awaitingTokenAddress
    case awaitingToken
    case awaitingVerdict
  }

  public init(authorizer: consuming Authorizer, rules: FlushRules) {
    self.authorizer = authorizer
    self.rules = rules
    if let only = rules.only { lastRow = only.row - 1 }
  }

  /// Makes it ready for another pass, which begins behind a row, 0 for none: any number will do.
  public mutating func beginPass(behind row: Int64) {
    end = nil
    server = nil
    current = nil
    stage = .choosing
    resumeRow = row
    beginRow = row
    wrap = row > 0 && rules.only == nil ? .ahead : .none
    lastRow = rules.only.map { $0.row - 1 } ?? row
    rereadRow = 0
    laterInARow = 0
    refusedInARow = 0
    faultsInARow = 0
  }

  public mutating func step<Journal: FlushJournal & ~Copyable>(
    _ journal: inout Journal, at now: Moment
  ) throws(Journal.Failure) -> FlushStep {
    if let end { return .finished(end) }
    let server = try loadServer(&journal)
    let left = server.wait?.millisecondsLeft(at: now) ?? 0
    if left > 0, isHeeded(server.reason) {
      return finish(.stopped(server.reason, millisecondsLeft: left))
    }
    guard try choose(&journal, at: now) else { return finish(.done) }
    if case .sealed(let outcome) = current?.content {
      return try passOver(outcome, &journal, at: now)
    }
    let pause = nextSendBootMilliseconds - now.bootMilliseconds
    if pause > 0 { return .pause(milliseconds: pause) }
    if let exchange = tokenExchange(at: now) { return .send(exchange) }
    guard try openAttempt(&journal, at: now) else {
      // Withdrawn or changed meanwhile: it is no longer in hand, and the next step reads anew.
      return .pause(milliseconds: 0)
    }
    return .send(deactivationExchange(at: now))
  }

  /// Nothing was tried, so neither attempts nor failures are counted.
  @inline(never)
  private mutating func passOver<Journal: FlushJournal & ~Copyable>(
    _ outcome: Outcome, _ journal: inout Journal, at now: Moment
  ) throws(Journal.Failure) -> FlushStep {
    guard let open = current?.openAttempts, let failures = current?.failures else {
      preconditionFailure("a deactivation is in hand here")
    }
    let wait = Wait(milliseconds: FlushRules.sealedMilliseconds, from: now)
    return .passed(
      try conclude(
        Judgement(
          change: .postponed(wait, failures: failures, isHeld: true, openAttempts: open),
          outcome: outcome), &journal, at: now))
  }

  private func isHeeded(_ reason: WaitReason) -> Bool {
    switch reason {
    case .retryAfter: true
    case .network, .clock: rules.onlyDue && !rules.networkHasChanged
    case .none, .held, .server: rules.onlyDue
    }
  }

  private mutating func finish(_ end: FlushEnd) -> FlushStep {
    self.end = end
    return .finished(end)
  }

  private mutating func loadServer<Journal: FlushJournal & ~Copyable>(
    _ journal: inout Journal
  ) throws(Journal.Failure) -> ServerState {
    if let server { return server }
    let loaded = try journal.serverState()
    server = loaded
    storedServer = loaded
    return loaded
  }

  /// Takes the next deactivation in hand and opens its attempt, unless a token has to be fetched
  /// first; `false` if there is none.
  private mutating func choose<Journal: FlushJournal & ~Copyable>(
    _ journal: inout Journal, at now: Moment
  ) throws(Journal.Failure) -> Bool {
    guard case .choosing = stage else { return true }
    if let only = rules.only, lastRow >= only.row { return false }
    var next = try journal.next(after: lastRow, onlyDue: rules.onlyDue, at: now)
    if wrap == .ahead, next == nil {
      wrap = .running
      endRow = lastRow
      next = try journal.next(after: 0, onlyDue: rules.onlyDue, at: now)
    }
    if wrap == .running, (next?.ticket.row ?? .max) > beginRow {
      // Some may have been queued meanwhile.
      wrap = .none
      next = try journal.next(after: endRow, onlyDue: rules.onlyDue, at: now)
    }
    guard let next else { return false }
    let ticket = next.ticket
    if let only = rules.only, only != ticket { return false }
    lastRow = ticket.row
    current = consume next
    stage = .chosen
    hasCorrectedClock = false
    hasRefreshedToken = false
    return true
  }

  private mutating func openAttempt<Journal: FlushJournal & ~Copyable>(
    _ journal: inout Journal, at now: Moment
  ) throws(Journal.Failure) -> Bool {
    guard let ticket = current?.ticket else { preconditionFailure("one is in hand here") }
    guard try journal.openAttempt(ticket, at: now) else {
      chooseAgain(ticket)
      return false
    }
    if rules.only == nil { resumeRow = ticket.row }
    return true
  }

  /// What is in hand is no longer what the journal has: it is read once more. Where that doesn't
  /// help, the pass goes on without it.
  mutating func chooseAgain(_ ticket: Ticket) {
    current = nil
    stage = .choosing
    if rereadRow != ticket.row { lastRow = ticket.row - 1 }
    rereadRow = ticket.row
  }

  private mutating func deactivationExchange(at now: Moment) -> Exchange {
    guard let clock = server?.clock else { preconditionFailure("the server's state is loaded") }
    let date = IMFFixdate(epochSeconds: clock.seconds(at: now))
    stage = .awaitingVerdict
    pace(at: now)
    return Exchange(
      target: .deactivateLicense, date: date,
      certificateSeconds: clock.certificateSeconds(at: now),
      authorization: authorization(for: date), body: body())
  }

  private mutating func pace(at now: Moment) {
    guard rules.requestsPerSecondMax > 0 else { return }
    nextSendBootMilliseconds =
      now.bootMilliseconds + (1000 + rules.requestsPerSecondMax - 1) / rules.requestsPerSecondMax
  }
}
