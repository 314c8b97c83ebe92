import HandbackCore
import TestSupport
import Testing

/// Each scenario again and again, with the journal's call 1, 2, 3 … N failing.
///
/// Watched at every moment (`FlushBench`): nothing is sent without an attempt that was opened
/// before; while the server has acted and the row is pending, an attempt is known to be open;
/// "deactivated" is never said where the server did nothing, "rejected" never where it did; a row
/// ends once. And in the end, all rows have ended.
struct FlushTortureTests {
  typealias Reply = ScriptedServer.Reply

  struct Scenario: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let make: @Sendable () -> FlushBench

    init(_ name: String, _ make: @escaping @Sendable () -> FlushBench) {
      testDescription = name
      self.make = make
    }

    init(
      _ name: String, _ script: [Reply], count: Int = 2, unknown: Int = 1,
      rules: FlushRules = FlushRules(), authorization: FlushBench.Authorization = .signature,
      wallErrorSeconds: Int64 = 0
    ) {
      self.init(name) {
        FlushBench(
          FlushBench.licenses(count), unknown: FlushBench.licenses(unknown, "UNKNOWN"),
          script: script, rules: rules, authorization: authorization,
          clock: TestClock(wallErrorSeconds: wallErrorSeconds))
      }
    }
  }

  private static let onlyDue: FlushRules = {
    var rules = FlushRules()
    rules.onlyDue = true
    return rules
  }()

  static let scenarios = [
    Scenario("success", []),
    Scenario("success of many", [], count: 6, unknown: 2),
    Scenario("answer lost", [.serveThenCut]),
    Scenario("every answer lost once", [.serveThenCut, .serveThenCut, .cut, .cut]),
    Scenario("request lost", [.cut, .unreachable(.connect), .cut]),
    Scenario("never reached", [.unreachable(.resolve), .unreachable(.tls)]),
    Scenario("written twice", [.serveTwice, .serveThenResent(Answer(503))]),
    Scenario("gateway", [.serveThen(Answer(502)), .serveThen(Answer(504)), .answer(Answer(500))]),
    Scenario("three later", Array(repeating: .answer(Answer(500)), count: 3)),
    Scenario("Retry-After", [.answer(Answer(429, "", fields: ["Retry-After: 100"]))]),
    Scenario(
      "portal", [.answer(Answer(200, "<html>")), .answer(Answer(200)), .answer(Answer(302))]),
    Scenario("clock wrong", [], wallErrorSeconds: -500_000),
    Scenario("clock wrong, answer lost", [.serve, .serveThenCut], wallErrorSeconds: 500_000),
    Scenario(
      "date refused twice",
      Array(repeating: .answer(.error(400, "date_header_diff")), count: 2), wallErrorSeconds: 5000),
    Scenario("held", [.answer(.error(401, "signature_mismatch")), .answer(Answer(403))]),
    Scenario("one held", [.answer(.error(400, "validation_error"))]),
    Scenario("rejected", [.answer(.error(400, "invalid_api_key"))], count: 0, unknown: 3),
    Scenario("by a timer", [.cut, .serveThenCut, .answer(Answer(500))], rules: onlyDue),
    Scenario("token", [], authorization: .clientCredentials(tokenURL: nil)),
    Scenario(
      "token refused, answer lost",
      [.serve, .serve, .answer(.error(401, "oauth_token_expired")), .serve, .serveThenCut],
      authorization: .clientCredentials(tokenURL: nil)),
    Scenario(
      "no token",
      [.unreachable(.connect), .answer(Answer(401, #"{"error":"invalid_client"}"#)), .cut],
      authorization: .clientCredentials(tokenURL: ScriptedServer.tokenURL)),
    Scenario("withdrawn on its way") {
      let bench = FlushBench(FlushBench.licenses(2), script: [.serveThenCut])
      let journal = bench.journal
      bench.server.onRequest = { _ in journal.withdraw(journal.row(1).ticket) }
      return bench
    },
  ]

  /// Calls of a run without faults.
  private static func callCount(_ scenario: Scenario) -> Int {
    let bench = scenario.make()
    #expect(bench.settle())
    #expect(bench.allProblems == [])
    return bench.journal.callCount
  }

  @Test(arguments: scenarios, FlushBench.Recovery.allCases)
  func `loses nothing, whichever call fails`(
    scenario: Scenario, recovery: FlushBench.Recovery
  ) {
    let count = Self.callCount(scenario)
    #expect(count >= 4)
    for call in 1...count {
      for failsAfterWriting in [false, true] {
        let bench = scenario.make()
        bench.journal.failing = [call]
        bench.journal.failsAfterWriting = failsAfterWriting
        run(bench, recovery, "call \(call)\(failsAfterWriting ? ", after writing" : "")")
      }
    }
  }

  /// A disk that stays full for a while.
  @Test(arguments: scenarios)
  func `loses nothing when many calls in a row fail`(scenario: Scenario) {
    let count = Self.callCount(scenario)
    for first in 1...count {
      for recovery in FlushBench.Recovery.allCases {
        let bench = scenario.make()
        bench.journal.failing = Set(first..<(first + 5))
        run(bench, recovery, "calls \(first)...\(first + 4)")
      }
    }
  }

  private func run(_ bench: FlushBench, _ recovery: FlushBench.Recovery, _ fault: String) {
    let isSettled = bench.settle(recovery)
    if !isSettled || bench.allProblems != [] {
      Issue.record(
        """
        \(fault), \(recovery): settled \(isSettled), \(bench.allProblems)
        events \(bench.events)
        journal \(bench.journal.log)
        """)
    }
    // What the server has active is what was withdrawn in time.
    for row in bench.journal.rows where bench.server.active.contains(row.body) {
      if row.ending != .withdrawn { Issue.record("\(fault): \(row.ticket.text) is still active") }
    }
  }

  /// The watch itself: a flush that breaks a rule is found.
  @Test func `the bench sees a success that is none, and a rejection that is wrong`() {
    let bench = FlushBench(FlushBench.licenses(1), unknown: FlushBench.licenses(1, "UNKNOWN"))
    _ = bench.server.perform(SentRequest(body: bench.journal.row(1).body), worldSeconds: 0)
    bench.check()
    #expect(bench.allProblems.count == 1)
    bench.journal.edit(1) { $0.ending = .rejected }
    bench.journal.edit(2) { $0.ending = .deactivated }
    bench.check()
    #expect(bench.allProblems.count == 3)
    bench.journal.edit(2) { $0.isInferred = true }
    bench.check()
    #expect(bench.allProblems.count == 5)
  }
}
