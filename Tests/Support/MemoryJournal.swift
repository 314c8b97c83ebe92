import HandbackCore

/// A journal in memory that can fail, and that knows the rules of a journal.
///
/// Faults: each call has a number, 1 and up; the ones in `failing` throw. With
/// `failsAfterWriting` their work is done all the same, as when a disk takes a commit and reports
/// an error. Rows are never lost: a journal that loses acknowledged rows is SQLite's matter, and
/// tested there. A class, since tests look inside.
public final class MemoryJournal: FlushJournal {
  public struct Failure: Error, Equatable {
    public let call: Int

    public init(call: Int) { self.call = call }
  }

  public struct Row: Sendable {
    public let ticket: Ticket
    public fileprivate(set) var license: SampleLicense
    public fileprivate(set) var body: String
    /// Grows as it is asked for again with other details.
    fileprivate var version = 0
    public var ending: Ending?
    public var isInferred = false
    public var licenseSignature: String?
    public var attempts: Int64 = 0
    public var openAttempts: Int64 = 0
    public var failures: Int64 = 0
    public var isHeld = false
    public var wait: Wait?
    public var outcome: Outcome?
    /// Why its credential can't be read, if it can't.
    public var sealed: Outcome?

    var content: PendingDeactivation.Content {
      sealed.map { .sealed($0) } ?? .deactivation(license.deactivation())
    }
  }

  /// What was written, in order.
  public enum Entry: Equatable, Sendable {
    case opened(Int64)
    case concluded(Int64)
    case failed(call: Int)
  }

  public private(set) var rows: [Row] = []
  public var server: ServerState
  public private(set) var log: [Entry] = []
  /// Rules that were broken.
  public private(set) var problems: [String] = []

  public var failing: Set<Int> = []
  public var failsAfterWriting = false
  public private(set) var callCount = 0
  /// The version of each row that `next` gave last, by its ticket's text.
  private var seen: [String: Int] = [:]
  /// Runs before an attempt is opened, as another process may.
  public var beforeOpening: ((Ticket) -> Void)?
  /// Runs when what an attempt did is durable, with whether it says something new of the server.
  public var afterConcluding: ((Ticket, _ hasNewServer: Bool) -> Void)?

  public init(_ licenses: [SampleLicense] = [], floorSeconds: Int64 = Version.releaseEpochSeconds) {
    server = ServerState(
      clock: ServerClock(floorSeconds: floorSeconds, anchor: nil), failures: 0, wait: nil,
      reason: .none)
    for license in licenses { queue(license) }
  }

  // MARK: - What other commands do

  @discardableResult
  public func queue(_ license: SampleLicense) -> Ticket {
    let row = Int64(rows.count + 1)
    let ticket = Ticket(row: row, nonce: UInt32(truncatingIfNeeded: row &* 7919))
    rows.append(Row(ticket: ticket, license: license, body: license.body))
    return ticket
  }

  public func withdraw(_ ticket: Ticket) {
    guard let index = index(of: ticket), rows[index].ending == nil else { return }
    rows[index].ending = .withdrawn
  }

  /// The license is asked for again, with another secret.
  public func askAgain(_ ticket: Ticket, _ license: SampleLicense) {
    guard let index = index(of: ticket), rows[index].ending == nil else { return }
    rows[index].license = license
    rows[index].body = license.body
    rows[index].version += 1
    rows[index].isHeld = false
    rows[index].wait = nil
  }

  /// By its number, 1 and up.
  public func row(_ number: Int) -> Row { rows[number - 1] }

  /// Changes a row as an earlier pass might have.
  public func edit(_ number: Int, _ change: (inout Row) -> Void) { change(&rows[number - 1]) }

  public var pendingCount: Int { rows.count { $0.ending == nil } }

  // MARK: - FlushJournal

  public func next(
    after row: Int64, onlyDue: Bool, at now: Moment
  ) throws(Failure) -> PendingDeactivation? {
    try mayFail()
    let found = rows.first {
      $0.ticket.row > row && $0.ending == nil
        && (!onlyDue || ($0.wait?.millisecondsLeft(at: now) ?? 0) == 0)
    }
    guard let found else { return nil }
    seen[found.ticket.text.string] = found.version
    return PendingDeactivation(
      ticket: found.ticket, found.content, attempts: found.attempts,
      openAttempts: found.openAttempts, failures: found.failures)
  }

  public func openAttempt(_ ticket: Ticket, at now: Moment) throws(Failure) -> Bool {
    beforeOpening?(ticket)
    var isOpened = false
    try writing {
      guard let index = index(of: ticket), rows[index].ending == nil,
        isAsSeen(rows[index])
      else { return }
      rows[index].attempts += 1
      rows[index].openAttempts += 1
      log.append(.opened(ticket.row))
      isOpened = true
    }
    return isOpened
  }

  @discardableResult
  public func conclude(
    _ ticket: Ticket, _ change: RowChange, _ outcome: Outcome, server: ServerState?, at now: Moment
  ) throws(Failure) -> Conclusion {
    var conclusion = Conclusion.written
    try writing {
      guard let index = index(of: ticket) else {
        problems.append("\(ticket.text) is concluded and was never queued")
        return
      }
      log.append(.concluded(ticket.row))
      if let server { self.server = server }
      let row = rows[index]
      let isUnchanged = row.ending != nil || isAsSeen(row)
      apply(isUnchanged ? change : Self.adapted(change, to: row), outcome, to: &rows[index])
      if !isUnchanged { conclusion = .askedAgain }
      if row.ending != nil, rows[index].ending == row.ending { conclusion = .ended }
      afterConcluding?(ticket, server != nil)
    }
    return conclusion
  }

  /// What the answer to a request with other details means: a plain success ends it all the same.
  private static func adapted(_ change: RowChange, to row: Row) -> RowChange {
    var open = row.openAttempts
    switch change {
    case .ended(.deactivated, isInferred: false, _): return change
    case .ended(_, let isInferred, _): open = min(open, max(open - 1, isInferred ? 1 : 0))
    case .postponed(_, _, _, let openAttempts): open = min(open, openAttempts)
    }
    return .postponed(nil, failures: row.failures, isHeld: false, openAttempts: max(open, 0))
  }

  public func serverState() throws(Failure) -> ServerState {
    try mayFail()
    return server
  }

  // MARK: - Rules

  private func apply(_ change: RowChange, _ outcome: Outcome, to row: inout Row) {
    let name = row.ticket.text
    switch change {
    case .ended(let ending, let isInferred, let licenseSignature):
      // A row that was withdrawn on its way stays so, unless the server did it.
      guard row.ending == nil || row.ending == .withdrawn && ending == .deactivated && !isInferred
      else {
        if row.ending != .withdrawn { problems.append("\(name) ends twice") }
        return
      }
      if isInferred && ending != .deactivated { problems.append("\(name) infers no success") }
      row.ending = ending
      row.isInferred = isInferred
      row.licenseSignature = licenseSignature?.string
      row.openAttempts = 0
      row.isHeld = false
      row.wait = nil
    case .postponed(let wait, let failures, let isHeld, let openAttempts):
      guard row.ending == nil else {
        if row.ending != .withdrawn { problems.append("\(name) is postponed after its end") }
        return
      }
      if !(0...row.attempts).contains(openAttempts) {
        problems.append("\(name) has \(openAttempts) of \(row.attempts) attempts open")
      }
      if failures < row.failures { problems.append("\(name) forgets failures") }
      row.failures = failures
      row.isHeld = isHeld
      row.openAttempts = openAttempts
      row.wait = wait
    }
    row.outcome = outcome
  }

  private func isAsSeen(_ row: Row) -> Bool {
    (seen[row.ticket.text.string] ?? row.version) == row.version
  }

  private func index(of ticket: Ticket) -> Int? { rows.firstIndex { $0.ticket == ticket } }

  private func mayFail() throws(Failure) { try writing {} }

  private func writing(_ body: () -> Void) throws(Failure) {
    callCount += 1
    guard failing.contains(callCount) else { return body() }
    if failsAfterWriting { body() }
    log.append(.failed(call: callCount))
    throw Failure(call: callCount)
  }
}
