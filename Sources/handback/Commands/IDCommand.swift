internal import HandbackCore
internal import HandbackLinux

/// `handback id`: prints the pinned hardware ID, or makes and pins one.
enum IDCommand {
  static func run(_ arguments: Arguments, _ settings: Settings) throws(Failure) -> ExitCode {
    let request = try HardwareIdentity.request(settings)
    if let reason = arguments.repinReason,
      !(1...IdentityRecord.reasonByteCountMax).contains(reason.bytes.count)
    {
      throw Failure(.usage, "--repin takes a reason of 1 to 256 bytes")
    }
    if arguments.has(.check) { return try check(arguments, settings) }
    let evidence = try HardwareIdentity.survey(settings)
    // Another device's tree is only looked at, unless it was said that this is the device. One that
    // the settings name is: a container's host.
    if settings.value(.root)?.source == .flag, !arguments.has(.pin), arguments.repinReason == nil {
      let record = try make(arguments, request, evidence, reason: "", isPinned: false)
      try IDReport(state: "new", record: record, evidence: evidence).print(arguments)
      return .ok
    }
    // Nothing is opened to be written before there is something to pin.
    var count = 0
    if let pinned = try pinned(arguments, settings, count: &count), arguments.repinReason == nil {
      try HardwareIdentity.checkUnchanged(pinned, request, settings)
      return try report(pinned, evidence, arguments)
    }
    let reason = arguments.repinReason ?? (arguments.has(.pin) ? "provisioned" : "first use")
    let made = try make(arguments, request, evidence, reason: reason, isPinned: true)
    var journal = try JournalOpening.open(settings, .create)
    let record = try HardwareIdentity.pin(made, after: count, &journal)
    try IDReport(state: "new", record: record, evidence: evidence).print(arguments)
    return .ok
  }

  /// The pinned record; brought back from its second copy if it is damaged. If it can't be, another
  /// may be pinned in its place.
  private static func pinned(
    _ arguments: Arguments, _ settings: Settings, count: inout Int
  ) throws(Failure) -> IdentityRecord? {
    do throws(Failure) {
      return try pinned(settings, .read, count: &count)
    } catch {
      guard error.exit == .dataError else { throw error }
    }
    do throws(Failure) {
      return try pinned(settings, .write, count: &count)
    } catch {
      guard error.exit == .dataError, arguments.repinReason != nil, count > 0 else { throw error }
      return nil
    }
  }

  private static func pinned(
    _ settings: Settings, _ access: SQLiteJournal.Access, count: inout Int
  ) throws(Failure) -> IdentityRecord? {
    guard let journal = try JournalOpening.openIfPresent(settings, access) else { return nil }
    return try HardwareIdentity.pinned(journal, count: &count)
  }

  /// Makes a record. A refusal is a fact too: what was found is told before it fails.
  private static func make(
    _ arguments: Arguments, _ request: IdentityDerivation.Request, _ evidence: HardwareEvidence,
    reason: Text, isPinned: Bool
  ) throws(Failure) -> IdentityRecord {
    do throws(IdentityDerivation.Refusal) {
      return try HardwareIdentity.identify(request, evidence, reason: reason, isPinned: isPinned)
    } catch {
      var state: Literal = "refused"
      if case .notReady = error { state = "not-ready" }
      try IDReport(state: state, reason: error.name, evidence: evidence).print(arguments)
      throw HardwareIdentity.refusal(error)
    }
  }

  /// The pinned ID, unless the hardware is another's.
  private static func report(
    _ record: IdentityRecord, _ evidence: HardwareEvidence, _ arguments: Arguments
  ) throws(Failure) -> ExitCode {
    let check = IdentityCheck(record, with: evidence)
    guard case .different(let cause) = check.verdict else {
      try IDReport(state: "pinned", record: record, evidence: evidence).print(arguments)
      return .ok
    }
    if arguments.has(.json) {
      try IDReport(state: "different", record: record, reason: cause.name, evidence: evidence)
        .print(arguments)
    }
    throw Failure(
      .rejected,
      "the hardware ID is pinned, but not for this device: \(HardwareIdentity.words(cause))",
      hint: "'handback id --check' tells more; 'handback id --repin REASON' pins another")
  }

  /// Compares the pinned ID with the hardware, and says what changed.
  private static func check(
    _ arguments: Arguments, _ settings: Settings
  ) throws(Failure) -> ExitCode {
    var count = 0
    guard let journal = try JournalOpening.openIfPresent(settings, .read),
      let record = try HardwareIdentity.pinned(journal, count: &count)
    else {
      throw Failure(
        .unavailable, "no hardware ID is pinned yet", hint: "'handback id' makes and pins one")
    }
    let evidence = try HardwareIdentity.survey(settings)
    let check = IdentityCheck(record, with: evidence)
    try IDCheckReport(record: record, check: check).print(arguments)
    switch check.verdict {
    case .same, .sameWithChanges, .unverified: return .ok
    case .unreadable: return .noPermission
    case .notReady: return .unavailable
    case .different: return .rejected
    }
  }
}
