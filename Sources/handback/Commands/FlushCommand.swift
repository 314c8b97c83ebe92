internal import HandbackCore
internal import HandbackLinux

/// `handback flush`: sends what is pending.
enum FlushCommand {
  static func run(_ arguments: Arguments, _ settings: Settings) throws(Failure) -> ExitCode {
    var rules = try settings.flushRules()
    rules.onlyDue = arguments.has(.onlyDue)
    _ = try settings.transportOptions()
    guard let journal = try JournalOpening.openIfPresent(settings, .write) else {
      return try finish(Sender.Summary(), JournalTally(), arguments, FlushOutput(arguments))
    }
    let tally = try JournalReading.tally(journal)
    guard tally.pending > 0 else {
      return try finish(Sender.Summary(), tally, arguments, FlushOutput(arguments))
    }
    guard let authorizer = try settings.authorizer() else { throw Settings.noKeys }
    return try send(arguments, settings, journal, authorizer, rules)
  }

  static func send(
    _ arguments: Arguments, _ settings: Settings, _ journal: SQLiteJournal,
    _ authorizer: consuming Authorizer, _ rules: FlushRules
  ) throws(Failure) -> ExitCode {
    var output = FlushOutput(arguments)
    var sender = try Sender(settings, journal, authorizer: authorizer, rules: rules)
    var unsaid: Failure?
    let summary: Sender.Summary
    let tally: JournalTally
    do throws(Failure) {
      do throws(Sender.Problem) {
        summary = try sender.run { event in
          // What can't be said is done all the same.
          do throws(Failure) { try output.tell(event) } catch { unsaid = unsaid ?? error }
        }
      } catch {
        switch error {
        case .busy:
          throw Failure(
            .temporaryFailure, "another handback is sending from \(journal.path)",
            hint: "'handback status' shows what it leaves; run again then")
        case .failure(let failure): throw failure
        }
      }
      Console.progress(nil)
      tally = try JournalReading.tally(journal)
    } catch {
      output.breakOff()
      throw error
    }
    if let unsaid { throw unsaid }
    return try finish(summary, tally, arguments, output)
  }

  private static func finish(
    _ summary: Sender.Summary, _ tally: JournalTally, _ arguments: Arguments,
    _ output: consuming FlushOutput
  ) throws(Failure) -> ExitCode {
    try output.end(summary, pending: tally.pending, damaged: tally.damaged)
    if tally.pending > 0 {
      if case .stopped(let reason, _) = summary.end, reason.isUnreachable { return .unavailable }
      if summary.sealed > 0 { return .configuration }
      return .temporaryFailure
    }
    if tally.damaged > 0 { return .dataError }
    return summary.rejected > 0 ? .rejected : .ok
  }
}

/// The lines, or the one JSON object, of a flush; printed as it goes, however many there are.
struct FlushOutput {
  private let isJSON: Bool
  private var json = JSONOutput()
  private var hasBegun = false
  private var count: Int64 = 0

  init(_ arguments: Arguments) {
    isJSON = arguments.has(.json)
  }

  mutating func tell(_ event: FlushEvent) throws(Failure) {
    switch event {
    case .ended(let ticket, let ending, let isInferred, let outcome):
      try result(ticket, ending.name, outcome, isInferred: isInferred, isHeld: false)
    case .postponed(let ticket, let outcome, let isHeld):
      try result(ticket, "pending", outcome, isInferred: false, isHeld: isHeld)
    case .clockCorrected: EventNote.tell(event)
    case .none: break
    }
  }

  private mutating func result(
    _ ticket: Ticket, _ state: Literal, _ outcome: Outcome, isInferred: Bool, isHeld: Bool
  ) throws(Failure) {
    count += 1
    if isJSON {
      begin()
      json.beginElement()
      json.member("ticket", ticket.text)
      json.member("state", state)
      json.member("http_status", outcome.httpStatus > 0 ? outcome.httpStatus : nil)
      json.member("code", outcome.code)
      json.member("message", outcome.message)
      json.member("inferred", isInferred)
      json.member("held", isHeld)
      json.end()
      try Console.write(json.take())
      return
    }
    Console.progress(nil)
    let isDone = Text(state).isEqual(to: "deactivated")
    var end: Text = ""
    if !isDone { end = Words.outcome(outcome) }
    if isInferred { end = "inferred: an earlier attempt got through" }
    let head = ticket.text.padded(to: 12)
    try Console.print(
      end.isEmpty ? head + Text(state) : head + state.padded(to: 13) + end)
    if !isDone { Console.hint(Words.hint(outcome)) }
    Console.progress("\(count) done")
  }

  private mutating func begin() {
    guard !hasBegun else { return }
    hasBegun = true
    json.begin()
    json.beginArray("results")
  }

  mutating func breakOff() {
    if hasBegun { json.breakOff() }
  }

  mutating func end(
    _ summary: Sender.Summary, pending: Int64, damaged: Int64
  ) throws(Failure) {
    var reason: WaitReason?
    var left: Int64 = 0
    if case .stopped(let why, let milliseconds) = summary.end {
      reason = why
      left = milliseconds
    }
    if isJSON {
      begin()
      json.endArray()
      json.member("is_complete", true)
      json.member("deactivated", summary.deactivated)
      json.member("rejected", summary.rejected)
      json.member("pending", pending)
      json.member("damaged", damaged)
      json.member("stopped_by", reason.map { Words.name($0) })
      json.member("next_attempt_in_ms", reason == nil ? nil : left)
      return try json.print()
    }
    if damaged > 0 {
      Console.note(
        "\(damaged) damaged: 'handback status' names them, 'handback withdraw' ends them")
    }
    if summary.deactivated + summary.rejected + summary.postponed == 0, pending == 0 {
      return try Console.print("nothing is pending")
    }
    try Console.print(
      "\(summary.deactivated) deactivated, \(summary.rejected) rejected, \(pending) pending")
    if let reason, pending > 0 {
      Console.note(
        "\(Words.reason(reason)); the next try is due in \(Duration.text(milliseconds: left))")
    }
  }
}
