internal import HandbackCore
internal import HandbackLinux

/// One deactivation's way to its verdict, as far as one call follows it.
struct Delivery {
  let settings: Settings
  let journal: SQLiteJournal
  let ticket: Ticket

  init(_ settings: Settings, _ journal: SQLiteJournal, _ ticket: Ticket) {
    self.settings = settings
    self.journal = journal
    self.ticket = ticket
  }

  /// Another process's sending is waited for so long: most take less, and may be of one other.
  private static let busyMilliseconds: Int64 = 3000

  /// Tries once, or with `waitSeconds` until there is a verdict or the time is over. What hinders
  /// the sending is told, but doesn't undo that it is queued; the exit code that it would have.
  func attempt(
    _ authorizer: consuming Authorizer, _ rules: FlushRules, waitSeconds: Int64?
  ) throws(Failure) -> ExitCode? {
    let begin = SystemClock.now().bootMilliseconds
    var sender: Sender
    do throws(Failure) {
      sender = try Sender(settings, journal, authorizer: authorizer, rules: rules)
    } catch {
      Console.warn(error.message, hint: error.hint)
      return error.exit
    }
    // The last pass's; `temporaryFailure` if another process was sending.
    var problem: ExitCode?
    var next = begin
    while true {
      if SystemClock.now().bootMilliseconds >= next {
        problem = pass(&sender, after: problem)
        // Its answer may have taken long, and the pause begins with it.
        let now = SystemClock.now()
        let pause: Int64
        switch problem {
        case .none: pause = max(try pauseMilliseconds(at: now), 100)
        case .temporaryFailure: pause = 100
        default: pause = 1000
        }
        next = now.bootMilliseconds + pause
      }
      // Another process may have ended it.
      guard try isPending() else { return nil }
      let patience = problem == .temporaryFailure ? Self.busyMilliseconds : 0
      let left =
        begin + max(patience, (waitSeconds ?? 0) * 1000) - SystemClock.now().bootMilliseconds
      if left <= 0 { break }
      let pause = max(next - SystemClock.now().bootMilliseconds, 0)
      Console.progress("waiting \(Duration.text(milliseconds: pause)) for the next try")
      SystemClock.sleep(milliseconds: min(left, pause, 1000))
      Console.progress(nil)
    }
    if problem == .temporaryFailure {
      Console.note(
        "not sent yet: another handback is sending; 'handback flush' sends what it leaves")
    }
    return problem
  }

  private func pass(_ sender: inout Sender, after before: ExitCode?) -> ExitCode? {
    do throws(Sender.Problem) {
      _ = try sender.run { event in EventNote.tell(event) }
      return nil
    } catch {
      guard case .failure(let failure) = error else { return .temporaryFailure }
      // Once: with a wait it is tried again and again.
      if before != failure.exit { Console.warn(failure.message, hint: failure.hint) }
      return failure.exit
    }
  }

  private func isPending() throws(Failure) -> Bool {
    if case .pending = try facts().state { return true }
    return false
  }

  private func pauseMilliseconds(at now: Moment) throws(Failure) -> Int64 {
    let server = try JournalReading.serverState(journal)
    var left = server.wait?.millisecondsLeft(at: now) ?? 0
    if case .pending(_, let wait) = try facts().state, let wait {
      left = max(left, wait.millisecondsLeft(at: now))
    }
    return left
  }

  private func facts() throws(Failure) -> DeactivationFacts {
    guard let facts = try JournalReading.facts(of: ticket, in: journal) else {
      throw Failure(.software, "the ticket \(ticket.text) is not in the journal any more")
    }
    return facts
  }

  /// Prints what became of it and says how the call ends.
  func report(
    _ arguments: Arguments, isNew: Bool, isWaiting: Bool, hindrance: ExitCode?
  ) throws(Failure) -> ExitCode {
    let facts = try facts()
    let server = try JournalReading.serverState(journal)
    if arguments.has(.json) {
      var json = JSONOutput()
      json.begin()
      json.member("new", isNew)
      FactsReport.addMembers(facts, to: &json, at: SystemClock.now(), server)
      try json.print()
    } else {
      try printResult(facts, server, isQuiet: arguments.has(.queueOnly))
    }
    switch facts.state {
    case .ended(.deactivated, _, _, _): return .ok
    case .ended(.rejected, _, _, _): return .rejected
    case .ended(.withdrawn, _, _, _): return .rejected
    case .ended(.damaged, _, _, _): return .dataError
    case .pending:
      guard isWaiting else { return .ok }
      if facts.outcome.isSealed { return .configuration }
      return hindrance ?? (server.reason.isUnreachable ? .unavailable : .temporaryFailure)
    }
  }

  private func printResult(
    _ facts: DeactivationFacts, _ server: ServerState, isQuiet: Bool
  ) throws(Failure) {
    switch facts.state {
    case .ended(let ending, _, let isInferred, _):
      try Console.print(
        "\(ending.name) \(ticket.text)"
          + (isInferred ? " (inferred: an earlier attempt got through)" : ""))
      if ending == .rejected {
        Console.note("error: the server rejected it: \(Words.outcome(facts.outcome))")
        Console.hint(Words.hint(facts.outcome))
      }
    case .pending:
      guard !isQuiet else { return }
      guard facts.outcome.code != nil || facts.attempts > 0 else {
        let left = server.wait?.millisecondsLeft(at: SystemClock.now()) ?? 0
        guard left > 0 else { return }
        return Console.note(
          "not sent yet: \(Words.reason(server.reason)); the next try is due in "
            + Duration.text(milliseconds: left))
      }
      Console.note("not sent yet: \(Words.outcome(facts.outcome))")
      Console.hint(Words.hint(facts.outcome))
      Console.note("it stays queued; 'handback flush' sends it, 'handback status' shows it")
    }
  }
}

/// Events that are no result, told as they come.
enum EventNote {
  static func tell(_ event: FlushEvent) {
    if case .clockCorrected(let seconds) = event {
      let side: Literal = seconds < 0 ? "behind" : "ahead of"
      Console.note(
        """
        the server's clock is \(abs(seconds)) s \(side) ours; \
        requests are signed with its time
        """)
    }
  }
}
