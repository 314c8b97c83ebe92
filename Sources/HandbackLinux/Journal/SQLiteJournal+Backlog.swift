public import HandbackCore

/// How many deactivations are in each state.
public struct JournalTally: Sendable {
  public var pending: Int64 = 0
  public var deactivated: Int64 = 0
  public var rejected: Int64 = 0
  public var withdrawn: Int64 = 0
  public var damaged: Int64 = 0
  /// When the oldest of the pending ones was queued, by the clock of then.
  public var oldestQueuedAtSeconds: Int64?

  public init() {}

  public var ended: Int64 { deactivated + rejected + withdrawn + damaged }
}

extension SQLiteJournal {
  public func tally() throws(JournalError) -> JournalTally {
    var tally = JournalTally()
    var statement = try connection.prepare(
      "SELECT state, count(*), min(queued_at) FROM deactivation GROUP BY state")
    while try statement.step() {
      let count = statement.integer(1)
      switch Ending(rawValue: statement.integer(0)) {
      case .none:
        tally.pending += count
        tally.oldestQueuedAtSeconds = statement.integer(2)
      case .deactivated: tally.deactivated = count
      case .rejected: tally.rejected = count
      case .withdrawn: tally.withdrawn = count
      case .damaged: tally.damaged = count
      }
    }
    return tally
  }

  /// When the pending ones, so many, are due.
  public func backlog(of pendingCount: Int64, at now: Moment) throws(JournalError) -> Backlog {
    let server = try readServerState()
    var backlog = Backlog(
      pendingCount: pendingCount, dueBootMilliseconds: .max,
      serverBootMilliseconds: now.bootMilliseconds
        + (server.wait?.millisecondsLeft(at: now) ?? 0),
      reason: server.reason)
    guard pendingCount > 0 else { return backlog }
    var statement = try connection.prepare(
      "SELECT wait_ms, wait_end_ms, wait_boot FROM deactivation WHERE state = 0")
    while try statement.step() {
      let left = DeactivationRow.waitLeft(statement, from: 0, at: now)
      backlog.dueBootMilliseconds = min(
        backlog.dueBootMilliseconds, now.bootMilliseconds + left)
      // The first that is due is the answer.
      if left == 0 { break }
    }
    return backlog
  }
}
