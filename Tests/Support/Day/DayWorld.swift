import HandbackCore

/// What happens around the device in a day: when, and what. It knows nothing of the agent.
struct DayWorld {
  enum Event: Equatable {
    case link(Reach)
    /// The link goes and comes so many times, one after the other.
    case flap(Int)
    case weather(Weather)
    case queue(isKnown: Bool, isSent: Bool)
    case withdraw
    case setWall
    case setServerClock
    /// The agent's process is ended and started.
    case restart
    case powerCut
    case suspend
    /// A person's `handback flush`.
    case flush
    /// A person tells the agent to try.
    case ask
    /// Another process has the sender's lock for a while.
    case occupy
    case breakDisk
  }

  private(set) var reach = Reach.wide
  /// Counts the changes of the network.
  private(set) var mark: UInt64 = 1
  var weather = Weather.fair
  /// Changes of the link that are left of a flap.
  private(set) var flapsLeft = 0
  /// TLS is verified at the device's own time, so that a clock before this finds no server.
  let certificateStartSeconds: Int64?
  private let gapMilliseconds: Int64
  private var random: SeededGenerator

  init(_ random: inout SeededGenerator) {
    gapMilliseconds = [60_000, 300_000, 900_000, 3_600_000][Int(random.next() % 4)]
    certificateStartSeconds = random.once(in: 3) ? TestClock.start - 2_592_000 : nil
    self.random = SeededGenerator(seed: random.next())
  }

  var view: NetworkView { NetworkView(reach: reach, mark: mark) }

  mutating func setLink(_ reach: Reach) {
    self.reach = reach
    mark += 1
  }

  mutating func flap(_ count: Int) { flapsLeft = count }

  /// Milliseconds to the next event: often soon after the last, sometimes long.
  mutating func gap() -> Int64 {
    if flapsLeft > 0 { return Int64.random(in: 20...2000, using: &random) }
    return random.once(in: 4)
      ? Int64.random(in: 0...3000, using: &random)
      : Int64.random(in: 0...(2 * gapMilliseconds), using: &random)
  }

  mutating func next() -> Event {
    if flapsLeft > 0 {
      flapsLeft -= 1
      return .link(flapsLeft % 2 == 0 ? .wide : .none)
    }
    switch random.next() % 32 {
    case 0...4: return .link(.none)
    case 5...9: return .link(.wide)
    case 10: return .link(.narrow)
    case 11: return .flap([3, 20, 1000][Int(random.next() % 3)])
    case 12...17: return .weather(Weather.allCases[Int(random.next() % 5)])
    case 18...20: return .queue(isKnown: !random.once(in: 5), isSent: random.once(in: 2))
    case 21: return .withdraw
    case 22, 23: return .setWall
    case 24: return .setServerClock
    case 25: return .restart
    case 26: return .powerCut
    case 27: return .suspend
    case 28: return .flush
    case 29: return .ask
    case 30: return .occupy
    default: return .breakDisk
    }
  }

  /// How far the wall clock is off after it was set.
  mutating func wallError(_ clock: TestClock) -> Int64 {
    let tenYears: Int64 = 315_360_000
    switch random.next() % 6 {
    case 0: return Int64(random.next() % 1000) - clock.worldSeconds
    case 1: return tenYears
    case 2: return -tenYears
    case 3: return Int64.random(in: -2000...2000, using: &random)
    default: return 0
    }
  }

  mutating func serverClockError() -> Int64 { [0, 0, 7200, -86_400][Int(random.next() % 4)] }
  mutating func milliseconds(upTo limit: Int64) -> Int64 {
    Int64.random(in: 0...limit, using: &random)
  }
  mutating func once(in count: Int) -> Bool { random.once(in: count) }
  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

  /// What becomes of a request.
  mutating func reply(_ clock: TestClock) -> ScriptedServer.Reply {
    if reach == .none { return .unreachable(random.once(in: 2) ? .resolve : .connect) }
    if let start = certificateStartSeconds, clock.now.wallSeconds < start {
      return .unreachable(.tlsNotYetValid)
    }
    if weather == .sick, random.once(in: 3) {
      let status = random.once(in: 2) ? 503 : 429
      let seconds = [2, 30, 600, 7200, 200_000][Int(random.next() % 5)]
      return .answer(Answer(status, "", fields: ["Retry-After: \(seconds)"]))
    }
    return weather.reply(&random)
  }
}
