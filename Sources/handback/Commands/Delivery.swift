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

  /// Tries once, or with `waitSeconds` until there is a verdict or the time is over.
  func attempt(
    _ authorizer: consuming Authorizer, _ rules: FlushRules, waitSeconds: Int64?
  ) throws(Failure) {
    let deadline = SystemClock.now().bootMilliseconds + (waitSeconds ?? 0) * 1000
    var sender: Sender
    do throws(Failure) {
      sender = try Sender(settings, journal, authorizer: authorizer, rules: rules)
    } catch {
      // It is queued: what hinders the sending is told, but doesn't undo that.
      return Console.warn(error.message, hint: error.hint)
    }
    while true {
      pass(&sender)
      guard waitSeconds != nil, try isPending() else { return }
      let now = SystemClock.now()
      let left = deadline - now.bootMilliseconds
      if left <= 0 { return }
      // Another process may send it meanwhile, so it is looked at every second.
      let pause = min(left, max(try pauseMilliseconds(at: now), 100))
      Console.progress("waiting \(Duration.text(milliseconds: pause)) for the next try")
      SystemClock.sleep(milliseconds: pause)
      Console.progress(nil)
    }
  }

  private func pass(_ sender: inout Sender) {
    do throws(Sender.Problem) {
      _ = try sender.run { event in EventNote.tell(event) }
    } catch {
      switch error {
      case .busy: Console.note("another handback is sending; it takes this one along")
      case .failure(let failure):
        Console.warn(failure.message, hint: failure.hint)
      }
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
  func report(_ arguments: Arguments, isNew: Bool, isWaiting: Bool) throws(Failure) -> ExitCode {
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
      return server.reason.isUnreachable ? .unavailable : .temporaryFailure
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
