import HandbackCore
import TestSupport
import Testing

/// Credentials that are sealed, and can't be read here.
struct FlusherSealTests {
  private static let missing = HandbackCore.Outcome(
    httpStatus: 0, code: "seal_key_missing", message: "no seal key is set")

  @Test func `one that can't be read is passed over, and the others go on`() throws {
    let bench = FlushBench(FlushBench.licenses(3))
    bench.journal.edit(2) { row in
      row.sealed = Self.missing
      row.failures = 4
      row.openAttempts = 1
      row.attempts = 5
    }
    #expect(try bench.pass().text == "done")
    #expect(bench.events == ["1 deactivated", "2 held seal_key_missing", "3 deactivated"])
    #expect(bench.server.requests.count == 2)
    let row = bench.journal.row(2)
    #expect(row.ending == nil)
    #expect(row.isHeld)
    #expect(row.outcome?.message == "no seal key is set")
    // Nothing was tried, so nothing is counted.
    #expect(row.attempts == 5)
    #expect(row.failures == 4)
    #expect(row.openAttempts == 1)
    #expect(bench.allProblems == [])
  }

  @Test func `is looked at again after an hour, and sent when it can be read`() throws {
    var rules = FlushRules()
    rules.onlyDue = true
    let bench = FlushBench(rules: rules)
    bench.journal.edit(1) { $0.sealed = Self.missing }
    #expect(try bench.pass().text == "done")
    bench.journal.edit(1) { $0.sealed = nil }
    bench.clock.advance(milliseconds: 3_599_000)
    #expect(try bench.pass().text == "done")
    #expect(bench.server.requests.isEmpty)
    bench.clock.advance(milliseconds: 2000)
    #expect(try bench.pass().text == "done")
    #expect(bench.journal.row(1).ending == .deactivated)
    #expect(bench.allProblems == [])
  }

  @Test func `needs no token, and waits for no server`() throws {
    let bench = FlushBench(authorization: .clientCredentials(tokenURL: nil))
    bench.journal.edit(1) { $0.sealed = Self.missing }
    let server = bench.journal.server
    #expect(try bench.pass().text == "done")
    #expect(bench.server.requests.isEmpty)
    #expect(bench.journal.server == server)
  }
}
