import HandbackCore
import TestSupport
import Testing

/// How a deactivation ends, and how it doesn't.
struct FlusherEndingTests {
  typealias Reply = ScriptedServer.Reply

  @Test func `deactivates, and writes the attempt down first`() throws {
    let bench = FlushBench(script: [
      .serveThen(Answer(200, "license_deactivated", fields: ["LicenseSignature: c2ln"]))
    ])
    #expect(try bench.pass().text == "done")
    #expect(bench.events == ["1 deactivated"])
    #expect(bench.journal.log == [.opened(1), .concluded(1)])
    let row = bench.journal.row(1)
    #expect(row.ending == .deactivated)
    #expect(!row.isInferred)
    #expect(row.attempts == 1)
    #expect(row.licenseSignature == "c2ln")
    #expect(row.outcome?.httpStatus == 200)
    #expect(row.outcome?.code == "license_deactivated")
    #expect(bench.allProblems == [])
  }

  @Test func `signs with the date of the moment, and sends the row's body`() throws {
    let bench = FlushBench()
    try bench.pass()
    let request = try #require(bench.server.requests.first)
    #expect(request.target == .deactivateLicense)
    #expect(request.dateSeconds == TestClock.start)
    #expect(request.body == SampleLicense().body)
    let signer = try RequestSigner(apiKey: Secret("api"), sharedKey: Secret("shared"))
    signer.sign(IMFFixdate(epochSeconds: TestClock.start))
    let field = unsafe signer.withAuthorizationField { unsafe String(cString: $0) }
    #expect(request.authorization == field)
  }

  @Test func `sends all rows in the order of queueing`() throws {
    let bench = FlushBench(FlushBench.licenses(5))
    #expect(try bench.pass().text == "done")
    #expect(bench.events == (1...5).map { "\($0) deactivated" })
    #expect(bench.server.requests.map(\.body) == FlushBench.licenses(5).map(\.body))
    #expect(try bench.pass().text == "done")
    #expect(bench.server.requests.count == 5)
    #expect(bench.allProblems == [])
  }

  @Test func `has nothing to do with an empty journal`() throws {
    let bench = FlushBench([])
    #expect(try bench.pass().text == "done")
    #expect(bench.server.requests.isEmpty)
    #expect(bench.journal.log.isEmpty)
  }

  @Test func `a rejection ends one deactivation, and the pass goes on`() throws {
    let bench = FlushBench(FlushBench.licenses(1), unknown: FlushBench.licenses(2, "UNKNOWN"))
    #expect(try bench.pass().text == "done")
    #expect(
      bench.events == [
        "1 deactivated", "2 rejected device_not_found", "3 rejected device_not_found",
      ])
    #expect(bench.journal.row(2).outcome?.httpStatus == 400)
    #expect(bench.allProblems == [])
  }

  @Test(arguments: APICode.allCases.filter { $0.concern == .license })
  func `is rejected by each code that concerns the license`(code: APICode) throws {
    let bench = FlushBench(script: [.answer(.error(400, code.name.description))])
    // Even where an earlier attempt is open: these don't say that the device is gone.
    bench.journal.edit(1) {
      $0.attempts = 1
      $0.openAttempts = 1
    }
    #expect(try bench.pass().text == "done")
    #expect(bench.events == ["1 rejected \(code.name)"])
    #expect(bench.journal.row(1).outcome?.message == "no")
  }

  // MARK: - Answers that got lost

  static let kinds: [TransportFault.Kind] = [
    .resolve, .connect, .tls, .tlsNotYetValid, .tlsExpired, .timeout, .cut, .malformed, .tooLarge,
    .proxy, .transportMissing, .other,
  ]

  private static func reason(_ kind: TransportFault.Kind) -> WaitReason {
    kind == .tlsNotYetValid || kind == .tlsExpired ? .clock : .network
  }

  @Test(arguments: kinds)
  func `is inferred once the server acted and the answer was lost`(
    kind: TransportFault.Kind
  ) throws {
    let bench = FlushBench(script: [.serveThenLose(kind)])
    #expect(try bench.pass().reason == Self.reason(kind))
    #expect(bench.events == ["1 later \(kind.name)"])
    #expect(bench.journal.row(1).openAttempts == 1)
    #expect(bench.journal.row(1).failures == 1)
    #expect(bench.journal.row(1).outcome?.httpStatus == 0)
    #expect(bench.journal.row(1).outcome?.message == "made to fail")
    try bench.pass()
    #expect(bench.events.last == "1 deactivated inferred")
    #expect(bench.journal.row(1).isInferred)
    #expect(bench.journal.row(1).attempts == 2)
    #expect(bench.allProblems == [])
  }

  @Test(arguments: kinds)
  func `infers nothing from a request that never left`(kind: TransportFault.Kind) throws {
    let bench = FlushBench([], unknown: [SampleLicense()], script: [.unreachable(kind)])
    #expect(try bench.pass().reason == Self.reason(kind))
    #expect(bench.events == ["1 later \(kind.name)"])
    #expect(bench.journal.row(1).openAttempts == 0)
    #expect(bench.journal.row(1).failures == 0)
    #expect(bench.journal.row(1).attempts == 1)
    try bench.pass()
    #expect(bench.events.last == "1 rejected device_not_found")
    #expect(bench.allProblems == [])
  }

  @Test func `a request lost before the server acted ends as a plain success`() throws {
    let bench = FlushBench(script: [.cut])
    try bench.pass()
    #expect(bench.journal.row(1).openAttempts == 1)
    try bench.pass()
    #expect(bench.events.last == "1 deactivated")
    #expect(bench.allProblems == [])
  }

  @Test func `a crash after the attempt was opened counts as an answer lost`() throws {
    let bench = FlushBench([], unknown: [SampleLicense()])
    bench.journal.edit(1) {
      $0.attempts = 1
      $0.openAttempts = 1
    }
    try bench.pass()
    #expect(bench.events == ["1 deactivated inferred"])
  }

  @Test(arguments: [500, 502, 504, 520])
  func `a gateway's answer may hide that the server acted`(status: Int) throws {
    let bench = FlushBench(script: [.serveThen(Answer(status, "<html>"))])
    try bench.pass()
    #expect(bench.journal.row(1).openAttempts == 1)
    try bench.pass()
    #expect(bench.events == ["1 later \(status)", "1 deactivated inferred"])
    #expect(bench.allProblems == [])
  }

  @Test(arguments: [400, 401, 403, 404, 408, 425, 429, 503])
  func `an answer that says "not processed" infers nothing later`(status: Int) throws {
    let bench = FlushBench(
      [], unknown: [SampleLicense()], script: [.answer(Answer(status, "{}"))])
    try bench.pass()
    #expect(bench.journal.row(1).openAttempts == 0)
    #expect(bench.journal.row(1).ending == nil)
    try bench.pass()
    #expect(bench.events.last == "1 rejected device_not_found")
  }

  @Test func `open attempts add up and stay open through clear refusals`() throws {
    let bench = FlushBench(script: [
      .unreachable(.connect), .serveThenCut, .unreachable(.resolve), .cut,
      .answer(.error(401, "invalid_api_key")), .answer(Answer(503)), .answer(Answer(429)),
    ])
    var open: [Int64] = []
    for _ in 0..<7 {
      try bench.pass()
      open.append(bench.journal.row(1).openAttempts)
    }
    #expect(open == [0, 1, 1, 2, 2, 2, 2])
    try bench.pass()
    #expect(bench.events.last == "1 deactivated inferred")
    #expect(bench.allProblems == [])
  }

  // MARK: - Requests that were written twice

  @Test func `is inferred where the second copy finds the device gone`() throws {
    let bench = FlushBench(script: [.serveTwice])
    #expect(try bench.pass().text == "done")
    #expect(bench.events == ["1 deactivated inferred"])
    #expect(bench.allProblems == [])
  }

  @Test(arguments: [
    Answer(503), Answer(429), Answer(401), .error(400, "validation_error"), Answer(200, "<html>"),
  ])
  func `knows that the first copy may have got through`(answer: Answer) throws {
    let bench = FlushBench(script: [.serveThenResent(answer)])
    try bench.pass()
    #expect(bench.journal.row(1).openAttempts == 1)
    bench.clock.advance(milliseconds: 90_000_000)
    try bench.pass()
    #expect(bench.events.last == "1 deactivated inferred")
    #expect(bench.allProblems == [])
  }

  /// The correction sends the request once more at once; it must not forget the first copy.
  @Test(arguments: ["date_header_diff", "oauth_token_expired"])
  func `knows it when the second copy is refused its date or token, too`(code: String) throws {
    let bench = FlushBench(
      script: [.serve, .serveThenResent(.error(400, code))],
      authorization: .clientCredentials(tokenURL: ScriptedServer.tokenURL),
      clock: TestClock(wallErrorSeconds: 500))
    #expect(bench.settle())
    #expect(bench.events.last == "1 deactivated inferred")
    #expect(bench.allProblems == [])
  }

  // MARK: - Others in the way

  @Test(
    arguments: [
      (Answer(200, "<html>Log in</html>"), 0), (Answer(200), 1), (Answer(204), 1),
      (Answer(302, "", fields: ["Location: https://portal/"]), 0), (Answer(511, "<html>"), 0),
      (Answer(407), 0), (Answer(403, "<html>"), 0), (Answer(200, "{\"ok\":true}"), 1),
    ] as [(Answer, Int64)])
  func `a portal's answer keeps the row and ends the pass`(answer: Answer, open: Int64) throws {
    let bench = FlushBench(FlushBench.licenses(2), script: [.answer(answer)])
    #expect(try bench.pass().reason == .network)
    #expect(bench.events == ["1 later not_the_license_api"])
    #expect(bench.server.requests.count == 1)
    #expect(bench.journal.row(1).openAttempts == open)
    try bench.pass()
    #expect(bench.journal.pendingCount == 0)
    #expect(bench.allProblems == [])
  }

  @Test(arguments: APICode.allCases.filter { $0.concern == .credentials || $0.concern == .address })
  func `settings that are refused hold everything`(code: APICode) throws {
    let bench = FlushBench(
      FlushBench.licenses(2), script: [.answer(.error(401, code.name.description))])
    #expect(try bench.pass().reason == .held)
    #expect(bench.events == ["1 held \(code.name)"])
    #expect(bench.journal.row(1).isHeld)
    #expect(bench.server.requests.count == 1)
    // Cured by a person, who says so by a flush.
    #expect(try bench.pass().text == "done")
    #expect(bench.journal.pendingCount == 0)
    #expect(bench.allProblems == [])
  }

  @Test(arguments: ["validation_error", "missing_parameters", "invalid_json", "moon_phase"])
  func `a request that is refused is held alone`(code: String) throws {
    let bench = FlushBench(FlushBench.licenses(3), script: [.answer(.error(400, code))])
    #expect(try bench.pass().text == "done")
    #expect(bench.events == ["1 held \(code)", "2 deactivated", "3 deactivated"])
    let wait = try #require(bench.journal.row(1).wait)
    #expect((1000...3_600_000).contains(wait.milliseconds))
    #expect(bench.journal.server.wait == nil)
    #expect(bench.allProblems == [])
  }

  @Test func `keeps at most 256 printable bytes of a code`() throws {
    let long = String(repeating: #"\n"#, count: 1000)
    let bench = FlushBench(script: [.answer(.error(400, long, message: long))])
    try bench.pass()
    let outcome = try #require(bench.journal.row(1).outcome)
    #expect(outcome.code == String(repeating: "?", count: 256))
    #expect(outcome.message == String(repeating: "?", count: 256))
  }

  // MARK: - Withdrawn, and one alone

  @Test func `a row withdrawn before its attempt is not sent`() throws {
    let bench = FlushBench(FlushBench.licenses(2))
    let journal = bench.journal
    journal.beforeOpening = { ticket in if ticket.row == 1 { journal.withdraw(ticket) } }
    #expect(try bench.pass().text == "done")
    #expect(bench.events == ["2 deactivated"])
    #expect(journal.row(1).ending == .withdrawn)
    #expect(journal.row(1).attempts == 0)
    #expect(bench.allProblems == [])
  }

  @Test(arguments: [(true, Ending.deactivated), (false, .withdrawn)])
  func `a row withdrawn on its way is what the server made of it`(
    isKnown: Bool, ending: Ending
  ) throws {
    let license = [SampleLicense()]
    let bench = FlushBench(isKnown ? license : [], unknown: isKnown ? [] : license)
    let journal = bench.journal
    bench.server.onRequest = { _ in journal.withdraw(journal.row(1).ticket) }
    try bench.pass()
    #expect(journal.row(1).ending == ending)
    #expect(bench.events == (isKnown ? ["1 deactivated"] : []))
    #expect(bench.allProblems == [])
  }

  // MARK: - Asked for again meanwhile

  private static let old = SampleLicense(.user("ann", password: "old"))
  private static let new = SampleLicense(.user("ann", password: "new"))

  /// The license is asked for with another password while a request with the first is on its way.
  private func bench(_ reply: ScriptedServer.Reply, serverKnows license: SampleLicense)
    -> FlushBench
  {
    let bench = FlushBench([], unknown: [Self.old], script: [reply])
    bench.server.activate(license)
    let journal = bench.journal
    bench.server.onRequest = { [server = bench.server] _ in
      if server.requests.count == 1 { journal.askAgain(journal.row(1).ticket, Self.new) }
    }
    return bench
  }

  @Test(arguments: [
    ScriptedServer.Reply.answer(.error(400, "license_not_found")),
    .answer(.error(401, "unauthorized")), .answer(.error(503, "maintenance")), .serve,
  ])
  func `what is said of its old details doesn't end it, and it is due`(
    reply: ScriptedServer.Reply
  ) throws {
    let bench = bench(reply, serverKnows: Self.new)
    try bench.pass()
    #expect(bench.journal.row(1).ending == nil)
    #expect(bench.journal.row(1).isHeld == false)
    #expect(bench.journal.row(1).wait == nil)
    bench.clock.advance(milliseconds: 100_000_000)
    try bench.pass()
    #expect(bench.journal.row(1).ending == .deactivated)
    #expect(bench.journal.row(1).isInferred == false)
    #expect(bench.server.requests.count == 2)
    #expect(bench.allProblems == [])
  }

  @Test func `a plain success of its old details ends it`() throws {
    let bench = bench(.serve, serverKnows: Self.old)
    try bench.pass()
    #expect(bench.journal.row(1).ending == .deactivated)
    #expect(bench.events == ["1 deactivated"])
  }

  @Test func `is sent with its new details where the old ones had a wrong date`() throws {
    let bench = bench(.serve, serverKnows: Self.new)
    bench.clock.wallErrorSeconds = -86_400
    try bench.pass()
    #expect(bench.journal.row(1).ending == .deactivated)
    #expect(bench.server.requests.map(\.body) == [Self.old.body, Self.new.body])
  }

  @Test func `is sent with the details that it has when its attempt is opened`() throws {
    let bench = FlushBench([Self.old])
    bench.server.activate(Self.new)
    let journal = bench.journal
    journal.beforeOpening = { ticket in
      if journal.row(1).body == Self.old.body { journal.askAgain(ticket, Self.new) }
    }
    try bench.pass()
    #expect(bench.server.requests.map(\.body) == [Self.new.body])
    #expect(journal.row(1).ending == .deactivated)
    #expect(journal.row(1).attempts == 1)
  }

  @Test func `one that changes each time it is read doesn't hold the others up`() throws {
    let bench = FlushBench(FlushBench.licenses(2))
    let journal = bench.journal
    journal.beforeOpening = { ticket in
      if ticket.row == 1 { journal.askAgain(ticket, journal.row(1).license) }
    }
    #expect(try bench.pass().text == "done")
    #expect(bench.events == ["2 deactivated"])
    #expect(journal.row(1).ending == nil)
  }

  @Test func `sends one alone when asked`() throws {
    let bench = FlushBench(FlushBench.licenses(3))
    bench.rules.only = bench.journal.row(2).ticket
    bench.restart()
    for _ in 0..<2 { #expect(try bench.pass().text == "done") }
    #expect(bench.events == ["2 deactivated"])
    #expect(bench.journal.pendingCount == 2)
  }

  @Test func `sends nothing where that one has ended, or another bears its row`() throws {
    let bench = FlushBench(FlushBench.licenses(3))
    let ticket = bench.journal.row(2).ticket
    bench.rules.only = Ticket(row: 2, nonce: ticket.nonce ^ 1)
    bench.restart()
    try bench.pass()
    bench.rules.only = ticket
    bench.journal.withdraw(ticket)
    bench.restart()
    try bench.pass()
    #expect(bench.server.requests.isEmpty)
    #expect(bench.events == [])
  }
}
