import HandbackCore
import TestSupport
import Testing

/// The signed date: corrected by the answer that refuses it, once.
struct FlusherClockTests {
  @Test(arguments: [-901, 901, -3600, 3600, -86_400, 86_400, -315_360_000, 315_360_000] as [Int64])
  func `corrects the clock and sends again at once`(errorSeconds: Int64) throws {
    // A floor that is no help.
    let bench = FlushBench(clock: TestClock(wallErrorSeconds: errorSeconds))
    bench.journal.server.clock = ServerClock(
      floorSeconds: TestClock.start - day(3652), anchor: nil)
    #expect(try bench.pass().text == "done")
    #expect(
      bench.events == ["clock \(errorSeconds > 0 ? "" : "+")\(-errorSeconds)", "1 deactivated"])
    #expect(bench.server.requests.count == 2)
    // The refused one is closed before another is opened.
    #expect(bench.journal.log == [.opened(1), .concluded(1), .opened(1), .concluded(1)])
    #expect(bench.journal.row(1).attempts == 2)
    #expect(bench.allProblems == [])
  }

  @Test func `a refused date is no unanswered attempt, if the power goes before the next`() throws {
    let bench = FlushBench(clock: TestClock(wallErrorSeconds: -4000))
    var openBetween: [Int64] = []
    bench.journal.afterConcluding = { [journal = bench.journal] _, _ in
      openBetween.append(journal.row(1).openAttempts)
    }
    try bench.pass()
    #expect(openBetween == [0, 0])
    #expect(bench.events == ["clock +4000", "1 deactivated"])
  }

  @Test func `starts in 1970 with the release's date, and corrects that`() throws {
    var clock = TestClock(bootMilliseconds: 30_000)
    clock.setWall(toSeconds: 30)
    let bench = FlushBench(clock: clock)
    try bench.pass()
    #expect(bench.server.requests.first?.dateSeconds == Version.releaseEpochSeconds)
    #expect(bench.events.count == 2)
    #expect(bench.events.last == "1 deactivated")
  }

  @Test func `corrects once for all rows`() throws {
    let bench = FlushBench(FlushBench.licenses(4), clock: TestClock(wallErrorSeconds: -9999))
    #expect(try bench.pass().text == "done")
    #expect(bench.events == ["clock +9999"] + (1...4).map { "\($0) deactivated" })
    #expect(bench.server.requests.count == 5)
  }

  /// A wrong clock may show as that, too.
  @Test(arguments: [401, 403])
  func `corrects the clock after a refusal with a code of tomorrow`(status: Int) throws {
    let bench = FlushBench(
      script: [.answer(.error(status, "moon_phase"))], clock: TestClock(wallErrorSeconds: -5000))
    #expect(try bench.pass().text == "done")
    #expect(bench.events == ["clock +5000", "1 deactivated"])
  }

  @Test func `corrects once only`() throws {
    let refusal = Answer.error(400, "date_header_diff")
    let bench = FlushBench(
      script: [.answer(refusal), .answer(refusal)], clock: TestClock(wallErrorSeconds: -5000))
    #expect(try bench.pass().reason == .held)
    #expect(bench.events == ["clock +5000", "1 held date_header_diff"])
    #expect(bench.server.requests.count == 2)
    // What was learned is kept all the same.
    #expect(bench.journal.server.clock.anchor != nil)
    try bench.pass()
    #expect(bench.events.last == "1 deactivated")
    #expect(bench.allProblems == [])
  }

  @Test func `holds where the refusal gives no other time`() throws {
    let refusal = Answer.error(400, "date_header_diff")
    let bench = FlushBench(
      script: [.bare(refusal), .answer(refusal)], clock: TestClock(wallErrorSeconds: 0))
    #expect(try bench.pass().text.hasPrefix("held"))
    // The server's date is ours to the second: sending it again is no use.
    #expect(try bench.pass().text.hasPrefix("held"))
    #expect(bench.events == ["1 held date_header_diff", "1 held date_header_diff"])
    #expect(bench.server.requests.count == 2)
  }

  /// A wrong clock may show as a wrong signature, or as a plain 401 or 403.
  @Test(arguments: [
    Answer.error(401, "signature_mismatch"), .error(400, "signature_mismatch"), Answer(401),
    Answer(403), .error(401, "invalid_api_key"),
  ])
  func `takes a refusal with a skew for the clock's fault`(answer: Answer) throws {
    let near = FlushBench(script: [.answer(answer)], clock: TestClock(wallErrorSeconds: 450))
    #expect(try near.pass().reason == .held)
    #expect(near.server.requests.count == 1)
    for error in [451, -451, 100_000] as [Int64] {
      let far = FlushBench(
        script: [.answer(answer), .answer(answer)], clock: TestClock(wallErrorSeconds: error))
      #expect(try far.pass().reason == .held)
      #expect(far.events.count == 2)
      #expect(far.events[0] == "clock \(error > 0 ? "" : "+")\(-error)")
      #expect(far.server.requests.count == 2)
    }
  }

  @Test(arguments: [
    Answer(401, "<html>"), Answer(200, "<html>"), Answer(503), Answer(500), Answer(302),
    .error(400, "license_expired"), .error(400, "validation_error"),
  ])
  func `takes no time from other answers`(answer: Answer) throws {
    let bench = FlushBench(
      script: [.answer(answer)], clock: TestClock(wallErrorSeconds: -100_000))
    try bench.pass()
    #expect(bench.server.requests.count == 1)
    #expect(bench.journal.server.clock.anchor == nil)
    #expect(bench.journal.server.clock.floorSeconds == Version.releaseEpochSeconds)
  }

  @Test func `a corrected clock outlives the process, whatever the wall clock does`() throws {
    let bench = FlushBench(FlushBench.licenses(1), clock: TestClock(wallErrorSeconds: -day(4000)))
    try bench.pass()
    for (index, error) in [day(3650), -day(3650), 0, -bench.clock.worldSeconds].enumerated() {
      bench.clock.wallErrorSeconds = error
      bench.clock.advance(milliseconds: 3_600_000)
      let license = SampleLicense(.key("LATER-\(index)"))
      bench.journal.queue(license)
      bench.server.activate(license)
      bench.restart()
      try bench.pass()
    }
    #expect(bench.events.dropFirst() == (1...5).map { "\($0) deactivated" }[...])
    #expect(bench.allProblems == [])
  }

  /// Ten years ahead and back, between two passes of one boot.
  @Test func `a wall clock that jumps after a success is no longer looked at`() throws {
    let bench = FlushBench(FlushBench.licenses(1))
    try bench.pass()
    let start = bench.clock.worldSeconds
    for error in [day(3650), 0, -day(3650)] {
      bench.clock.advance(milliseconds: 1_000_000)
      bench.clock.wallErrorSeconds = error
      bench.server.activate(SampleLicense())
      bench.journal.queue(SampleLicense())
      bench.restart()
      try bench.pass()
      let certificateSeconds = try #require(bench.server.requests.last?.certificateSeconds)
      #expect((start - 1...bench.clock.worldSeconds).contains(certificateSeconds))
    }
    #expect(bench.events == (1...4).map { "\($0) deactivated" })
  }

  /// In another boot, the jump is only found out by the server.
  @Test func `a wall clock that jumps over a restart is corrected then`() throws {
    let bench = FlushBench(FlushBench.licenses(1))
    try bench.pass()
    bench.clock.reboot(offMilliseconds: 0)
    bench.clock.wallErrorSeconds = day(3650)
    bench.server.activate(SampleLicense())
    bench.journal.queue(SampleLicense())
    bench.restart()
    try bench.pass()
    #expect(bench.events == ["1 deactivated", "clock -\(day(3650))", "2 deactivated"])
  }

  @Test func `the next boot begins with the newest time known`() throws {
    let bench = FlushBench(FlushBench.licenses(1), clock: TestClock(wallErrorSeconds: -9_000_000))
    try bench.pass()
    let told = try #require(bench.journal.server.clock.anchor?.seconds)
    #expect(abs(told - bench.clock.worldSeconds) <= 1)
    bench.clock.reboot(offMilliseconds: 600_000)
    bench.clock.setWall(toSeconds: 2)
    bench.server.activate(SampleLicense())
    bench.journal.queue(SampleLicense())
    bench.restart()
    try bench.pass()
    // Ten minutes behind is good enough for the server.
    #expect(bench.server.requests.last?.dateSeconds == told)
    #expect(bench.events.last == "2 deactivated")
  }

  /// A clock from before the floor stands still at it, unless an answer gives this boot an anchor.
  @Test func `an answer gives a boot without a clock its time, though the last boot had one`()
    throws
  {
    let bench = FlushBench(FlushBench.licenses(1), clock: TestClock(wallErrorSeconds: -9_000_000))
    try bench.pass()
    #expect(bench.journal.server.clock.anchor?.bootID == 11)
    bench.clock.reboot(offMilliseconds: 60_000)
    bench.clock.setWall(toSeconds: 2)
    bench.restart()
    for index in 0..<3 {
      let license = SampleLicense(.key("LATER-\(index)"))
      bench.server.activate(license)
      bench.journal.queue(license)
      try bench.pass()
      bench.clock.advance(milliseconds: 3_600_000)
    }
    #expect(bench.journal.server.clock.anchor?.bootID == 12)
    #expect(bench.events.dropFirst() == (1...4).map { "\($0) deactivated" }[...])
  }

  @Test func `a server whose clock is wrong is followed, and left when it is right again`() throws {
    let bench = FlushBench(FlushBench.licenses(1))
    bench.server.clockErrorSeconds = day(30)
    try bench.pass()
    bench.server.clockErrorSeconds = 0
    bench.server.activate(SampleLicense())
    bench.journal.queue(SampleLicense())
    try bench.pass()
    #expect(
      bench.events == ["clock +\(day(30))", "1 deactivated", "clock -\(day(30))", "2 deactivated"])
  }

  /// It accepted ours, so ours is right.
  @Test func `a server that tells a wrong time and accepts ours changes nothing`() throws {
    let bench = FlushBench(FlushBench.licenses(3))
    bench.server.clockErrorSeconds = -day(365)
    bench.server.checksDate = false
    #expect(try bench.pass().text == "done")
    #expect(bench.events == (1...3).map { "\($0) deactivated" })
    #expect(bench.journal.server.clock.anchor == nil)
    #expect(bench.journal.server.clock.floorSeconds == Version.releaseEpochSeconds)
  }

  @Test func `an answer lost after a correction infers the same`() throws {
    let bench = FlushBench(
      script: [.serve, .serveThenCut], clock: TestClock(wallErrorSeconds: -7200))
    try bench.pass()
    #expect(bench.journal.row(1).openAttempts == 1)
    bench.restart()
    try bench.pass()
    #expect(bench.events == ["clock +7200", "1 later connection_cut", "1 deactivated inferred"])
    #expect(bench.allProblems == [])
  }

  private func day(_ count: Int64) -> Int64 { count * 86_400 }
}
