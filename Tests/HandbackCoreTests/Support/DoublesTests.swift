import Foundation
import HandbackCore
import TestSupport
import Testing

/// The doubles themselves: what they do, and that they fail when told to.
struct MemoryJournalTests {
  private static let now = TestClock().now
  private static let outcome = HandbackCore.Outcome(httpStatus: 200, code: nil, message: nil)

  private static func end(
    _ journal: MemoryJournal, _ ticket: Ticket, _ ending: Ending, inferred: Bool = false
  ) throws {
    try journal.conclude(
      ticket, .ended(ending, isInferred: inferred, licenseSignature: nil), outcome, server: nil,
      at: now)
  }

  private static func next(
    _ journal: MemoryJournal, after row: Int64, onlyDue: Bool
  ) throws -> Int64? {
    try journal.next(after: row, onlyDue: onlyDue, at: now)?.ticket.row
  }

  @Test func `gives pending rows in order, and due ones only when asked`() throws {
    let journal = MemoryJournal(FlushBench.licenses(3))
    journal.edit(1) { $0.ending = .withdrawn }
    journal.edit(2) { $0.wait = Wait(milliseconds: 500, from: Self.now) }
    #expect(try Self.next(journal, after: 0, onlyDue: false) == 2)
    #expect(try Self.next(journal, after: 0, onlyDue: true) == 3)
    #expect(try Self.next(journal, after: 3, onlyDue: false) == nil)
    #expect(journal.pendingCount == 2)
  }

  @Test func `counts attempts, and opens none for a row that ended`() throws {
    let journal = MemoryJournal(FlushBench.licenses(1))
    let ticket = journal.row(1).ticket
    #expect(try journal.openAttempt(ticket, at: Self.now))
    #expect(journal.row(1).attempts == 1)
    #expect(journal.row(1).openAttempts == 1)
    journal.withdraw(ticket)
    #expect(try !journal.openAttempt(ticket, at: Self.now))
    #expect(journal.row(1).attempts == 1)
    #expect(journal.log == [.opened(1)])
  }

  @Test func `fails the calls it is told to, before or after writing`() throws {
    for failsAfterWriting in [false, true] {
      let journal = MemoryJournal(FlushBench.licenses(1))
      let ticket = journal.row(1).ticket
      journal.failing = [2, 3]
      journal.failsAfterWriting = failsAfterWriting
      _ = try journal.serverState()
      #expect(throws: MemoryJournal.Failure(call: 2)) {
        _ = try journal.openAttempt(ticket, at: Self.now)
      }
      #expect(journal.row(1).attempts == (failsAfterWriting ? 1 : 0))
      #expect(throws: MemoryJournal.Failure(call: 3)) { try Self.end(journal, ticket, .rejected) }
      #expect((journal.row(1).ending == .rejected) == failsAfterWriting)
      #expect(try Self.next(journal, after: 0, onlyDue: false) == (failsAfterWriting ? nil : 1))
      #expect(journal.callCount == 4)
      #expect(journal.log.suffix(1) == [.failed(call: 3)])
    }
  }

  @Test func `knows when its rules are broken`() throws {
    let journal = MemoryJournal(FlushBench.licenses(1))
    let ticket = journal.row(1).ticket
    try Self.end(journal, Ticket(row: 9, nonce: 9), .rejected)
    #expect(journal.problems.count == 1)
    try journal.conclude(
      ticket, .postponed(nil, failures: -1, isHeld: false, openAttempts: 1), Self.outcome,
      server: nil, at: Self.now)
    #expect(journal.problems.count == 3)
    try Self.end(journal, ticket, .rejected, inferred: true)
    #expect(journal.problems.count == 4)
    try Self.end(journal, ticket, .deactivated)
    #expect(journal.problems.count == 5)
    #expect(journal.row(1).ending == .rejected)
  }

  @Test func `a withdrawn row is only changed by a success`() throws {
    let journal = MemoryJournal(FlushBench.licenses(1))
    let ticket = journal.row(1).ticket
    journal.withdraw(ticket)
    try Self.end(journal, ticket, .rejected)
    #expect(journal.row(1).ending == .withdrawn)
    try Self.end(journal, ticket, .deactivated)
    #expect(journal.row(1).ending == .deactivated)
    #expect(journal.problems == [])
  }
}

struct ScriptedServerTests {
  private static let license = SampleLicense()
  private static let now = TestClock.start

  private static func server(_ script: ScriptedServer.Reply...) -> ScriptedServer {
    ScriptedServer(activating: [license], script: script)
  }

  private static func told(_ result: ExchangeResult) -> String {
    switch result {
    case .answer(let answer):
      "\(answer.status) \(answer.body.text.prefix(19))\(answer.wasResent ? " resent" : "")"
    case .fault(let fault):
      "\(fault.kind.name) \(fault.mayHaveReachedServer)"
    }
  }

  private static func ask(_ server: ScriptedServer, dateSeconds: Int64 = now) -> String {
    told(
      server.perform(
        SentRequest(body: license.body, dateSeconds: dateSeconds), worldSeconds: now))
  }

  @Test func `honest, it deactivates once`() {
    let server = Self.server()
    #expect(Self.ask(server) == "200 license_deactivated")
    #expect(Self.ask(server).hasPrefix("400 "))
    #expect(server.endCount(body: Self.license.body) == 1)
    #expect(server.active.isEmpty)
    #expect(server.ambiguous.isEmpty)
    #expect(server.requests.count == 2)
  }

  @Test(
    arguments: [
      (.serveThenCut, "connection_cut true", 1), (.cut, "connection_cut true", 0),
      (.lose(.timeout), "timed_out true", 0), (.unreachable(.tls), "tls_failed false", 0),
      (.serveThen(Answer(502)), "502 ", 1), (.answer(Answer(503)), "503 ", 0),
      (.bare(Answer(429)), "429 ", 0), (.serveThenResent(Answer(503)), "503  resent", 1),
    ] as [(ScriptedServer.Reply, String, Int)])
  func `makes a fault before or after it acts`(
    reply: ScriptedServer.Reply, told: String, count: Int
  ) {
    let server = Self.server(reply)
    #expect(Self.ask(server) == told)
    #expect(server.endCount(body: Self.license.body) == count)
    #expect(server.active.count == 1 - count)
  }

  @Test func `a request written twice finds the device gone`() {
    let server = Self.server(.serveTwice)
    let told = Self.ask(server)
    #expect(told.hasPrefix("400 ") && told.hasSuffix(" resent"))
    #expect(server.endCount(body: Self.license.body) == 1)
  }

  @Test(arguments: [(-901, false), (-900, true), (900, true), (901, false)] as [(Int64, Bool)])
  func `refuses a date that is 15 minutes off its own clock`(error: Int64, isTaken: Bool) {
    for serverError in [0, 5000] as [Int64] {
      let server = Self.server()
      server.clockErrorSeconds = serverError
      let told = Self.ask(server, dateSeconds: Self.now + serverError + error)
      #expect(told.hasPrefix("200") == isTaken)
      #expect(server.active.isEmpty == isTaken)
    }
  }

  @Test func `wants the token that it gave last`() {
    let server = Self.server()
    server.wantsToken = true
    #expect(Self.ask(server).hasPrefix("401"))
    #expect(server.active.count == 1)
  }

  /// The date is read by own code, so that the double is a judge.
  @Test func `reads dates as the core writes them`() {
    var random = SeededGenerator(seed: 8)
    for _ in 0..<2000 {
      let seconds = Int64.random(in: 0...32_503_680_000, using: &random)
      #expect(SentRequest.seconds(IMFFixdate(epochSeconds: seconds).text) == seconds)
    }
  }
}

struct TestClockTests {
  @Test func `the world goes on while the device is off or wrong`() {
    var clock = TestClock(bootMilliseconds: 1000)
    clock.advance(milliseconds: 2500)
    #expect(clock.now.bootMilliseconds == 3500)
    #expect(clock.now.wallSeconds == TestClock.start + 2)
    clock.setWall(toSeconds: 7)
    #expect(clock.now.wallSeconds == 7)
    clock.reboot(offMilliseconds: 60_500)
    #expect(clock.now.bootMilliseconds == 2000)
    #expect(clock.now.bootID == 12)
    #expect(clock.worldSeconds == TestClock.start + 65)
  }
}

struct VectorFileTests {
  private static func read(_ text: String) throws -> ResponseFile {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("handback-\(UUID().uuidString).rsp")
    defer { try? FileManager.default.removeItem(at: url) }
    try text.write(to: url, atomically: true, encoding: .utf8)
    return try ResponseFile(url, first: "Len", names: ["Len", "MD"], headNames: ["L"])
  }

  @Test func `reads records, and refuses names it doesn't know`() throws {
    let file = try Self.read("# c\n[L = 32]\r\n\nLen = 0\nMD = 00ff\n\nLen = 8\nMD = \n")
    #expect(file.head == ["L": "32"])
    #expect(file.records == [["Len": "0", "MD": "00ff"], ["Len": "8", "MD": ""]])
    #expect(try file.records[0].bytes("MD") == [0, 255])
    for text in ["Typo = 1\n", "Len = 1\nTypo = 2\n", "Len = 1\nL = 2\n", "Len\n", "MD = 00\n"] {
      #expect(throws: ResponseFile.Problem.self, "\(text)") { try Self.read(text) }
    }
  }

  @Test func `hexadecimal digits come in pairs`() {
    #expect(Hex.bytes("00fFA5") == [0, 255, 0xA5])
    #expect(Hex.text([0, 255, 0xA5]) == "00ffa5")
    for text in ["0", "0g", "0x", " 00"] { #expect(Hex.bytes(text) == nil) }
  }

  /// The first numbers of the reference implementation from seed 1234567.
  @Test func `the generator is SplitMix64`() {
    var random = SeededGenerator(seed: 1_234_567)
    #expect(random.next() == 6_457_827_717_110_365_317)
    #expect(random.next() == 3_203_168_211_198_807_973)
  }
}
