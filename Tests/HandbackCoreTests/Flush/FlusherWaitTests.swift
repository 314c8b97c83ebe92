import HandbackCore
import TestSupport
import Testing

/// When nothing is sent, and for how long.
struct FlusherWaitTests {
  typealias Reply = ScriptedServer.Reply

  private static func retryAfter(_ value: String, status: Int = 429) -> Reply {
    .answer(Answer(status, "", fields: ["Retry-After: \(value)"]))
  }

  // MARK: - Retry-After

  @Test(arguments: [429, 503, 500, 408, 425])
  func `Retry-After ends the pass, and nobody shortens it`(status: Int) throws {
    for onlyDue in [false, true] {
      var rules = FlushRules()
      rules.onlyDue = onlyDue
      let bench = FlushBench(
        FlushBench.licenses(2), script: [Self.retryAfter("120", status: status)], rules: rules)
      let end = try bench.pass()
      #expect(end.reason == .retryAfter)
      // Up to a tenth is added.
      #expect((120_000...132_000).contains(end.millisecondsLeft))
      #expect(bench.events == ["1 later \(status)"])
      bench.clock.advance(milliseconds: 119_000)
      bench.restart()
      #expect(try bench.pass().reason == .retryAfter)
      #expect(bench.server.requests.count == 1)
      bench.clock.advance(milliseconds: 13_000)
      #expect(try bench.pass().text == "done")
      #expect(bench.journal.pendingCount == 0)
      #expect(bench.allProblems == [])
    }
  }

  /// Keys that were right again: what the server said before is no reason any more.
  @Test func `a reason ends with its wait`() throws {
    let bench = FlushBench(
      script: [.answer(.error(401, "invalid_api_key")), .answer(Answer(500))])
    #expect(try bench.pass().reason == .held)
    bench.clock.advance(milliseconds: Wait.millisecondsMax)
    #expect(try bench.pass().text == "done")
    #expect(bench.journal.server.reason == .none)
    #expect(bench.journal.server.wait == nil)
    #expect(bench.journal.server.failures == 0)
  }

  @Test(
    arguments: [
      ("0", 1000...1100), ("1", 1000...1100), ("86400", 86_400_000...86_400_000),
      ("86401", 86_400_000...86_400_000), ("9223372036854775807", 86_400_000...86_400_000),
    ] as [(String, ClosedRange<Int64>)])
  func `Retry-After lasts from a second to a day`(
    value: String, milliseconds: ClosedRange<Int64>
  ) throws {
    for seed in 0..<20 as Range<UInt64> {
      let bench = FlushBench(script: [Self.retryAfter(value)], seed: seed)
      #expect(milliseconds.contains(try bench.pass().millisecondsLeft))
    }
  }

  /// Our clock may be wrong; the answer's own `Date` is the same clock as the date it names.
  @Test(arguments: [0, -315_360_000, 315_360_000] as [Int64], [0, -86_400, 86_400] as [Int64])
  func `a date counts from the answer's own`(wallError: Int64, serverError: Int64) throws {
    let serverSeconds = TestClock.start + serverError
    for (ahead, expected) in [(300, 300), (0, 1), (-5000, 1), (999_999, 86_400)] as [(Int64, Int64)]
    {
      let date = IMFFixdate(epochSeconds: serverSeconds + ahead).text
      let bench = FlushBench(
        script: [
          .bare(
            Answer(
              503, "",
              fields: [
                "Retry-After: \(date)", "Date: \(IMFFixdate(epochSeconds: serverSeconds).text)",
              ]))
        ], clock: TestClock(wallErrorSeconds: wallError))
      let end = try bench.pass()
      #expect(end.reason == .retryAfter)
      #expect((expected * 1000...expected * 1100).contains(end.millisecondsLeft))
    }
  }

  @Test func `a date without the answer's own counts from the clock known`() throws {
    let date = IMFFixdate(epochSeconds: TestClock.start + 600).text
    let bench = FlushBench(script: [.bare(Answer(503, "", fields: ["Retry-After: \(date)"]))])
    #expect((600_000...660_000).contains(try bench.pass().millisecondsLeft))
  }

  @Test func `Retry-After counts anew after a reboot`() throws {
    let bench = FlushBench(script: [Self.retryAfter("100")])
    let told = try bench.pass().millisecondsLeft
    bench.clock.advance(milliseconds: 90_000)
    bench.clock.reboot(offMilliseconds: 5000)
    bench.restart()
    let end = try bench.pass()
    #expect(end.reason == .retryAfter)
    #expect(end.millisecondsLeft == told - 2000)
    bench.clock.advance(milliseconds: told - 2000)
    #expect(try bench.pass().text == "done")
  }

  @Test func `a device that is on for ten minutes a day outlives a Retry-After of a day`() throws {
    let bench = FlushBench(script: [Self.retryAfter("86400")])
    try bench.pass()
    bench.clock.advance(milliseconds: 600_000)
    bench.clock.reboot(offMilliseconds: 5000)
    bench.restart()
    bench.clock.advance(milliseconds: 100_000)
    #expect(try bench.pass().reason == .retryAfter)
    bench.clock.advance(milliseconds: 200_000)
    #expect(try bench.pass().text == "done")
    #expect(bench.journal.pendingCount == 0)
  }

  @Test(arguments: [408, 500, 503])
  func `a server that answers is not out of reach any more`(status: Int) throws {
    let bench = FlushBench(script: [.unreachable(.connect), .answer(Answer(status))])
    try bench.pass()
    #expect(bench.journal.server.reason == .network)
    try bench.pass()
    #expect(bench.events.last == "1 later \(status)")
    #expect(bench.journal.server.reason == .none)
    #expect(bench.journal.server.wait == nil)
  }

  @Test func `a success clears what kept the server waiting`() throws {
    let bench = FlushBench(script: [Self.retryAfter("5"), .unreachable(.connect)])
    try bench.pass()
    bench.clock.advance(milliseconds: 6000)
    try bench.pass()
    #expect(bench.journal.server.failures == 2)
    #expect(bench.journal.server.reason == .network)
    try bench.pass()
    #expect(bench.journal.server.failures == 0)
    #expect(bench.journal.server.wait == nil)
    #expect(bench.journal.server.reason == .none)
  }

  // MARK: - Backoff

  /// Full jitter: between 1 s and min(ceiling, base · 2^n), and the whole of that is used.
  @Test func `waits grow with each failure, spread from nothing to their limit`() throws {
    var longest = [Int64](repeating: 0, count: 10)
    var shortest = [Int64](repeating: .max, count: 10)
    for seed in 0..<300 as Range<UInt64> {
      let bench = FlushBench(
        script: Array(repeating: .unreachable(.connect), count: 10), seed: seed)
      for failure in 0..<10 {
        let end = try bench.pass()
        #expect(end.reason == .network)
        longest[failure] = max(longest[failure], end.millisecondsLeft)
        shortest[failure] = min(shortest[failure], end.millisecondsLeft)
        // A new process goes on where the last one was.
        bench.restart()
      }
      #expect(bench.journal.server.failures == 10)
    }
    for failure in 0..<10 {
      let limit = min(30_000 << Int64(failure), 3_600_000)
      #expect(longest[failure] <= limit)
      #expect(longest[failure] > limit * 95 / 100)
      #expect(shortest[failure] >= 1000)
      #expect(shortest[failure] < max(limit / 20, 2000))
    }
  }

  @Test func `settings that are refused are tried again slowly`() throws {
    var longest: Int64 = 0
    for seed in 0..<100 as Range<UInt64> {
      let bench = FlushBench(script: [.answer(.error(401, "revoked_api_key"))], seed: seed)
      longest = max(longest, try bench.pass().millisecondsLeft)
    }
    #expect((3_400_000...3_600_000).contains(longest))
  }

  @Test(arguments: [true, false])
  func `only a timer heeds a wait for the network`(onlyDue: Bool) throws {
    var rules = FlushRules()
    rules.onlyDue = onlyDue
    let bench = FlushBench(script: [.unreachable(.connect)], rules: rules)
    let told = try bench.pass().millisecondsLeft
    bench.restart()
    if onlyDue {
      #expect(try bench.pass().text == "network \(told)")
      bench.clock.advance(milliseconds: told - 1)
      #expect(try bench.pass().text == "network 1")
      bench.clock.advance(milliseconds: 1)
    }
    #expect(bench.server.requests.count == 1)
    #expect(try bench.pass().text == "done")
    #expect(bench.events.last == "1 deactivated")
  }

  @Test func `a timer passes over rows that are not due`() throws {
    var rules = FlushRules()
    rules.onlyDue = true
    let bench = FlushBench(
      FlushBench.licenses(3), script: [.answer(.error(400, "validation_error"))], rules: rules)
    #expect(try bench.pass().text == "done")
    let wait = try #require(bench.journal.row(1).wait)
    #expect(bench.events.dropFirst() == ["2 deactivated", "3 deactivated"])
    #expect(try bench.pass().text == "done")
    #expect(bench.server.requests.count == 3)
    bench.clock.advance(milliseconds: wait.milliseconds)
    try bench.pass()
    #expect(bench.events.last == "1 deactivated")
  }

  @Test func `the wall clock neither ends nor lengthens a wait`() throws {
    var rules = FlushRules()
    rules.onlyDue = true
    let bench = FlushBench(script: [.unreachable(.connect)], rules: rules)
    let told = try bench.pass().millisecondsLeft
    for error in [315_360_000, -315_360_000] as [Int64] {
      bench.clock.wallErrorSeconds = error
      #expect(try bench.pass().millisecondsLeft == told)
    }
  }

  // MARK: - The server in trouble

  @Test(arguments: [408, 425, 500, 502, 503, 504])
  func `three "later" in a row end the pass`(status: Int) throws {
    let bench = FlushBench(
      FlushBench.licenses(5), script: Array(repeating: .answer(Answer(status)), count: 3))
    #expect(try bench.pass().reason == .server)
    #expect(bench.events == (1...3).map { "\($0) later \(status)" })
    #expect(bench.journal.row(1).wait != nil)
    #expect(bench.journal.row(2).wait != nil)
    #expect(bench.journal.row(1).failures == 1)
    #expect(bench.settle())
    #expect(bench.allProblems == [])
  }

  @Test func `a "later" now and then doesn't`() throws {
    let later = Reply.answer(Answer(500))
    let bench = FlushBench(
      FlushBench.licenses(8), script: [later, later, .serve, later, later, .serve, .serve, later])
    #expect(try bench.pass().text == "done")
    #expect(bench.server.requests.count == 8)
    #expect(bench.journal.pendingCount == 5)
    #expect(bench.allProblems == [])
  }

  @Test func `429 ends it at once`() throws {
    let bench = FlushBench(FlushBench.licenses(3), script: [.answer(Answer(429))])
    #expect(try bench.pass().reason == .server)
    #expect(bench.server.requests.count == 1)
  }

  @Test func `a network fault ends it at once`() throws {
    let bench = FlushBench(FlushBench.licenses(3), script: [.unreachable(.resolve)])
    #expect(try bench.pass().reason == .network)
    #expect(bench.server.requests.count == 1)
  }

  /// Say, a body that some middlebox chokes on.
  @Test func `a row that always cuts the connection doesn't block those behind it`() throws {
    let bench = FlushBench(FlushBench.licenses(4))
    let poison = bench.journal.row(1).body
    bench.server.improvise = { $0.body == poison ? .cut : .serve }
    #expect(try bench.pass().reason == .network)
    #expect(try bench.pass().reason == .network)
    #expect(
      bench.events == ["1 later connection_cut"] + (2...4).map { "\($0) deactivated" }
        + ["1 later connection_cut"])
    #expect(try bench.pass().text == "done")
    #expect(bench.events.last == "1 later connection_cut")
    #expect(bench.journal.row(1).wait != nil)
    #expect(bench.journal.row(1).openAttempts == 3)
    bench.server.improvise = nil
    try bench.pass()
    #expect(bench.events.last == "1 deactivated")
    #expect(bench.allProblems == [])
  }

  @Test func `two such rows in a row are taken for the network's trouble`() throws {
    let bench = FlushBench(FlushBench.licenses(4))
    for row in 1...4 { bench.journal.edit(row) { $0.failures = 5 } }
    bench.server.improvise = { _ in .cut }
    #expect(try bench.pass().reason == .network)
    #expect(bench.server.requests.count == 2)
  }

  // MARK: - Pacing

  @Test(arguments: [(10, 100), (1, 1000), (3, 334), (7, 143), (1000, 1)] as [(Int64, Int64)])
  func `keeps its distance between requests`(perSecond: Int64, milliseconds: Int64) throws {
    let bench = FlushBench(
      FlushBench.licenses(20), rules: FlushRules(requestsPerSecondMax: perSecond))
    bench.latencyMilliseconds = 0
    #expect(try bench.pass().text == "done")
    let times = bench.server.requests.map(\.sentAt.bootMilliseconds)
    for (first, second) in zip(times, times.dropFirst()) {
      #expect(second - first == milliseconds)
    }
    #expect(bench.pauses == Array(repeating: milliseconds, count: 19))
  }

  @Test func `doesn't pause where the server is slow, or without a limit`() throws {
    let slow = FlushBench(FlushBench.licenses(5))
    slow.latencyMilliseconds = 60
    try slow.pass()
    #expect(slow.pauses == [])
    let free = FlushBench(FlushBench.licenses(5), rules: FlushRules(requestsPerSecondMax: 0))
    free.latencyMilliseconds = 0
    try free.pass()
    #expect(free.pauses == [])
    #expect(free.server.requests.count == 5)
  }

  @Test func `keeps its distance from pass to pass, and after a correction`() throws {
    let bench = FlushBench(FlushBench.licenses(1), clock: TestClock(wallErrorSeconds: -5000))
    bench.latencyMilliseconds = 0
    try bench.pass()
    bench.server.activate(SampleLicense())
    bench.journal.queue(SampleLicense())
    try bench.pass()
    let times = bench.server.requests.map(\.sentAt.bootMilliseconds)
    #expect(times.map { $0 - times[0] } == [0, 100, 200])
  }
}
