internal import HandbackCore
internal import HandbackLinux

/// Facts from the journal, with its errors in a person's words.
enum JournalReading {
  static func facts(
    of ticket: Ticket, in journal: SQLiteJournal
  ) throws(Failure) -> DeactivationFacts? {
    do throws(JournalError) {
      return try journal.facts(of: ticket)
    } catch {
      throw failure(error, journal)
    }
  }

  static func facts(
    after row: Int64, onlyPending: Bool, in journal: SQLiteJournal
  ) throws(Failure) -> DeactivationFacts? {
    do throws(JournalError) {
      return try journal.facts(after: row, onlyPending: onlyPending)
    } catch {
      throw failure(error, journal)
    }
  }

  static func serverState(_ journal: SQLiteJournal) throws(Failure) -> ServerState {
    do throws(JournalError) {
      return try journal.readServerState()
    } catch {
      throw failure(error, journal)
    }
  }

  static func tally(_ journal: SQLiteJournal) throws(Failure) -> JournalTally {
    do throws(JournalError) {
      return try journal.tally()
    } catch {
      throw failure(error, journal)
    }
  }

  static func failure(_ error: JournalError, _ journal: SQLiteJournal) -> Failure {
    JournalOpening.failure(error, "cannot read the journal at \(journal.path)", journal.path)
  }

  /// The ticket that the command line names.
  static func ticket(_ arguments: Arguments) throws(Failure) -> Ticket {
    guard let word = arguments.operand, let ticket = Ticket(utf8: word.bytes.span) else {
      throw Failure(
        .usage, "that is no ticket",
        hint: "a ticket looks like 17-k3f9xq; 'handback status' lists them")
    }
    return ticket
  }

  static func unknown(_ ticket: Ticket, _ settings: Settings) -> Failure {
    Failure(
      .dataError, "there is no ticket \(ticket.text) in \(settings.journalPath)",
      hint: "'handback status --all' lists all tickets")
  }
}
