import HandbackCore
import TestSupport
import Testing

/// One deactivation that is refused each time keeps no other from being sent.
struct FlusherOrderTests {
  struct Refusal: Sendable, CustomTestStringConvertible {
    let name: String
    let reply: ScriptedServer.Reply
    var testDescription: String { name }
  }

  static let refusals = [
    Refusal(name: "its user's, by a code of tomorrow", reply: .answer(.error(401, "wrong_user"))),
    Refusal(name: "its token's", reply: .answer(.error(401, "oauth_token_expired"))),
    Refusal(name: "without a code", reply: .answer(Answer(413))),
    Refusal(name: "plainly", reply: .answer(Answer(403))),
    Refusal(
      name: "by a firewall",
      reply: .answer(Answer(403, "<html>", fields: ["Content-Type: text/html"]))),
    Refusal(name: "by keys that fit others", reply: .answer(.error(403, "invalid_api_key"))),
    Refusal(name: "as the server breaks down", reply: .answer(Answer(500))),
    Refusal(name: "by a cut", reply: .cut),
    Refusal(name: "by silence until it is stopped", reply: .lose(.interrupted)),
  ]

  /// A bench of five, of which the server always refuses some.
  private static func bench(
    _ reply: ScriptedServer.Reply, _ refused: Set<Int>, rules: FlushRules = FlushRules()
  ) -> FlushBench {
    let licenses = FlushBench.licenses(5)
    let bench = FlushBench(licenses, rules: rules)
    let bodies = Set(refused.map { licenses[$0 - 1].body })
    bench.server.improvise = { bodies.contains($0.body) ? reply : .serve }
    return bench
  }

  private static func isSent(_ bench: FlushBench, _ refused: Set<Int>) -> Bool {
    bench.journal.pendingCount == refused.count && bench.allProblems == []
  }

  /// As a person calls it, again and again.
  @Test(arguments: refusals, [[1], [1, 2, 3], [2, 4], [1, 3, 5]] as [Set<Int>])
  func `flush sends those behind it`(_ refusal: Refusal, refused: Set<Int>) throws {
    let bench = Self.bench(refusal.reply, refused)
    for _ in 0..<8 {
      try bench.pass()
      bench.restart()
    }
    #expect(Self.isSent(bench, refused), "\(bench.events)")
  }

  /// As a timer does, with every wait: each pass a day after the other.
  @Test(arguments: refusals, [[1], [1, 2, 3], [2, 4], [1, 3, 5]] as [Set<Int>])
  func `a timer sends those behind it`(_ refusal: Refusal, refused: Set<Int>) throws {
    var rules = FlushRules()
    rules.onlyDue = true
    let bench = Self.bench(refusal.reply, refused, rules: rules)
    for _ in 0..<8 {
      try bench.pass()
      bench.clock.advance(milliseconds: Wait.millisecondsMax)
      bench.restart()
    }
    #expect(Self.isSent(bench, refused), "\(bench.events)")
  }

  @Test func `a pass begins behind the one that ended the last, and comes back to those before it`()
    throws
  {
    let bench = FlushBench(FlushBench.licenses(4), script: [.serve, .answer(Answer(403))])
    try bench.pass()
    bench.restart()
    try bench.pass()
    #expect(
      bench.events == [
        "1 deactivated", "2 held 403", "3 deactivated", "4 deactivated", "2 deactivated",
      ])
    #expect(bench.allProblems == [])
  }

  /// Whatever an outage left with them.
  @Test(arguments: [
    Answer(403), .error(403, "invalid_api_key"), Answer(429, fields: ["Retry-After: 60"]),
  ])
  func `one that failed often is not put off behind one that ends each pass`(answer: Answer)
    throws
  {
    let licenses = FlushBench.licenses(4)
    let bench = FlushBench(licenses)
    for row in [1, 3] {
      bench.journal.edit(row) {
        $0.failures = 96
        $0.openAttempts = 96
      }
    }
    let bodies = [licenses[1].body, licenses[3].body]
    bench.server.improvise = { bodies.contains($0.body) ? .answer(answer) : .serve }
    for _ in 0..<5 {
      try bench.pass()
      bench.clock.advance(milliseconds: 100_000)
      bench.restart()
    }
    #expect(Self.isSent(bench, [2, 4]), "\(bench.events)")
  }

  /// Of a place beside the journal that is lost or damaged.
  @Test(arguments: [0, 1, 2, 3, 4, 99, .max] as [Int64])
  func `begins anywhere, and sends all`(row: Int64) throws {
    let bench = FlushBench(FlushBench.licenses(3))
    bench.resumeRow = row
    #expect(try bench.pass().text == "done")
    #expect(bench.journal.pendingCount == 0)
    #expect(bench.server.requests.count == 3)
    #expect(bench.allProblems == [])
  }

  /// Its credential can't be read, so it never fails, and must not be where each pass begins.
  @Test func `one that is sealed doesn't put off those behind the next`() throws {
    let licenses = FlushBench.licenses(3)
    let bench = FlushBench(licenses)
    bench.journal.edit(1) {
      $0.sealed = HandbackCore.Outcome(httpStatus: 0, code: "seal_key_missing", message: nil)
    }
    bench.server.improvise = { $0.body == licenses[1].body ? .answer(Answer(403)) : .serve }
    try bench.pass()
    bench.restart()
    try bench.pass()
    #expect(bench.journal.pendingCount == 2)
    #expect(bench.events.contains("3 deactivated"))
  }

  /// Where all are refused it is this agent's fault, and the server isn't asked for each.
  @Test(arguments: ["wrong_user", "oauth_token_expired"])
  func `three refusals in a row end the pass`(code: String) throws {
    let bench = FlushBench(FlushBench.licenses(9))
    bench.server.improvise = { _ in .answer(.error(401, code)) }
    #expect(try bench.pass().reason == .held)
    #expect(bench.server.requests.count == 3)
    #expect(bench.allProblems == [])
  }

  /// Each kind has its own count.
  @Test func `a refusal behind two answers of 500 holds its own license alone`() throws {
    let bench = FlushBench(
      FlushBench.licenses(5),
      script: [.answer(Answer(500)), .answer(Answer(500)), .answer(.error(401, "wrong_user"))])
    #expect(try bench.pass().text == "done")
    #expect(bench.journal.pendingCount == 3)
    let other = FlushBench(
      FlushBench.licenses(5),
      script: [
        .answer(.error(401, "wrong_user")), .answer(.error(403, "wrong_user")),
        .answer(Answer(500)),
      ])
    #expect(try other.pass().text == "done")
    #expect(other.journal.pendingCount == 3)
  }

  /// While the pass is with those before the first, it takes along what comes.
  @Test func `sends what is queued while it is with those it began behind`() throws {
    let bench = FlushBench(FlushBench.licenses(3), script: [.answer(Answer(403))])
    try bench.pass()
    bench.restart()
    let late = SampleLicense(.key("LATE"))
    bench.server.activate(late)
    let first = bench.journal.row(1).body
    bench.server.onRequest = { request in
      if request.body == first { bench.journal.queue(late) }
    }
    #expect(try bench.pass().text == "done")
    #expect(bench.events.suffix(2) == ["1 deactivated", "4 deactivated"])
    #expect(bench.journal.pendingCount == 0)
    #expect(bench.allProblems == [])
  }

  // MARK: - What counts as the same trouble

  /// Hours without a network say nothing of our keys.
  @Test func `an outage's failures don't count as refusals`() throws {
    for seed in 0..<20 as Range<UInt64> {
      let bench = FlushBench(
        script: Array(repeating: .unreachable(.resolve), count: 12)
          + [.answer(Answer(403)), .unreachable(.resolve)], seed: seed)
      for _ in 0..<12 { try bench.pass() }
      #expect(bench.journal.server.failures == 12)
      #expect(try bench.pass().millisecondsLeft <= 3_600_000)
      #expect(bench.journal.server.failures == 1)
      #expect(try bench.pass().millisecondsLeft <= 30_000)
    }
  }

  /// The first try may come before the port forwards or a name server is known.
  @Test func `another network's failures are counted from the first`() throws {
    let bench = FlushBench(script: Array(repeating: .unreachable(.resolve), count: 14))
    for _ in 0..<12 { try bench.pass() }
    #expect(try bench.pass(.allButNetwork).millisecondsLeft <= 30_000)
    #expect(bench.journal.server.failures == 1)
    #expect(try bench.pass(.retryAfterAlone).millisecondsLeft <= 60_000)
    #expect(bench.journal.server.failures == 2)
  }

  /// Somebody else keeps it fresh, and may have been offline as well.
  @Test func `a token from a file is tried again within the hour`() throws {
    for seed in 0..<20 as Range<UInt64> {
      let bench = FlushBench(authorization: .bearer, seed: seed)
      bench.server.improvise = { _ in .answer(.error(401, "oauth_token_expired")) }
      for _ in 0..<10 {
        let end = try bench.pass()
        #expect(end.reason == .held)
        #expect(end.millisecondsLeft <= 3_600_000)
      }
    }
  }
}
