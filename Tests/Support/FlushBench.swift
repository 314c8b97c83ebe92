import HandbackCore

/// A flush with its journal, server and clock, driven as the program drives it, with a watch on
/// every rule that must hold at every moment.
public final class FlushBench {
  public enum Authorization: Sendable {
    case signature, bearer
    case clientCredentials(tokenURL: String?)
  }

  /// How the program comes back when the journal has failed.
  public enum Recovery: CaseIterable, Sendable {
    /// A new process.
    case restart
    /// The agent's next pass.
    case nextPass
    /// On and on, which the program doesn't do; nothing may break all the same.
    case proceed
  }

  public let journal: MemoryJournal
  public let server: ScriptedServer
  public var clock: TestClock
  public var random: SeededGenerator
  public var rules: FlushRules
  private let authorization: Authorization
  private var flusher: Flusher

  /// Each way, from device to server and back.
  public var latencyMilliseconds: Int64 = 20
  /// What a person would have been told, in short: `1 deactivated`.
  public private(set) var events: [String] = []
  public private(set) var pauses: [Int64] = []
  public private(set) var problems: [String] = []
  /// Set as soon as the journal has failed once: knowledge may be lost then.
  public private(set) var hasJournalFailed = false
  /// Runs when a request leaves the device.
  public var onSending: ((SentRequest) -> Void)?
  /// How often the row was sent under its attempt.
  private var sends: (row: Int64, openings: Int, count: Int) = (0, 0, 0)
  private var isProceeding = false
  /// What stands beside the journal, for the next pass to begin behind.
  public var resumeRow: Int64 = 0

  public init(
    _ licenses: [SampleLicense] = [SampleLicense()], unknown: [SampleLicense] = [],
    script: [ScriptedServer.Reply] = [], rules: FlushRules = FlushRules(),
    authorization: Authorization = .signature, clock: TestClock = TestClock(), seed: UInt64 = 1
  ) {
    journal = MemoryJournal(licenses + unknown)
    server = ScriptedServer(activating: licenses, script: script)
    self.clock = clock
    self.rules = rules
    self.authorization = authorization
    random = SeededGenerator(seed: seed)
    if case .clientCredentials = authorization { server.wantsToken = true }
    flusher = Flusher(authorizer: Self.authorizer(authorization), rules: rules)
  }

  /// A number of licenses with keys of their own.
  public static func licenses(_ count: Int, _ prefix: String = "KEY") -> [SampleLicense] {
    (0..<count).map { SampleLicense(.key("\(prefix)-\($0 + 1)")) }
  }

  private static func authorizer(_ authorization: Authorization) -> Authorizer {
    switch authorization {
    case .signature:
      guard let signer = try? RequestSigner(apiKey: Secret("api"), sharedKey: Secret("shared"))
      else { preconditionFailure("the sample keys are refused") }
      return .signature(signer)
    case .bearer:
      return .bearer(BearerField.make(Array("fixed-token".utf8).span))
    case .clientCredentials(let tokenURL):
      guard let clientID = try? FieldText(.username, utf8: Array("client id&1".utf8).span) else {
        preconditionFailure("the sample client is refused")
      }
      return .clientCredentials(
        TokenKeeper(
          clientID: clientID, clientSecret: Secret("s3cret+/="), tokenURL: tokenURL.map { Text($0) }
        ))
    }
  }

  // MARK: - Driving

  /// A new process: only what is in the journal, and beside it, is known.
  public func restart() {
    flusher = Flusher(authorizer: Self.authorizer(authorization), rules: rules)
    isProceeding = false
  }

  /// One pass through all rows.
  @discardableResult
  public func pass() throws(MemoryJournal.Failure) -> FlushEnd {
    flusher.beginPass(behind: resumeRow)
    return try proceed()
  }

  /// One pass of the agent, which heeds what its schedule says.
  public func pass(_ heeding: Heeding) throws(MemoryJournal.Failure) -> FlushEnd {
    rules.onlyDue = heeding != .retryAfterAlone
    rules.networkHasChanged = heeding == .allButNetwork
    restart()
    return try pass()
  }

  /// Goes on from where the flush stands.
  public func proceed() throws(MemoryJournal.Failure) -> FlushEnd {
    do throws(MemoryJournal.Failure) {
      return try drive()
    } catch {
      hasJournalFailed = true
      check()
      throw error
    }
  }

  private func drive() throws(MemoryJournal.Failure) -> FlushEnd {
    var journal = self.journal
    for _ in 0..<20_000 {
      switch try flusher.step(&journal, at: clock.now) {
      case .finished(let end):
        check()
        return end
      case .pause(let milliseconds):
        if !(0...1000).contains(milliseconds) { problems.append("a pause of \(milliseconds) ms") }
        if milliseconds > 0 { pauses.append(milliseconds) }
        clock.advance(milliseconds: milliseconds)
      case .send(let exchange):
        resumeRow = flusher.resumeRow
        let request = SentRequest(exchange, at: clock.now)
        onSending?(request)
        checkSending(request)
        clock.advance(milliseconds: latencyMilliseconds)
        let result = server.perform(request, worldSeconds: clock.worldSeconds)
        clock.advance(milliseconds: latencyMilliseconds)
        let event = try flusher.receive(
          result, &journal, at: clock.now, random: random.next())
        if let text = event.text { events.append(text) }
      case .passed(let event):
        if let text = event.text { events.append(text) }
      }
    }
    problems.append("a pass that doesn't end")
    return .done
  }

  /// Passes, a day and a bit apart, until nothing is pending; `false` if that doesn't come.
  public func settle(_ recovery: Recovery = .restart, passCountMax: Int = 40) -> Bool {
    for _ in 0..<passCountMax {
      do throws(MemoryJournal.Failure) {
        if recovery == .proceed, isProceeding { _ = try proceed() } else { try pass() }
        isProceeding = false
      } catch {
        switch recovery {
        case .restart: restart()
        case .nextPass: break
        case .proceed: isProceeding = true
        }
        continue
      }
      if journal.pendingCount == 0 { return true }
      clock.advance(milliseconds: 90_000_000)
    }
    return false
  }

  // MARK: - Rules

  private func checkSending(_ request: SentRequest) {
    guard request.target == .deactivateLicense else { return }
    guard let row = journal.rows.first(where: { $0.body == request.body }) else {
      problems.append("sent what was never queued")
      return
    }
    let name = row.ticket.text
    // Behind the last word on this row, or any failure: its attempt was opened.
    let last = journal.log.last { entry in
      switch entry {
      case .opened(let number), .concluded(let number): number == row.ticket.row
      case .failed: true
      }
    }
    if last != .opened(row.ticket.row) { problems.append("\(name) is sent without an attempt") }
    if row.ending != nil, row.ending != .withdrawn {
      problems.append("\(name) is sent after its end")
    }
    let openings = journal.log.count { $0 == .opened(row.ticket.row) }
    sends =
      sends.row == row.ticket.row && sends.openings == openings
      ? (row.ticket.row, openings, sends.count + 1) : (row.ticket.row, openings, 1)
    // Once, once more with another date, once more with another token.
    if sends.count > 3 { problems.append("\(name) is sent again and again") }
  }

  /// What must be so whenever the flush stands still.
  public func check() {
    for row in journal.rows {
      let name = row.ticket.text
      let hasActed = server.endCount(body: row.body) > 0
      switch row.ending {
      case nil:
        if hasActed, row.openAttempts == 0 {
          problems.append("\(name): the server acted, and no attempt is known to be open")
        }
      case .deactivated?:
        if !hasActed, !row.isInferred { problems.append("\(name): a success that is none") }
        if !hasActed, row.isInferred, !hasJournalFailed,
          !server.ambiguous.contains(row.body)
        {
          problems.append("\(name): a success inferred from nothing")
        }
      case .rejected?:
        if hasActed { problems.append("\(name): rejected, and the server did it") }
      case .withdrawn?:
        break
      case .damaged?:
        problems.append("\(name): damaged, and a flush damages nothing")
      }
      if server.endCount(body: row.body) > 1 { problems.append("\(name): ended twice") }
    }
  }

  public var allProblems: [String] { problems + journal.problems }
}

extension FlushEvent {
  /// `1 deactivated`, `2 held missing_headers`, `clock +3600`; `nil` for none.
  public var text: String? {
    switch self {
    case .ended(let ticket, let ending, let isInferred, let outcome):
      let end = "\(ticket.row) \(ending.name)" + (isInferred ? " inferred" : "")
      return ending == .rejected ? end + " " + (outcome.code?.string ?? "-") : end
    case .postponed(let ticket, let outcome, let isHeld):
      return
        "\(ticket.row) \(isHeld ? "held" : "later") \(outcome.code?.string ?? "\(outcome.httpStatus)")"
    case .clockCorrected(let seconds):
      return "clock \(seconds < 0 ? "" : "+")\(seconds)"
    case .none:
      return nil
    }
  }
}

extension FlushEnd {
  /// `done`, or `network 1234`.
  public var text: String {
    switch self {
    case .done: "done"
    case .stopped(let reason, let milliseconds): "\(reason) \(milliseconds)"
    }
  }

  public var reason: WaitReason {
    switch self {
    case .done: .none
    case .stopped(let reason, _): reason
    }
  }

  public var millisecondsLeft: Int64 {
    switch self {
    case .done: 0
    case .stopped(_, let milliseconds): milliseconds
    }
  }
}
