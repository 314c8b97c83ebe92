import HandbackCore
import TestSupport
import Testing

/// A pass that is stopped from outside, and one that a change of the network begins.
struct FlusherInterruptionTests {
  @Test(arguments: [true, false])
  func `an interrupted request leaves the attempt as it is known to be`(hasReached: Bool) throws {
    let bench = FlushBench(
      FlushBench.licenses(2),
      script: [hasReached ? .lose(.interrupted) : .unreachable(.interrupted)])
    #expect(try bench.pass().text == "none 0")
    let row = bench.journal.row(1)
    #expect(row.ending == nil)
    #expect(row.attempts == 1)
    #expect(row.openAttempts == (hasReached ? 1 : 0))
    #expect(row.outcome?.code?.string == "interrupted")
    #expect(bench.server.requests.count == 1)
    // Nobody's failure: the next pass begins at once.
    #expect(bench.journal.server.wait == nil)
    #expect(bench.journal.server.failures == 0)
    #expect(bench.settle())
    #expect(bench.allProblems == [])
  }

  @Test func `an interruption while a token is fetched opens no attempt`() throws {
    let bench = FlushBench(
      script: [.lose(.interrupted)], authorization: .clientCredentials(tokenURL: nil))
    #expect(try bench.pass().text == "none 0")
    #expect(bench.journal.row(1).openAttempts == 0)
    #expect(bench.journal.server.wait == nil)
    #expect(bench.settle())
    #expect(bench.allProblems == [])
  }

  @Test func `after a change of the network only the wait for it is over`() throws {
    for (reply, isOver) in [
      (ScriptedServer.Reply.unreachable(.connect), true),
      (.answer(Answer(200, "<html>Log in</html>")), true),
      (.answer(Answer(429)), false),
      (.answer(Answer(503, "", fields: ["Retry-After: 9"])), false),
      (.answer(.error(401, "invalid_api_key")), false),
    ] {
      var rules = FlushRules()
      rules.onlyDue = true
      rules.networkHasChanged = true
      let bench = FlushBench(script: [reply], rules: rules)
      _ = try bench.pass()
      _ = try bench.pass()
      #expect(bench.server.requests.count == (isOver ? 2 : 1), "\(reply)")
      #expect(bench.allProblems == [])
    }
  }
}
