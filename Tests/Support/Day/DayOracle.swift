import HandbackCore

/// What may be sent when, worked out beside the product from what the device was told: the world's
/// clock, which nobody sets, in place of the device's, and no code of `Wait` or `AgentSchedule`.
struct DayOracle {
  enum Sender {
    case agent
    /// A person's command: it heeds `Retry-After` alone.
    case person
  }

  var sender = Sender.agent
  /// No request before, whoever sends it.
  private var retryAfterEnd: Int64 = 0
  /// What the last answer asked for; it holds once it is written down.
  private var retryAfterHeard: Int64?
  private var server: (end: Int64, reason: WaitReason, sentAt: Int64) = (0, .none, 0)
  /// A command wrote it, and the agent, which lets commands work for a second, hasn't read it yet.
  private var isUnread = false
  /// The agent met the sender's lock: for a minute, what caused its pass may be newer than what the
  /// other process finds out.
  private var metLockUntil: Int64 = -1
  /// One of both, when the pass began.
  private var isBehind = false
  /// The same as the journal has it, to know a new one by.
  private var wait: Wait?
  private var rows: [Int64: Int64] = [:]
  /// When the agent was told last that the network or the clock changed.
  private var changedAt: Int64 = -1
  /// When the request left that the wait for the server comes from.
  private var sentAt: Int64 = 0
  private var isAsked = false

  // MARK: - What the device is told

  /// The answer on its way to the device.
  mutating func hear(_ reply: ScriptedServer.Reply, _ world: TestClock, serverClockError: Int64) {
    retryAfterHeard = nil
    guard case .answer(let answer) = reply, answer.status == 429 || answer.status == 503 else {
      return
    }
    switch answer.retryAfter {
    case .none: return
    case .seconds(let seconds): retryAfterHeard = min(max(seconds, 1), 86_400)
    case .date(let date):
      retryAfterHeard = min(max(date - world.worldSeconds - serverClockError, 1), 86_400)
    }
  }

  /// The journal has what an attempt did.
  mutating func concluded(_ row: MemoryJournal.Row, _ state: ServerState?, _ world: TestClock) {
    let now = world.worldMilliseconds
    if let seconds = retryAfterHeard { retryAfterEnd = max(retryAfterEnd, now + seconds * 1000) }
    retryAfterHeard = nil
    rows[row.ticket.row] = row.wait.map { now + $0.milliseconds }
    guard let state, state.wait != wait else { return }
    wait = state.wait
    isUnread = sender == .person
    server = (now + (state.wait?.milliseconds ?? 0), state.reason, sentAt)
  }

  mutating func tellChange(_ world: TestClock) { changedAt = world.worldMilliseconds }
  /// What is left of a wait counts anew from a boot, but two minutes of it are enough.
  mutating func boot(_ world: TestClock) {
    let end = world.worldMilliseconds - world.bootMilliseconds + 120_000
    retryAfterEnd = min(retryAfterEnd, end)
    server.end = min(server.end, end)
    for (row, wait) in rows { rows[row] = min(wait, end) }
  }
  mutating func ask() { isAsked = true }
  mutating func readJournal() { isUnread = false }
  mutating func meetLock(_ world: TestClock) { metLockUntil = world.worldMilliseconds + 60_000 }
  mutating func passBegins(_ world: TestClock) {
    isBehind = isUnread || world.worldMilliseconds <= metLockUntil
  }
  /// - isAnswered: whether who asked for the pass got one; a fault of the machine, or a change of
  ///   the network in the middle of it, leaves it owing.
  mutating func passEnded(isAnswered: Bool = true) {
    if isAnswered { isAsked = false }
    isBehind = false
  }

  // MARK: - What it does

  /// What is wrong with a request that leaves now.
  mutating func problems(sending row: MemoryJournal.Row?, _ world: TestClock) -> [String] {
    var problems: [String] = []
    let now = world.worldMilliseconds
    sentAt = now
    retryAfterHeard = nil
    if now < retryAfterEnd {
      problems.append("sent \(retryAfterEnd - now) ms before the end of Retry-After")
    }
    guard sender == .agent, !isAsked else { return problems }
    if now < server.end, !mayShorten {
      problems.append("sent \(server.end - now) ms before the end of a wait (\(server.reason))")
    }
    if let row, let end = rows[row.ticket.row], now < end {
      problems.append("\(row.ticket.text) is sent \(end - now) ms before its time")
    }
    return problems
  }

  /// A change of the network shortens a wait for the network, if it is newer than the try that the
  /// wait comes from.
  private var mayShorten: Bool {
    server.reason.isUnreachable && (changedAt >= server.sentAt || isBehind)
  }
}
