import HandbackCore
import TestSupport

/// A device's life from one seed: networks and servers that come and go, faults before and after
/// the server acts, wrong clocks, reboots, full disks; in the end all is well for a while.
struct Simulation {
  let seed: UInt64
  private var random: SeededGenerator
  private let bench: FlushBench
  private var unknown: Set<String>
  private var story: [String] = []

  init(seed: UInt64) {
    self.seed = seed
    var random = SeededGenerator(seed: seed)
    let known = FlushBench.licenses(Int.random(in: 0...5, using: &random))
    let strangers = FlushBench.licenses(Int.random(in: 0...2, using: &random), "UNKNOWN")
    unknown = Set(strangers.map(\.body))
    var rules = FlushRules(requestsPerSecondMax: [0, 1, 10, 1000][Int(random.next() % 4)])
    rules.onlyDue = Bool.random(using: &random)
    let authorization: [FlushBench.Authorization] = [
      .signature, .signature, .bearer, .clientCredentials(tokenURL: nil),
      .clientCredentials(tokenURL: ScriptedServer.tokenURL),
    ]
    bench = FlushBench(
      known, unknown: strangers, rules: rules, authorization: authorization[Int(random.next() % 5)],
      clock: TestClock(bootMilliseconds: Int64(random.next() % 100_000)), seed: random.next())
    bench.server.tokenLifetimeSeconds = random.once(in: 4) ? 1 : 480
    bench.latencyMilliseconds = Int64(random.next() % 400)
    self.random = random
    var others = SeededGenerator(seed: random.next())
    // Somebody repeats the command while a request is on its way.
    bench.server.onRequest = { [journal = bench.journal] _ in
      guard others.once(in: 8), !journal.rows.isEmpty else { return }
      let row = journal.row(Int.random(in: 1...journal.rows.count, using: &others))
      journal.askAgain(row.ticket, row.license)
    }
    setWall()
    setWeather(.fair)
  }

  /// Runs it; what is wrong in the end, if anything.
  mutating func run() -> [String] {
    for _ in 0..<Int.random(in: 5...30, using: &random) { step() }
    story.append("all well")
    bench.server.improvise = nil
    bench.server.clockErrorSeconds = 0
    bench.journal.failing = []
    var problems: [String] = []
    if !bench.settle() { problems.append("not settled") }
    problems += bench.allProblems
    for row in bench.journal.rows {
      let isKnown = !unknown.contains(row.body)
      let isActive = bench.server.active.contains(row.body)
      if isActive, row.ending != .withdrawn {
        problems.append(
          "\(row.ticket.text): still active, and \(row.ending.map { "\($0)" } ?? "-")")
      }
      if isKnown, row.ending == .rejected {
        problems.append("\(row.ticket.text): rejected, and the server knows it")
      }
    }
    return problems
  }

  var account: String {
    "\(story.joined(separator: ", "))\nevents: \(bench.events)\njournal: \(bench.journal.log)"
  }

  // MARK: - What may happen

  private mutating func step() {
    switch random.next() % 20 {
    case 0...8: pass()
    case 9...11: setWeather(Weather.allCases[Int(random.next() % 5)])
    case 12, 13: wait()
    case 14: reboot()
    case 15: setWall()
    case 16: restart()
    case 17: queue()
    case 18: withdraw()
    default: setServerClock()
    }
  }

  private mutating func pass() {
    let journal = bench.journal
    journal.failing = []
    if random.once(in: 4) {
      let first = journal.callCount + Int.random(in: 1...8, using: &random)
      journal.failing = Set(first..<(first + Int.random(in: 1...3, using: &random)))
      journal.failsAfterWriting = Bool.random(using: &random)
    }
    do throws(MemoryJournal.Failure) {
      story.append("pass: \(try bench.pass().text)")
    } catch {
      story.append("pass: call \(error.call) failed")
      if random.once(in: 2) { return restart() }
      // On and on, until the disk takes it.
      while random.once(in: 2) {
        if let end = try? bench.proceed() { return story.append("goes on: \(end.text)") }
      }
    }
  }

  private mutating func setWeather(_ weather: Weather) {
    story.append("\(weather)")
    var random = SeededGenerator(seed: self.random.next())
    bench.server.improvise = { _ in weather.reply(&random) }
  }

  private mutating func wait() {
    let limits: [Int64] = [1000, 60_000, 3_600_000, 100_000_000]
    let milliseconds = Int64.random(in: 0...limits[Int(random.next() % 4)], using: &random)
    story.append("\(milliseconds) ms")
    bench.clock.advance(milliseconds: milliseconds)
  }

  private mutating func reboot() {
    story.append("reboot")
    bench.clock.reboot(offMilliseconds: Int64.random(in: 0...90_000_000, using: &random))
    if random.once(in: 2) { setWall() }
    bench.restart()
  }

  private mutating func restart() {
    story.append("restart")
    bench.restart()
  }

  private mutating func setWall() {
    let tenYears: Int64 = 315_360_000
    switch random.next() % 8 {
    case 0: bench.clock.setWall(toSeconds: Int64(random.next() % 1000))
    case 1: bench.clock.wallErrorSeconds = tenYears
    case 2: bench.clock.wallErrorSeconds = -tenYears
    case 3: bench.clock.wallErrorSeconds = Int64.random(in: -2000...2000, using: &random)
    default: bench.clock.wallErrorSeconds = 0
    }
    story.append("wall \(bench.clock.wallErrorSeconds)")
  }

  private mutating func setServerClock() {
    bench.server.clockErrorSeconds = [0, 0, 7200, -86_400][Int(random.next() % 4)]
    story.append("server's clock \(bench.server.clockErrorSeconds)")
  }

  private mutating func queue() {
    let license = SampleLicense(.key("LATER-\(bench.journal.rows.count)"))
    story.append("queue")
    bench.journal.queue(license)
    if random.once(in: 4) {
      unknown.insert(license.body)
    } else {
      bench.server.activate(license)
    }
  }

  private mutating func withdraw() {
    guard !bench.journal.rows.isEmpty else { return }
    let row = Int.random(in: 1...bench.journal.rows.count, using: &random)
    story.append("withdraw \(row)")
    bench.journal.withdraw(bench.journal.row(row).ticket)
  }
}
