import HandbackCore

/// A day of the agent from one seed: links that come and go, servers in every mood, clocks that
/// jump, power cuts at any moment, other processes at the same journal. Then all is well, and
/// everything must come to its end without help.
///
/// The loop here is the one of `handback agent`, with a clock in place of `poll`.
public final class DaySimulation {
  public static let dayMilliseconds: Int64 = 86_400_000
  /// Settings that were refused are tried again after a day at most; twice, if the first is lost.
  private static let calmMillisecondsMax: Int64 = 3 * dayMilliseconds

  let bench: FlushBench
  var schedule: AgentSchedule
  var random: SeededGenerator
  var world: DayWorld
  var oracle = DayOracle()
  let firstTrySpreadMilliseconds: Int64
  var endsWhenEmpty = false
  private let start: Int64
  var problems: [String] = []
  public internal(set) var counts = DayCounts()
  private var story: [String] = []
  var unknown: Set<String> = []

  /// The next event, by the world's clock; `nil` in the calm after the day.
  var next: (world: Int64, event: DayWorld.Event, isOfFlap: Bool)?
  var networkRings = false
  var journalRings = false
  /// Another process has the sender's lock until then.
  var occupiedUntil: Int64 = 0
  var diskIsBrokenUntil: Int64 = 0
  var isInPass = false
  var powerFails = false
  var stopsProcess = false
  var changedInPass = false
  var stepsAwake = 0
  var startCount = 0

  public init(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let known = FlushBench.licenses(Int.random(in: 0...4, using: &random))
    let strangers = FlushBench.licenses(Int.random(in: 0...1, using: &random), "UNKNOWN")
    unknown = Set(strangers.map(\.body))
    let authorization: [FlushBench.Authorization] = [
      .signature, .signature, .bearer, .clientCredentials(tokenURL: nil),
      .clientCredentials(tokenURL: ScriptedServer.tokenURL),
    ]
    world = DayWorld(&random)
    bench = FlushBench(
      known, unknown: strangers, rules: FlushRules(requestsPerSecondMax: 10),
      authorization: authorization[Int(random.next() % 5)],
      clock: TestClock(bootMilliseconds: Int64(random.next() % 100_000)), seed: random.next())
    bench.latencyMilliseconds = Int64(random.next() % 4000)
    firstTrySpreadMilliseconds = [0, 0, 60_000, 300_000][Int(random.next() % 4)]
    schedule = AgentSchedule(
      AgentRules(firstTrySpreadMilliseconds: firstTrySpreadMilliseconds), at: bench.clock.now,
      random: random.next())
    start = bench.clock.worldMilliseconds
    self.random = random
    watch()
  }

  private func watch() {
    bench.server.improvise = { [unowned self] request in reply(request) }
    bench.onSending = { [unowned self] request in
      counts.addRequest(elapsed)
      let row =
        request.target == .deactivateLicense
        ? bench.journal.rows.first { $0.body == request.body } : nil
      for problem in oracle.problems(sending: row, bench.clock) {
        note("BROKEN: \(problem)")
        problems.append(problem)
      }
    }
    bench.journal.afterConcluding = { [unowned self] ticket, hasNewServer in
      oracle.concluded(
        bench.journal.row(Int(ticket.row)), hasNewServer ? bench.journal.server : nil, bench.clock)
    }
  }

  var elapsed: Int64 { bench.clock.worldMilliseconds - start }
  var hasNetwork: Bool { world.reach != .none }

  // MARK: - The day

  /// Lives it; what is wrong in the end, if anything.
  public func run() -> [String] {
    arrange()
    while elapsed < Self.dayMilliseconds { turn() }
    calm()
    while turn() {
      guard elapsed > Self.dayMilliseconds + Self.calmMillisecondsMax else { continue }
      problems.append("no rest, and \(bench.journal.pendingCount) pending, long after all is well")
      break
    }
    for row in bench.journal.rows {
      if bench.server.active.contains(row.body), row.ending != .withdrawn {
        problems.append("\(row.ticket.text): active still, \(row.ending.map { "\($0)" } ?? "-")")
      }
      if !unknown.contains(row.body), row.ending == .rejected {
        problems.append("\(row.ticket.text): rejected, and the server knows it")
      }
    }
    return problems + bench.allProblems + counts.problems
  }

  public var account: String { story.joined(separator: "\n") }

  func note(_ text: @autoclosure () -> String) {
    let seconds = elapsed / 1000
    story.append("\(seconds / 3600) h \(seconds / 60 % 60) min \(seconds % 60) s: \(text())")
  }

  func arrange() {
    let isOfFlap = world.flapsLeft > 0
    next = (bench.clock.worldMilliseconds + world.gap(), world.next(), isOfFlap)
  }

  private func calm() {
    note("all is well")
    next = nil
    world.weather = .fair
    bench.server.improvise = nil
    bench.server.clockErrorSeconds = 0
    bench.journal.failing = []
    diskIsBrokenUntil = 0
    occupiedUntil = 0
    world.setLink(.wide)
    networkRings = true
    bench.clock.wallErrorSeconds = 0
    tellClock()
    if world.once(in: 4) {
      endsWhenEmpty = true
      startAgent("--until-empty")
      // As for a person, its first pass heeds `Retry-After` alone.
      oracle.ask()
    }
  }

  // MARK: - The agent's loop

  /// One step of the agent, and the sleep after it; `false` if nothing can happen any more.
  @discardableResult
  private func turn() -> Bool {
    happen()
    stepsAwake += 1
    if stepsAwake > 100 {
      problems.append("awake without end")
      return false
    }
    switch schedule.step(at: bench.clock.now) {
    case .readNetwork:
      let before = told
      told = world.view
      if let before, before != world.view, hasNetwork { oracle.tellChange(bench.clock) }
      schedule.networkRead(world.view, at: bench.clock.now, random: random.next())
    case .readJournal:
      if diskIsBroken { schedule.journalFailed(at: bench.clock.now) } else { readJournal() }
    case .pass(let heeding):
      pass(heeding)
    case .finished(let end):
      note("the agent ended: \(end)")
      if !endsWhenEmpty || end != .empty || bench.journal.pendingCount > 0 {
        problems.append("the agent ended too early")
      }
      return false
    case .sleep(let until, let hearsNetwork, let hearsJournal):
      return sleep(until: until, hearsNetwork: hearsNetwork, hearsJournal: hearsJournal)
    }
    return true
  }

  /// The network as the agent was told last.
  var told: NetworkView?

  private func readJournal() {
    oracle.readJournal()
    let now = bench.clock.now
    let server = bench.journal.server
    let pending = bench.journal.rows.filter { $0.ending == nil }
    let left = pending.map { $0.wait?.millisecondsLeft(at: now) ?? 0 }.min() ?? 0
    schedule.journalRead(
      Backlog(
        pendingCount: Int64(pending.count), dueBootMilliseconds: now.bootMilliseconds + left,
        serverBootMilliseconds: now.bootMilliseconds
          + (server.wait?.millisecondsLeft(at: now) ?? 0),
        reason: server.reason), at: now)
  }

  private func sleep(until: Int64?, hearsNetwork: Bool, hearsJournal: Bool) -> Bool {
    stepsAwake = 0
    while true {
      if hearsNetwork, networkRings {
        networkRings = false
        counts.addWake(elapsed)
        schedule.networkRang(at: bench.clock.now)
        return true
      }
      if hearsJournal, journalRings {
        journalRings = false
        counts.addWake(elapsed)
        schedule.journalRang(at: bench.clock.now)
        return true
      }
      let now = bench.clock.worldMilliseconds
      let timer = until.map { now + max($0 - bench.clock.bootMilliseconds, 0) }
      guard let end = earlier(timer, next?.world) else {
        if bench.journal.pendingCount > 0 { problems.append("sleeps for ever, with work to do") }
        return false
      }
      bench.clock.advance(milliseconds: max(end - now, 0))
      if let timer, end == timer {
        counts.addWake(elapsed)
        return true
      }
      let starts = startCount
      happen()
      if starts != startCount { return true }
    }
  }

  private func earlier(_ one: Int64?, _ other: Int64?) -> Int64? {
    guard let one, let other else { return one ?? other }
    return min(one, other)
  }

  func pass(_ heeding: Heeding) {
    if bench.clock.worldMilliseconds < occupiedUntil {
      note("blocked")
      oracle.meetLock(bench.clock)
      return schedule.passEnded(.blocked, at: bench.clock.now)
    }
    counts.addPass(elapsed)
    oracle.passBegins(bench.clock)
    breakJournal()
    isInPass = true
    let requestCount = bench.server.requests.count
    var end = PassEnd.ran
    do throws(MemoryJournal.Failure) {
      let flushEnd = try bench.pass(heeding)
      note("pass \(heeding): \(flushEnd.text)")
      if changedInPass {
        end = .networkChanged
        oracle.tellChange(bench.clock)
      }
    } catch {
      note("pass \(heeding): call \(error.call) of the journal failed")
      end = .trouble
    }
    isInPass = false
    changedInPass = false
    if end == .ran, bench.server.requests.count == requestCount { counts.addVainPass(elapsed) }
    bench.journal.failing = []
    oracle.passEnded(isAnswered: end == .ran)
    if powerFails { return cutPower() }
    if stopsProcess { return startAgent("stopped while it sent") }
    schedule.passEnded(end, at: bench.clock.now)
    // Its own writes may ring as well.
    if world.once(in: 2) { journalRings = true }
  }
}
