internal import HandbackCore
internal import HandbackLinux

/// `handback deactivate`: accepts a deactivation durably, then tries to send it.
enum DeactivateCommand {
  static func run(_ arguments: Arguments, _ settings: Settings) throws(Failure) -> ExitCode {
    let isQueueOnly = arguments.has(.queueOnly)
    guard !isQueueOnly || arguments.waitSeconds == nil else {
      throw Failure(
        .usage, "--queue-only and --wait exclude each other",
        hint: "what is only queued is sent later, and gets its verdict then")
    }
    if settings.value(.root)?.source == .flag {
      throw Failure(
        .usage, "--root is another device's tree, and its ID would be this one's",
        hint: "'--hardware-id ID' sends its ID; as a setting (HANDBACK_ROOT) it is this one's host")
    }
    // All that can be wrong is found before the journal is touched.
    let input = try settings.licenseInput()
    _ = try settings.transportOptions()
    var rules = try settings.flushRules()
    let given = try HardwareIdentity.given(settings)
    let authorizer = isQueueOnly ? nil : try settings.authorizer()

    var journal = try JournalOpening.openToQueue(settings)
    let hardwareID: HardwareID
    if let given {
      hardwareID = given
    } else {
      hardwareID = try HardwareIdentity.resolve(
        settings, &journal, acceptsChangedHardware: arguments.has(.acceptChangedHardware))
    }
    let deactivation = input.deactivation(on: hardwareID)
    warnOfExpiry(deactivation)
    let queued: SQLiteJournal.Queued
    do throws(JournalError) {
      queued = try journal.queue(
        deactivation, nonce: UInt32(truncatingIfNeeded: Entropy.next()),
        atSeconds: SystemClock.now().wallSeconds)
    } catch {
      JournalOpening.tell(journal)
      throw JournalOpening.failure(error, "cannot queue in \(journal.path)", journal.path)
    }
    // From here on it is safe, and the first thing is to say so.
    var unsaid: Failure?
    if !arguments.has(.json) {
      let word: Literal = queued.isNew ? "queued" : "queued already"
      do throws(Failure) {
        try Console.print("\(word) \(queued.ticket.text)")
      } catch {
        // It is the license that has to go back, whether or not somebody reads of it.
        unsaid = Failure(error.exit, "\(error.message); it is queued as \(queued.ticket.text)")
      }
    }
    JournalOpening.tell(journal)
    // The power may go in the next second: nothing is read back that nobody asked for.
    if isQueueOnly, !arguments.has(.json) {
      if let unsaid { throw unsaid }
      return .ok
    }
    var hindrance: ExitCode?
    if !isQueueOnly {
      if let authorizer {
        rules.only = queued.ticket
        hindrance = try Delivery(settings, journal, queued.ticket).attempt(
          authorizer, rules, waitSeconds: arguments.waitSeconds)
      } else {
        hindrance = .configuration
        Console.warn(
          "queued, but not sent: no keys are set for the license server",
          hint: "set api-key-file and shared-key-file, then run 'handback flush'")
      }
    }
    if let unsaid { throw unsaid }
    return try Delivery(settings, journal, queued.ticket)
      .report(
        arguments, isNew: queued.isNew, isWaiting: arguments.waitSeconds != nil,
        hindrance: hindrance)
  }

  /// A queued token may be too old by the time the network is back.
  private static func warnOfExpiry(_ deactivation: Deactivation) {
    switch deactivation.credential {
    case .key: break
    case .user: break
    case .userWithPassword: break
    case .idToken(let grant):
      guard let expiry = grant.token.withBytes({ WebToken($0)?.expiry }) else { return }
      Console.warn(
        """
        the access token expires at \(Timestamp.text(epochSeconds: expiry)); \
        if the network returns later, the server will refuse it
        """,
        hint: "repeat the command with a fresh token then: the ticket stays the same")
    case .code:
      Console.warn(
        """
        an authorization code is short-lived; if the network returns too late, \
        the server will refuse it
        """,
        hint: "where it can be had, an access token or a license key lasts longer")
    }
  }
}
