internal import HandbackCore
internal import HandbackLinux

/// `handback retry TICKET`: tries one pending deactivation now, whatever it waits for.
enum RetryCommand {
  static func run(_ arguments: Arguments, _ settings: Settings) throws(Failure) -> ExitCode {
    let ticket = try JournalReading.ticket(arguments)
    var rules = try settings.flushRules()
    rules.only = ticket
    _ = try settings.transportOptions()
    let journal = try TicketChange.open(ticket, settings)
    guard let authorizer = try settings.authorizer() else {
      throw Failure(
        .configuration, "no keys are set for the license server",
        hint: "set api-key-file and shared-key-file")
    }
    guard
      try TicketChange.apply(
        ticket, journal,
        { journal throws(JournalError) in
          try journal.makeDue(ticket)
        })
    else { throw try TicketChange.notPending(ticket, journal) }
    let hindrance = try Delivery(settings, journal, ticket).attempt(
      authorizer, rules, waitSeconds: nil)
    return try Delivery(settings, journal, ticket)
      .report(arguments, isNew: false, isWaiting: true, hindrance: hindrance)
  }
}

/// `handback withdraw TICKET`: a person takes a pending deactivation back.
enum WithdrawCommand {
  static func run(_ arguments: Arguments, _ settings: Settings) throws(Failure) -> ExitCode {
    let ticket = try JournalReading.ticket(arguments)
    let journal = try TicketChange.open(ticket, settings)
    let now = SystemClock.now().wallSeconds
    guard
      try TicketChange.apply(
        ticket, journal,
        { journal throws(JournalError) in
          try journal.withdraw(ticket, atSeconds: now)
        })
    else { throw try TicketChange.notPending(ticket, journal) }
    JournalOpening.emptyWAL(journal, hasErased: true)
    // Read only now: one may have been sent in this moment.
    let facts = (try? JournalReading.facts(of: ticket, in: journal)) ?? nil
    if case .ended(.deactivated, _, _, _)? = facts?.state {
      throw try TicketChange.notPending(ticket, journal)
    }
    let openAttempts = facts?.openAttempts ?? 0
    if openAttempts > 0 {
      Console.warn("an attempt was sent and not answered: the server may have done it already")
    }
    if arguments.has(.json) {
      var json = JSONOutput()
      json.begin()
      json.member("ticket", ticket.text)
      json.member("state", Ending.withdrawn.name)
      json.member("unanswered_attempts", openAttempts)
      try json.print()
    } else {
      try Console.print("withdrawn \(ticket.text)")
    }
    return .ok
  }
}

/// What the commands that change one ticket share.
enum TicketChange {
  static func open(_ ticket: Ticket, _ settings: Settings) throws(Failure) -> SQLiteJournal {
    guard let journal = try JournalOpening.openIfPresent(settings, .write),
      try JournalReading.facts(of: ticket, in: journal) != nil
    else { throw JournalReading.unknown(ticket, settings) }
    return journal
  }

  static func apply(
    _ ticket: Ticket, _ journal: SQLiteJournal,
    _ change: (SQLiteJournal) throws(JournalError) -> Bool
  ) throws(Failure) -> Bool {
    defer { JournalOpening.tell(journal) }
    do throws(JournalError) {
      return try change(journal)
    } catch {
      throw JournalOpening.failure(
        error, "cannot change \(ticket.text) in \(journal.path)", journal.path)
    }
  }

  static func notPending(_ ticket: Ticket, _ journal: SQLiteJournal) throws(Failure) -> Failure {
    guard let facts = try JournalReading.facts(of: ticket, in: journal) else {
      return Failure(.dataError, "there is no ticket \(ticket.text)")
    }
    var hint: Text = "'handback receipt \(ticket.text)' tells how it ended"
    if case .ended(.damaged, _, _, _) = facts.state {
      hint = "give it back by other means, then say 'handback withdraw \(ticket.text)'"
    }
    return Failure(
      .dataError, "\(ticket.text) is no longer pending: \(FactsReport.stateName(facts.state))",
      hint: hint)
  }
}
