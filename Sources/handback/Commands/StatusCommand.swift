internal import HandbackCore
internal import HandbackLinux

/// `handback status`: what is pending, and why. Reads only, and needs no network.
enum StatusCommand {
  static func run(_ arguments: Arguments, _ settings: Settings) throws(Failure) -> ExitCode {
    let journal = try JournalOpening.openIfPresent(settings, .read)
    let onlyPending = !arguments.has(.all)
    if arguments.has(.json) {
      try printJSON(journal, settings, onlyPending)
    } else {
      try printLines(journal, settings, onlyPending)
    }
    return .ok
  }

  private static func printLines(
    _ journal: SQLiteJournal?, _ settings: Settings, _ onlyPending: Bool
  ) throws(Failure) {
    guard let journal else {
      return try Console.print("nothing was queued yet (no journal at \(settings.journalPath))")
    }
    let now = SystemClock.now()
    let server = try JournalReading.serverState(journal)
    var row: Int64 = 0
    while let facts = try JournalReading.facts(after: row, onlyPending: onlyPending, in: journal) {
      try Console.print(FactsReport.line(facts, at: now, server))
      if facts.outcome.isSealed { Console.hint(Words.hint(facts.outcome)) }
      row = facts.ticket.row
    }
    let tally = try JournalReading.tally(journal)
    let rest: Text = tally.damaged > 0 ? " (\(tally.damaged) of them damaged)" : ""
    try Console.print("\(tally.pending) pending, \(tally.ended) ended\(rest)")
    let left = server.wait?.millisecondsLeft(at: now) ?? 0
    if left > 0, tally.pending > 0 {
      try Console.print(
        "\(Words.reason(server.reason)); the next try is due in "
          + Duration.text(milliseconds: left))
    }
  }

  private static func addTally(_ tally: JournalTally, to json: inout JSONOutput) {
    json.member("pending", tally.pending)
    json.member("ended", tally.ended)
    json.member("deactivated", tally.deactivated)
    json.member("rejected", tally.rejected)
    json.member("withdrawn", tally.withdrawn)
    json.member("damaged", tally.damaged)
    json.member("oldest_queued_at", timeSeconds: tally.oldestQueuedAtSeconds)
  }

  private static func printJSON(
    _ journal: SQLiteJournal?, _ settings: Settings, _ onlyPending: Bool
  ) throws(Failure) {
    var json = JSONOutput()
    json.begin()
    json.member("journal", settings.journalPath)
    json.member("exists", journal != nil)
    json.beginArray("deactivations")
    guard let journal else {
      json.endArray()
      json.member("is_complete", true)
      addTally(JournalTally(), to: &json)
      return try json.print()
    }
    let now = SystemClock.now()
    let server = try JournalReading.serverState(journal)
    var row: Int64 = 0
    let tally: JournalTally
    do throws(Failure) {
      while let facts = try JournalReading.facts(after: row, onlyPending: onlyPending, in: journal)
      {
        json.beginElement()
        FactsReport.addMembers(facts, to: &json, at: now, server)
        json.end()
        try Console.write(json.take())
        row = facts.ticket.row
      }
      tally = try JournalReading.tally(journal)
    } catch {
      json.breakOff()
      throw error
    }
    json.endArray()
    json.member("is_complete", true)
    addTally(tally, to: &json)
    json.beginObject("server")
    json.member("address", settings[.server])
    json.member("failures", server.failures)
    json.member("waiting_for", Words.name(server.reason))
    json.member("next_attempt_in_ms", server.wait?.millisecondsLeft(at: now) ?? 0)
    json.member("time", timeSeconds: server.clock.seconds(at: now))
    json.end()
    try json.print()
  }
}

/// `handback receipt TICKET`: how a deactivation ended.
enum ReceiptCommand {
  static func run(_ arguments: Arguments, _ settings: Settings) throws(Failure) -> ExitCode {
    let ticket = try JournalReading.ticket(arguments)
    guard let journal = try JournalOpening.openIfPresent(settings, .read),
      let facts = try JournalReading.facts(of: ticket, in: journal)
    else { throw JournalReading.unknown(ticket, settings) }
    let server = try JournalReading.serverState(journal)
    if arguments.has(.json) {
      var json = JSONOutput()
      json.begin()
      FactsReport.addMembers(facts, to: &json, at: SystemClock.now(), server)
      try json.print()
    } else {
      try printLines(facts)
    }
    switch facts.state {
    case .pending:
      Console.note("there is no receipt yet: it is still pending")
      return .temporaryFailure
    case .ended(.damaged, _, _, _): return .dataError
    case .ended: return .ok
    }
  }

  private static func printLines(_ facts: DeactivationFacts) throws(Failure) {
    try line("ticket", facts.ticket.text)
    try line("state", Text(FactsReport.stateName(facts.state)))
    if facts.isUnknown { return }
    try line("product", Text(printable: facts.product))
    try line("hardware id", Text(printable: facts.hardwareID))
    try line("license by", Text(facts.way.name))
    if let username = facts.username { try line("username", Text(printable: username)) }
    if let licenseID = facts.licenseID { try line("license id", "\(licenseID)") }
    try line("queued", Timestamp.text(epochSeconds: facts.queuedAtSeconds))
    if case .ended(_, let seconds, let isInferred, let licenseSignature) = facts.state {
      try line("ended", Timestamp.text(epochSeconds: seconds))
      try line("inferred", isInferred ? "yes: an earlier, unanswered attempt got through" : "no")
      if licenseSignature != nil { try line("signed", "yes (LicenseSignature, see --json)") }
    }
    try line("attempts", "\(facts.attempts)")
    if facts.isRestored {
      try line("restored", "yes: brought back after damage; earlier attempts are not on record")
    }
    if facts.outcome.code != nil { try line("answer", Words.outcome(facts.outcome)) }
  }

  private static func line(_ name: Literal, _ text: Text) throws(Failure) {
    try Console.print(name.padded(to: 13) + text)
  }
}
