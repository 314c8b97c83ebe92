import Foundation
import TestSupport
import Testing

@testable import HandbackCore

/// OAuth client credentials: fetched when needed, kept in memory, fetched anew once.
struct FlusherTokenTests {
  private static func bench(
    _ count: Int = 1, script: [ScriptedServer.Reply] = [],
    tokenURL: String? = ScriptedServer.tokenURL
  ) -> FlushBench {
    FlushBench(
      FlushBench.licenses(count), script: script,
      authorization: .clientCredentials(tokenURL: tokenURL))
  }

  private static func targets(_ bench: FlushBench) -> String {
    bench.server.requests.map { request in
      switch request.target {
      case .tokenAddress: "A"
      case .token: "T"
      case .deactivateLicense: "D"
      }
    }.joined()
  }

  @Test func `asks for the address, the token, and goes on with it`() throws {
    let bench = Self.bench(2, tokenURL: nil)
    #expect(try bench.pass().text == "done")
    #expect(Self.targets(bench) == "ATDD")
    #expect(bench.events == ["1 deactivated", "2 deactivated"])
    let requests = bench.server.requests
    #expect(requests[0].authorization == "")
    #expect(requests[0].body == "")
    #expect(requests[1].target == .token(url: ScriptedServer.tokenURL))
    #expect(requests[1].authorization == "")
    #expect(
      requests[1].body == "grant_type=client_credentials&client_id=client%20id%261"
        + "&client_secret=s3cret%2B%2F%3D")
    #expect(requests[2].authorization == "Authorization: Bearer token-1")
    #expect(bench.allProblems == [])
  }

  /// The official client's form, from our recording of it.
  @Test func `writes the form as the official client does`() throws {
    let capture = try String(
      contentsOf: Repository.file("Tests/Vectors/captures/deactivate_oauth_key.2.http"),
      encoding: .utf8)
    let clientID = try FieldText(.username, utf8: Array("client-id-example".utf8).span)
    let keeper = TokenKeeper(
      clientID: clientID, clientSecret: Secret("client-secret-example"), tokenURL: nil)
    #expect(capture.hasSuffix("\r\n\r\n" + keeper.requestBody().copyBytes().text))
  }

  @Test func `the longest client secret finds room in the form`() throws {
    let clientID = try FieldText(
      .username, utf8: Array(String(repeating: "+", count: 256).utf8).span)
    let secret = Secret(copying: [UInt8](repeating: UInt8(ascii: "+"), count: 16 * 1024).span)
    let keeper = TokenKeeper(clientID: clientID, clientSecret: secret, tokenURL: nil)
    #expect(keeper.requestBody().copyBytes().text.hasSuffix("%2B%2B"))
  }

  @Test func `opens no attempt before it has a token`() throws {
    let bench = Self.bench(script: [.unreachable(.connect)])
    #expect(try bench.pass().reason == .network)
    #expect(bench.events == ["1 later not_connected"])
    #expect(bench.journal.log == [.concluded(1)])
    #expect(bench.journal.row(1).attempts == 0)
    #expect(bench.journal.row(1).openAttempts == 0)
    #expect(bench.allProblems == [])
  }

  @Test func `keeps the token until five seconds before its end`() throws {
    let bench = Self.bench(1)
    func send(_ key: String, afterMilliseconds: Int64) throws -> Int {
      bench.clock.advance(milliseconds: afterMilliseconds)
      let license = SampleLicense(.key(key))
      bench.server.activate(license)
      bench.journal.queue(license)
      try bench.pass()
      return bench.server.tokenCount
    }
    try bench.pass()
    #expect(bench.server.tokenCount == 1)
    #expect(try send("B", afterMilliseconds: 474_000) == 1)
    #expect(try send("C", afterMilliseconds: 1000) == 2)
    #expect(try send("D", afterMilliseconds: 1000) == 2)
    #expect(bench.events == (1...4).map { "\($0) deactivated" })
  }

  @Test(arguments: ["oauth_token_expired", "oauth_token_malformed"])
  func `fetches a refused token anew, once`(code: String) throws {
    let refusal = ScriptedServer.Reply.answer(.error(401, code))
    let bench = Self.bench(2, script: [.serve, refusal])
    #expect(try bench.pass().text == "done")
    #expect(Self.targets(bench) == "TDTDD")
    #expect(bench.journal.row(1).attempts == 2)
    #expect(bench.events == ["1 deactivated", "2 deactivated"])

    let stubborn = Self.bench(2, script: [.serve, refusal, .serve, refusal])
    #expect(try stubborn.pass().reason == .held)
    #expect(Self.targets(stubborn) == "TDTD")
    #expect(stubborn.events == ["1 held \(code)"])
    #expect(stubborn.journal.row(1).isHeld)
    #expect(bench.allProblems + stubborn.allProblems == [])
  }

  @Test func `each row may cost one more token`() throws {
    let refusal = ScriptedServer.Reply.answer(.error(401, "oauth_token_expired"))
    let bench = Self.bench(2, script: [.serve, refusal, .serve, .serve, refusal])
    #expect(try bench.pass().text == "done")
    #expect(Self.targets(bench) == "TDTDDTD")
    #expect(bench.events == ["1 deactivated", "2 deactivated"])
  }

  @Test func `corrects the clock and the token of one row`() throws {
    let bench = Self.bench(script: [.serve, .answer(.error(401, "oauth_token_expired"))])
    bench.clock.wallErrorSeconds = -4000
    #expect(try bench.pass().text == "done")
    #expect(Self.targets(bench) == "TDTDD")
    #expect(bench.events == ["clock +4000", "1 deactivated"])
    #expect(bench.journal.log.count { $0 == .opened(1) } == bench.journal.row(1).attempts)
    #expect(bench.journal.row(1).openAttempts == 0)
    #expect(bench.allProblems == [])
  }

  @Test func `a token that can't be fetched anew leaves the attempt clear`() throws {
    let bench = FlushBench(
      [], unknown: [SampleLicense()],
      script: [.serve, .answer(.error(401, "oauth_token_expired")), .unreachable(.resolve)],
      authorization: .clientCredentials(tokenURL: ScriptedServer.tokenURL))
    #expect(try bench.pass().reason == .network)
    #expect(bench.journal.row(1).openAttempts == 0)
    #expect(bench.journal.row(1).attempts == 1)
    try bench.pass()
    #expect(bench.events == ["1 later name_not_resolved", "1 rejected device_not_found"])
    #expect(bench.allProblems == [])
  }

  // MARK: - Endpoints in trouble

  @Test(arguments: [
    (Answer(401, #"{"error":"invalid_client","error_description":"x"}"#), "held invalid_client"),
    (Answer(400, #"{"error":"unsupported_grant_type"}"#), "held unsupported_grant_type"),
    (Answer(404), "held no_access_token"),
    (Answer(429), "later no_access_token"),
    (Answer(500), "later no_access_token"),
    (Answer(200), "later no_access_token"),
    (Answer(200, "<html>"), "later no_access_token"),
    (Answer(403, "<html>"), "later no_access_token"),
    (Answer(302), "later no_access_token"),
    (Answer(200, #"{"access_token":""}"#), "later no_access_token"),
    (Answer(200, #"{"access_token":5,"expires_in":480}"#), "later no_access_token"),
    (Answer(200, #"{"access_token":"a b"}"#), "later no_access_token"),
    (Answer(200, #"{"access_token":"a\r\nX: y"}"#), "later no_access_token"),
    (Answer(200, #"{"access_token":"é"}"#), "later no_access_token"),
    (Answer(200, #"{"access_token":"a","access_token":"b"}"#), "later no_access_token"),
  ])
  func `tells what is wrong with the token's answer`(answer: Answer, told: String) throws {
    let bench = Self.bench(2, script: [.answer(answer)])
    #expect(try bench.pass().reason == (told.hasPrefix("held") ? .held : .network))
    #expect(bench.events == ["1 " + told])
    #expect(Self.targets(bench) == "T")
    #expect(try bench.pass().text == "done")
    #expect(bench.journal.pendingCount == 0)
    #expect(bench.allProblems == [])
  }

  @Test(arguments: [429, 503])
  func `heeds Retry-After of who gives the tokens, whoever asks`(status: Int) throws {
    let bench = Self.bench(
      2, script: [.answer(Answer(status, "", fields: ["Retry-After: 600"]))])
    #expect(try bench.pass().reason == .retryAfter)
    bench.clock.advance(milliseconds: 599_000)
    #expect(try bench.pass().reason == .retryAfter)
    #expect(Self.targets(bench) == "T")
    bench.clock.advance(milliseconds: 61_000)
    #expect(try bench.pass().text == "done")
    #expect(bench.allProblems == [])
  }

  @Test(arguments: [
    "", "https://", "http://auth.example/token", "HTTPS://auth.example/token", "ftp://x/y",
    "https://user:secret@auth.example/token", "https://auth.example/to ken",
    #"https://auth.example/\n"#, #"https://auth.example/\u0000"#, "https://auth.example/é",
    "https://auth.example/" + String(repeating: "x", count: 2048),
  ])
  func `refuses a token address that it must not follow`(url: String) throws {
    let bench = Self.bench(
      script: [.answer(Answer(200, "{\"url\":\"\(url)\"}"))], tokenURL: nil)
    #expect(try bench.pass().reason == .network)
    #expect(Self.targets(bench) == "A")
    #expect(bench.events == ["1 later no_access_token"])
    #expect(bench.journal.row(1).ending == nil)
  }

  @Test func `takes a token up to its limit`() throws {
    for (count, isTaken) in [(16 * 1024, true), (16 * 1024 + 1, false)] {
      let token = String(repeating: "t", count: count)
      let bench = Self.bench(
        script: [.answer(Answer(200, "{\"access_token\":\"\(token)\",\"expires_in\":9}"))])
      bench.server.wantsToken = false
      try bench.pass()
      #expect(Self.targets(bench) == (isTaken ? "TD" : "T"))
      if isTaken {
        #expect(bench.server.requests[1].authorization == "Authorization: Bearer " + token)
      }
    }
  }

  /// RFC 6749, 5.1: `expires_in` is recommended only.
  @Test(
    arguments: [
      ("", 55_000), (#","expires_in":0"#, 1000), (#","expires_in":-5"#, 1000),
      (#","expires_in":10"#, 5000), (#","expires_in":9999999999999"#, 86_395_000),
      (#","expires_in":"480""#, 55_000),
    ] as [(String, Int64)])
  func `uses a token for as long as it may`(member: String, milliseconds: Int64) throws {
    let keeper = TokenKeeper(
      clientID: try FieldText(.username, utf8: Array("id".utf8).span),
      clientSecret: Secret("s"), tokenURL: nil)
    let now = TestClock().now
    #expect(!keeper.hasToken(at: now))
    #expect(keeper.take(Answer(200, #"{"access_token":"a""# + member + "}"), at: now))
    var later = now
    later.bootMilliseconds += milliseconds - 1
    #expect(keeper.hasToken(at: later))
    later.bootMilliseconds += 1
    #expect(!keeper.hasToken(at: later))
    keeper.forget()
    #expect(!keeper.hasToken(at: now))
    #expect(keeper.copyField().byteCount == 0)
  }

  // MARK: - A token from a file

  @Test func `sends a given token, and holds when it is refused`() throws {
    let bench = FlushBench(
      FlushBench.licenses(2), script: [.answer(.error(401, "oauth_token_expired"))],
      authorization: .bearer)
    #expect(try bench.pass().reason == .held)
    #expect(bench.events == ["1 held oauth_token_expired"])
    #expect(bench.server.requests.map(\.authorization) == ["Authorization: Bearer fixed-token"])
    #expect(try bench.pass().text == "done")
  }

  @Test func `a bearer token holds nothing that could end a header line`() {
    for byte in 0...255 as ClosedRange<UInt8> {
      let isToken = BearerField.isToken([0x61, byte].span)
      #expect(isToken == (0x21..<0x7F).contains(byte), "byte \(byte)")
    }
    #expect(BearerField.isToken([UInt8]().span) == false)
  }
}
