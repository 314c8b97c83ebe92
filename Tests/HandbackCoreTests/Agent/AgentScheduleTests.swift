import HandbackCore
import TestSupport
import Testing

/// When the agent looks, tries and sleeps.
struct AgentScheduleTests {
  /// An agent whose looks are answered at once, and whose passes come to what the test says.
  struct Bench {
    var schedule: AgentSchedule
    var clock = TestClock()
    var backlog = Backlog()
    var view = NetworkView(reach: .wide, mark: 1)
    var random: UInt64 = 0
    /// Milliseconds since the start at which a pass began, and what it heeded.
    var passes: [(Int64, Heeding)] = []
    /// What the next pass does to the journal, and how it ends.
    var onPass: (inout Bench) -> PassEnd = { _ in .ran }
    private let start: Int64

    init(_ rules: AgentRules = AgentRules(), pending: Int64 = 0, random: UInt64 = 0) {
      start = clock.bootMilliseconds
      schedule = AgentSchedule(rules, at: clock.now, random: random)
      backlog.pendingCount = pending
      self.random = random
    }

    var milliseconds: Int64 { clock.bootMilliseconds - start }

    /// Runs until the agent sleeps or ends.
    @discardableResult
    mutating func settle() -> AgentStep {
      for _ in 0..<100 {
        let step = schedule.step(at: clock.now)
        switch step {
        case .sleep, .finished: return step
        case .readNetwork: schedule.networkRead(view, at: clock.now, random: random)
        case .readJournal: schedule.journalRead(backlog, at: clock.now)
        case .pass(let heeding):
          passes.append((milliseconds, heeding))
          let end = onPass(&self)
          schedule.passEnded(end, at: clock.now)
        }
      }
      Issue.record("an agent that doesn't come to rest")
      return .finished(.deadline)
    }

    /// Lets time pass, waking the agent when it wants to be woken; how it rests then.
    @discardableResult
    mutating func run(milliseconds: Int64) -> AgentStep {
      let end = clock.bootMilliseconds + milliseconds
      while true {
        let rest = settle()
        guard case .sleep(let until?, _, _) = rest, until <= end else {
          clock.advance(milliseconds: end - clock.bootMilliseconds)
          return rest
        }
        clock.advance(milliseconds: max(until - clock.bootMilliseconds, 0))
      }
    }

    mutating func change(_ reach: Reach = .wide) {
      view = NetworkView(reach: reach, mark: view.mark + 1)
      schedule.networkRang(at: clock.now)
    }

    /// What a pass does that reaches nobody, with a wait of its own.
    static func inVain(_ wait: Int64) -> (inout Bench) -> PassEnd {
      { bench in
        bench.backlog.reason = .network
        bench.backlog.serverBootMilliseconds = bench.clock.bootMilliseconds + wait
        return .ran
      }
    }

    static func success(_ bench: inout Bench) -> PassEnd {
      bench.backlog = Backlog()
      return .ran
    }
  }

  private static let forEver = AgentStep.sleep(
    untilBootMilliseconds: nil, hearsNetwork: true, hearsJournal: true)

  // MARK: - Nothing to do

  @Test func `sleeps without a timer when nothing is pending`() {
    var bench = Bench()
    #expect(bench.settle() == Self.forEver)
    #expect(bench.passes.isEmpty)
  }

  @Test func `sleeps without a timer while no route leads out`() {
    var bench = Bench(pending: 3)
    bench.view = NetworkView(reach: .none, mark: 1)
    #expect(bench.settle() == Self.forEver)
    bench.backlog.reason = .network
    bench.schedule.journalRang(at: bench.clock.now)
    bench.run(milliseconds: 5000)
    #expect(bench.settle() == Self.forEver)
    #expect(bench.passes.isEmpty)
  }

  @Test func `tries at once when something is pending at the start`() {
    var bench = Bench(pending: 1)
    bench.onPass = Bench.success
    #expect(bench.settle() == Self.forEver)
    #expect(bench.passes.map(\.0) == [0])
  }

  // MARK: - The network

  @Test func `tries within a look of the network's return`() {
    var bench = Bench(pending: 1)
    bench.view = NetworkView(reach: .none, mark: 1)
    bench.settle()
    bench.clock.advance(milliseconds: 1_000_000)
    bench.onPass = Bench.success
    bench.change()
    #expect(bench.run(milliseconds: 10_000) == Self.forEver)
    #expect(bench.passes.map(\.0) == [1_000_050])
  }

  @Test func `a change shortens a wait for the network, and is told to the flusher`() {
    var bench = Bench(pending: 1)
    bench.onPass = Bench.inVain(3_000_000)
    bench.run(milliseconds: 100_000)
    bench.onPass = Bench.success
    bench.change()
    bench.run(milliseconds: 1000)
    #expect(bench.passes.map(\.0) == [0, 100_050])
    #expect(bench.passes.last?.1 == .allButNetwork)
  }

  @Test(arguments: [WaitReason.retryAfter, .server, .held])
  func `a change shortens no other wait`(reason: WaitReason) {
    var bench = Bench(pending: 1)
    bench.onPass = { bench in
      bench.backlog.reason = reason
      bench.backlog.serverBootMilliseconds = bench.clock.bootMilliseconds + 3_000_000
      return .ran
    }
    bench.run(milliseconds: 100_000)
    for reach in [Reach.wide, .none, .narrow, .wide] {
      bench.change(reach)
      bench.run(milliseconds: 10_000)
    }
    bench.schedule.clockSet(at: bench.clock.now, random: 0)
    bench.run(milliseconds: 2_800_000)
    #expect(bench.passes.map(\.0) == [0])
    bench.onPass = Bench.success
    bench.run(milliseconds: 100_000)
    #expect(bench.passes.map(\.0) == [0, 3_000_000])
  }

  /// As from cron, each minute, while the server is out of reach.
  @Test func `a clock that is set again and again is tried once an hour`() {
    var bench = Bench(pending: 1)
    bench.onPass = Bench.inVain(80_000_000)
    bench.run(milliseconds: 10_000)
    for _ in 0..<150 {
      bench.schedule.clockSet(at: bench.clock.now, random: 0)
      bench.run(milliseconds: 60_000)
    }
    #expect(bench.passes.count == 4)
    // Where the clock is what hinders it, each time.
    bench.onPass = { bench in
      bench.backlog.reason = .clock
      return .ran
    }
    bench.backlog.reason = .clock
    bench.schedule.journalRang(at: bench.clock.now)
    bench.run(milliseconds: 10_000)
    for count in 5...8 {
      bench.schedule.clockSet(at: bench.clock.now, random: 0)
      bench.run(milliseconds: 60_000)
      #expect(bench.passes.count == count)
    }
  }

  /// Its journal rings at each commit.
  @Test func `another's long flush is looked at ever more seldom`() {
    var bench = Bench(pending: 1)
    bench.onPass = { _ in .blocked }
    for _ in 0..<1000 {
      bench.run(milliseconds: 100)
      bench.schedule.journalRang(at: bench.clock.now)
    }
    #expect((5...8).contains(bench.passes.count), "\(bench.passes)")
    bench.onPass = Bench.success
    #expect(bench.run(milliseconds: 60_000) == Self.forEver)
  }

  @Test func `the last of two settings of the clock is tried, an hour behind the first at most`() {
    var bench = Bench(pending: 1)
    bench.onPass = Bench.inVain(80_000_000)
    bench.run(milliseconds: 10_000)
    bench.schedule.clockSet(at: bench.clock.now, random: 0)
    bench.run(milliseconds: 60_000)
    bench.schedule.clockSet(at: bench.clock.now, random: 0)
    bench.run(milliseconds: 4_000_000)
    #expect(bench.passes.map(\.0) == [0, 10_000, 3_610_000])
  }

  /// What a pass between them took is asked for again.
  @Test func `a setting of the clock is tried within the hour, whatever came between`() {
    var bench = Bench(pending: 1)
    bench.onPass = Bench.inVain(1_800_000)
    bench.run(milliseconds: 10_000)
    bench.schedule.clockSet(at: bench.clock.now, random: 0)
    bench.run(milliseconds: 300_000)
    bench.schedule.clockSet(at: bench.clock.now, random: 0)
    bench.onPass = Bench.inVain(80_000_000)
    bench.run(milliseconds: 2_000_000)
    bench.schedule.clockSet(at: bench.clock.now, random: 0)
    bench.run(milliseconds: 3_600_000)
    #expect(bench.passes.map(\.0) == [0, 10_000, 1_810_000, 3_610_000])
  }

  /// Somebody waits for it, and there is a deadline.
  @Test func `another's long flush doesn't hide that the end is there`() {
    var bench = Bench(AgentRules(endsWhenEmpty: true), pending: 1)
    bench.onPass = { _ in .blocked }
    for _ in 0..<400 {
      bench.run(milliseconds: 100)
      bench.schedule.journalRang(at: bench.clock.now)
    }
    bench.backlog.pendingCount = 0
    bench.schedule.journalRang(at: bench.clock.now)
    #expect(bench.run(milliseconds: 1100) == .finished(.empty))
  }

  @Test func `a change does not make a deactivation due that waits for itself`() {
    var bench = Bench(pending: 1)
    bench.backlog.dueBootMilliseconds = bench.clock.bootMilliseconds + 500_000
    bench.settle()
    bench.change()
    bench.onPass = Bench.success
    bench.run(milliseconds: 600_000)
    #expect(bench.passes.map(\.0) == [500_000])
  }

  @Test func `what rings without a change costs a look and no try`() {
    var bench = Bench(pending: 1)
    bench.onPass = Bench.inVain(3_000_000)
    bench.run(milliseconds: 1000)
    for _ in 0..<1000 {
      bench.schedule.networkRang(at: bench.clock.now)
      bench.run(milliseconds: 200)
    }
    #expect(bench.passes.map(\.0) == [0])
  }

  @Test(arguments: [1, 10, 100] as [Int64])
  func `a storm of 1,000 changes costs a few tries, and its last change is tried`(spacing: Int64) {
    var bench = Bench(pending: 1)
    bench.onPass = Bench.inVain(20_000_000)
    bench.view = NetworkView(reach: .none, mark: 1)
    bench.run(milliseconds: 500_000)
    var random = SeededGenerator(seed: 1)
    for _ in 0..<1000 {
      bench.change(random.once(in: 2) ? .wide : .none)
      bench.run(milliseconds: spacing)
    }
    let inStorm = bench.passes.count
    #expect((1...9).contains(inStorm))
    // From here on the network is there, and the server answers.
    bench.onPass = Bench.success
    bench.change(.wide)
    bench.run(milliseconds: 61_000)
    #expect(bench.passes.count == inStorm + 1)
    #expect(bench.backlog.pendingCount == 0)
  }

  @Test func `a change that was not in vain starts anew`() {
    var bench = Bench(pending: 1)
    for round in 0..<20 {
      bench.onPass = Bench.success
      bench.backlog.pendingCount = 1
      bench.change(.none)
      bench.run(milliseconds: 1000)
      bench.schedule.journalRang(at: bench.clock.now)
      bench.run(milliseconds: 2000)
      let due = bench.milliseconds + 50
      bench.change(.wide)
      bench.run(milliseconds: 1000)
      #expect(bench.passes.last?.0 == due, "round \(round)")
    }
  }

  @Test func `a try that waits for a connection is begun again after a change`() {
    var bench = Bench(pending: 1)
    var count = 0
    bench.onPass = { bench in
      count += 1
      return count < 3 ? .networkChanged : Bench.success(&bench)
    }
    bench.run(milliseconds: 5000)
    #expect(bench.passes.map(\.0) == [0, 0, 1000])
  }

  @Test func `with neighbours alone, tries at once, then by the hour`() {
    var bench = Bench(pending: 1)
    bench.view = NetworkView(reach: .narrow, mark: 1)
    bench.onPass = Bench.inVain(5000)
    bench.run(milliseconds: 3 * 3_600_000 - 60_000)
    #expect(bench.passes.map(\.0) == [0, 3_600_000, 7_200_000])
    bench.change()
    bench.run(milliseconds: 4000)
    #expect(bench.passes.count == 4)
  }

  // MARK: - The spread

  @Test func `spreads the first try after the start and after the network's return`() {
    var bench = Bench(AgentRules(firstTrySpreadMilliseconds: 300_000), pending: 1, random: 123_456)
    bench.onPass = Bench.success
    bench.run(milliseconds: 300_000)
    #expect(bench.passes.map(\.0) == [123_456])
    bench.change(.none)
    bench.run(milliseconds: 1000)
    bench.backlog.pendingCount = 1
    bench.schedule.journalRang(at: bench.clock.now)
    bench.run(milliseconds: 9000)
    bench.change(.wide)
    // Changes on the way neither hasten nor delay it.
    for _ in 0..<50 {
      bench.run(milliseconds: 1000)
      bench.random += 100
      bench.change(.wide)
    }
    bench.run(milliseconds: 200_000)
    #expect(bench.passes.map(\.0) == [123_456, 310_050 + 123_456])
  }

  /// A modem that is up for half a minute at a time.
  @Test func `counts a spread down while the network comes and goes`() {
    var bench = Bench(AgentRules(firstTrySpreadMilliseconds: 300_000), pending: 1, random: 290_000)
    bench.view = NetworkView(reach: .none, mark: 1)
    bench.onPass = Bench.success
    bench.run(milliseconds: 300_000)
    for _ in 0..<12 where bench.passes.isEmpty {
      bench.change(.wide)
      bench.run(milliseconds: 30_000)
      bench.change(.none)
      bench.run(milliseconds: 600_000)
    }
    #expect(bench.passes.count == 1)
  }

  /// For months, with nothing to send: what is queued at last has a spread of its own.
  @Test func `a spread that ran out is over, however often the network went before its end`() {
    var bench = Bench(AgentRules(firstTrySpreadMilliseconds: 300_000), random: 290_000)
    bench.run(milliseconds: 1000)
    for seconds in [100, 250, 280, 400, 1000] as [Int64] {
      bench.change(.none)
      bench.run(milliseconds: 120_000)
      bench.change(.wide)
      bench.run(milliseconds: seconds * 1000)
    }
    bench.change(.none)
    bench.run(milliseconds: 120_000)
    bench.backlog.pendingCount = 1
    bench.onPass = Bench.success
    bench.schedule.journalRang(at: bench.clock.now)
    bench.run(milliseconds: 10_000)
    bench.change(.wide)
    bench.run(milliseconds: 280_000)
    #expect(bench.passes.isEmpty)
    bench.run(milliseconds: 20_000)
    #expect(bench.passes.count == 1)
  }

  @Test func `spreads what waits for the way out, though the site's own network stayed`() {
    var bench = Bench(AgentRules(firstTrySpreadMilliseconds: 300_000), pending: 1, random: 0)
    bench.onPass = Bench.inVain(1000)
    bench.run(milliseconds: 1000)
    bench.change(.narrow)
    bench.run(milliseconds: 600_000)
    bench.passes = []
    bench.onPass = Bench.success
    bench.random = 200_000
    bench.change(.wide)
    bench.run(milliseconds: 199_000)
    #expect(bench.passes.isEmpty)
    bench.run(milliseconds: 10_000)
    #expect(bench.passes.count == 1)
  }

  @Test func `a person's wish waits for the network, and for no spread`() {
    var bench = Bench(AgentRules(firstTrySpreadMilliseconds: 300_000), pending: 1, random: 250_000)
    bench.view = NetworkView(reach: .none, mark: 1)
    bench.run(milliseconds: 1000)
    bench.schedule.asked(at: bench.clock.now)
    bench.run(milliseconds: 9000)
    bench.change(.wide)
    bench.run(milliseconds: 1000)
    #expect(bench.passes.map(\.0) == [10_050])
  }

  // MARK: - With nothing to send

  @Test func `with nothing pending, looks at the routes by the minute at most`() {
    var bench = Bench()
    bench.settle()
    var looks = 0
    for _ in 0..<600 {
      bench.schedule.networkRang(at: bench.clock.now)
      bench.clock.advance(milliseconds: 1000)
      if bench.schedule.step(at: bench.clock.now) == .readNetwork {
        looks += 1
        bench.schedule.networkRead(bench.view, at: bench.clock.now, random: 0)
      }
    }
    #expect((9...10).contains(looks))
    // What is queued has them read before it is sent.
    bench.change(.none)
    bench.backlog.pendingCount = 1
    bench.schedule.journalRang(at: bench.clock.now)
    bench.run(milliseconds: 2000)
    #expect(bench.passes.isEmpty)
    bench.change(.wide)
    bench.run(milliseconds: 100)
    #expect(bench.passes.count == 1)
  }

  @Test func `does not spread what is queued while the network is there`() {
    var bench = Bench(AgentRules(firstTrySpreadMilliseconds: 300_000), random: 250_000)
    bench.run(milliseconds: 400_000)
    bench.backlog.pendingCount = 1
    bench.onPass = Bench.success
    bench.schedule.journalRang(at: bench.clock.now)
    bench.run(milliseconds: 2000)
    #expect(bench.passes.map(\.0) == [401_000])
  }

  // MARK: - The journal

  @Test func `leaves a second to whoever queued, and hears nothing meanwhile`() {
    var bench = Bench()
    bench.settle()
    bench.backlog.pendingCount = 1
    bench.onPass = Bench.success
    bench.schedule.journalRang(at: bench.clock.now)
    #expect(
      bench.settle()
        == .sleep(
          untilBootMilliseconds: bench.clock.bootMilliseconds + 1000, hearsNetwork: true,
          hearsJournal: false))
    bench.run(milliseconds: 5000)
    #expect(bench.passes.map(\.0) == [1000])
  }

  @Test func `waits for another sender's last write, or a minute`() {
    var bench = Bench(pending: 1)
    bench.onPass = { _ in .blocked }
    bench.run(milliseconds: 30_000)
    #expect(bench.passes.count == 1)
    bench.schedule.journalRang(at: bench.clock.now)
    bench.run(milliseconds: 10_000)
    #expect(bench.passes.map(\.0) == [0, 31_000])
    bench.run(milliseconds: 60_000)
    #expect(bench.passes.map(\.0) == [0, 31_000, 91_000])
  }

  @Test func `a change is no news once another process has tried in vain`() {
    var bench = Bench(AgentRules(firstTrySpreadMilliseconds: 60_000), pending: 1, random: 0)
    bench.onPass = Bench.inVain(50_000)
    bench.settle()
    bench.random = 40_000
    bench.change()
    bench.run(milliseconds: 1000)
    // A person's `flush`.
    bench.backlog.serverBootMilliseconds = bench.clock.bootMilliseconds + 100_000
    bench.schedule.journalRang(at: bench.clock.now)
    bench.run(milliseconds: 99_000)
    #expect(bench.passes.map(\.0) == [0])
    bench.run(milliseconds: 1000)
    #expect(bench.passes.map(\.0) == [0, 101_000])
  }

  @Test func `a change that meets another sender is tried when that has ended`() {
    var bench = Bench(pending: 1)
    bench.onPass = Bench.inVain(1_000_000)
    bench.settle()
    bench.onPass = { _ in .blocked }
    bench.change()
    bench.run(milliseconds: 5000)
    #expect(bench.passes.map(\.0) == [0, 50])
    // It began before the change, perhaps, and reached nobody.
    bench.backlog.serverBootMilliseconds = bench.clock.bootMilliseconds + 900_000
    bench.schedule.journalRang(at: bench.clock.now)
    bench.onPass = Bench.success
    bench.run(milliseconds: 5000)
    #expect(bench.passes.map(\.0) == [0, 50, 6000])
    #expect(bench.passes.last?.1 == .allButNetwork)
  }

  @Test func `looks again at a journal that can't be read, ever more rarely`() {
    var bench = Bench()
    var looks: [Int64] = []
    while bench.milliseconds < 4 * 3_600_000 {
      switch bench.schedule.step(at: bench.clock.now) {
      case .readNetwork:
        bench.schedule.networkRead(bench.view, at: bench.clock.now, random: 0)
      case .readJournal:
        looks.append(bench.milliseconds)
        bench.schedule.journalFailed(at: bench.clock.now)
      case .sleep(let until, _, _):
        bench.clock.advance(milliseconds: (until ?? .max) - bench.clock.bootMilliseconds)
      case .pass, .finished:
        Issue.record("nothing is known to be pending")
        return
      }
    }
    #expect(looks.prefix(4) == [0, 10_000, 30_000, 70_000])
    #expect(looks.count < 14)
  }

  @Test func `a fault of this machine is waited out, and forgotten when a person asks`() {
    var bench = Bench(pending: 1)
    bench.onPass = { _ in .trouble }
    bench.run(milliseconds: 65_000)
    #expect(bench.passes.map(\.0) == [0, 10_000, 30_000])
    bench.onPass = Bench.success
    bench.schedule.asked(at: bench.clock.now)
    bench.settle()
    #expect(bench.passes.last?.0 == 65_000)
    #expect(bench.passes.last?.1 == .retryAfterAlone)
  }

  @Test func `a fault of this machine eats no person's request`() {
    var bench = Bench(AgentRules(endsWhenEmpty: true), pending: 1)
    bench.backlog.reason = .held
    bench.backlog.serverBootMilliseconds = bench.clock.bootMilliseconds + 80_000_000
    bench.onPass = { _ in .trouble }
    bench.settle()
    bench.onPass = Bench.success
    #expect(bench.run(milliseconds: 15_000) == .finished(.empty))
    #expect(bench.passes.map(\.0) == [0, 10_000])
    #expect(bench.passes.map(\.1) == [.retryAfterAlone, .retryAfterAlone])
  }

  @Test func `a change of the network eats no person's request`() {
    var bench = Bench(AgentRules(endsWhenEmpty: true), pending: 1)
    bench.backlog.reason = .held
    bench.backlog.serverBootMilliseconds = bench.clock.bootMilliseconds + 80_000_000
    bench.onPass = { bench in
      bench.onPass = Bench.success
      bench.change()
      return .networkChanged
    }
    #expect(bench.run(milliseconds: 15_000) == .finished(.empty))
    #expect(bench.passes.map(\.1) == [.retryAfterAlone, .retryAfterAlone])
  }

  @Test func `a request that was tried before the fault is not tried past the waits again`() {
    var bench = Bench(pending: 1)
    bench.backlog.reason = .held
    bench.backlog.serverBootMilliseconds = bench.clock.bootMilliseconds + 80_000_000
    bench.schedule.asked(at: bench.clock.now)
    for _ in 1...3 {
      if case .pass = bench.schedule.step(at: bench.clock.now) { break }
      bench.schedule.networkRead(bench.view, at: bench.clock.now, random: 0)
      bench.schedule.journalRead(bench.backlog, at: bench.clock.now)
    }
    bench.schedule.passEnded(.trouble, hasTried: true, at: bench.clock.now)
    bench.run(milliseconds: 3_600_000)
    #expect(bench.passes.isEmpty)
  }

  @Test func `a journal that can't be read is looked at when it changes, once a minute`() {
    var bench = Bench(pending: 1)
    bench.onPass = Bench.success
    bench.settle()
    for _ in 1...8 { bench.schedule.journalFailed(at: bench.clock.now) }
    var looks: [Int64] = []
    let end = bench.milliseconds + 300_000
    while bench.milliseconds < end {
      switch bench.schedule.step(at: bench.clock.now) {
      case .readJournal:
        looks.append(bench.milliseconds)
        bench.schedule.journalFailed(at: bench.clock.now)
      case .sleep(let until, _, let hearsJournal):
        // Something is heard each second.
        bench.clock.advance(milliseconds: min(1000, until ?? .max))
        if hearsJournal { bench.schedule.journalRang(at: bench.clock.now) }
      default: break
      }
    }
    #expect(looks == [60_000, 120_000, 180_000, 240_000])
  }

  @Test func `a journal that nothing is told of is looked at by the minute`() {
    var bench = Bench()
    var looks: [Int64] = []
    while bench.milliseconds < 200_000 {
      switch bench.schedule.step(at: bench.clock.now) {
      case .readNetwork:
        bench.schedule.networkRead(bench.view, at: bench.clock.now, random: 0)
      case .readJournal:
        looks.append(bench.milliseconds)
        bench.schedule.journalRead(bench.backlog, isHeard: false, at: bench.clock.now)
      case .sleep(let until, _, _):
        bench.clock.advance(milliseconds: (until ?? .max) - bench.clock.bootMilliseconds)
      case .pass, .finished: Issue.record("nothing is pending")
      }
    }
    #expect(looks == [0, 60_000, 120_000, 180_000])
  }

  @Test func `faults of the journal that pass don't add up`() {
    var bench = Bench()
    bench.settle()
    for _ in 0..<20 {
      bench.schedule.journalFailed(at: bench.clock.now)
      bench.run(milliseconds: 10_000)
    }
    bench.schedule.journalFailed(at: bench.clock.now)
    #expect(
      bench.settle()
        == .sleep(
          untilBootMilliseconds: bench.clock.bootMilliseconds + 10_000, hearsNetwork: true,
          hearsJournal: false))
  }

  @Test func `nothing spins, whatever the journal says`() {
    var bench = Bench(pending: 1)
    bench.run(milliseconds: 10_000)
    #expect(bench.passes.count <= 11)
  }

  @Test func `a person's request heeds Retry-After`() {
    var bench = Bench(pending: 1)
    bench.onPass = { bench in
      bench.backlog.reason = .retryAfter
      bench.backlog.serverBootMilliseconds = bench.clock.bootMilliseconds + 100_000
      return .ran
    }
    bench.run(milliseconds: 10_000)
    bench.schedule.asked(at: bench.clock.now)
    bench.run(milliseconds: 80_000)
    #expect(bench.passes.count == 1)
    bench.run(milliseconds: 20_000)
    #expect(bench.passes.count == 2)
  }

  // MARK: - Ending

  @Test func `ends when nothing is pending, if told so`() {
    var bench = Bench(AgentRules(firstTrySpreadMilliseconds: 300_000, endsWhenEmpty: true))
    #expect(bench.settle() == .finished(.empty))
    bench = Bench(AgentRules(firstTrySpreadMilliseconds: 300_000, endsWhenEmpty: true), pending: 1)
    // A backoff from an earlier call: whoever waits for the end wants a try now.
    bench.backlog.reason = .network
    bench.backlog.serverBootMilliseconds = bench.clock.bootMilliseconds + 100_000
    bench.onPass = Bench.success
    #expect(bench.settle() == .finished(.empty))
    #expect(bench.passes.map(\.0) == [0])
  }

  @Test func `ends at its deadline, offline too`() {
    for reach in [Reach.wide, .none] {
      var rules = AgentRules(endsWhenEmpty: true)
      rules.deadlineBootMilliseconds = TestClock().bootMilliseconds + 60_000
      var bench = Bench(rules, pending: 1)
      bench.view = NetworkView(reach: reach, mark: 1)
      bench.onPass = Bench.inVain(1_000_000)
      #expect(bench.run(milliseconds: 59_999) != .finished(.deadline))
      bench.clock.advance(milliseconds: 1)
      #expect(bench.settle() == .finished(.deadline))
    }
  }
}
