internal import HandbackCore
internal import HandbackLinux

/// `handback id`: prints the pinned hardware ID, or makes and pins one.
enum IDCommand {
  static func run(_ arguments: Arguments, _ settings: Settings) throws(Failure) -> ExitCode {
    let request = try HardwareIdentity.request(settings)
    if arguments.root != nil, !arguments.has(.check) { return try look(arguments, request) }
    if arguments.has(.check) { return try check(arguments, settings) }
    var journal = try JournalOpening.open(settings, .create)
    let evidence = try HardwareIdentity.survey(nil)
    if let pinned = try HardwareIdentity.pinned(journal) {
      if let reason = arguments.repinReason {
        return try repin(arguments, request, evidence, reason, &journal)
      }
      try checkUnchanged(pinned, request, settings)
      return try report(pinned, evidence, arguments)
    }
    return try refusing(arguments, evidence) { () throws(Failure) in
      let reason = arguments.repinReason ?? (arguments.has(.pin) ? "provisioned" : "first use")
      let record = try HardwareIdentity.pin(request, evidence, reason: reason, after: 0, &journal)
      try IDReport(state: "new", record: record, evidence: evidence).print(arguments)
      return .ok
    }
  }

  /// What an ID would be made of on the device whose tree is below a folder; pins nothing.
  private static func look(
    _ arguments: Arguments, _ request: IdentityDerivation.Request
  ) throws(Failure) -> ExitCode {
    let evidence = try HardwareIdentity.survey(arguments.root)
    return try refusing(arguments, evidence) { () throws(Failure) in
      let record: IdentityRecord
      do throws(IdentityDerivation.Refusal) {
        record = try HardwareIdentity.identify(request, evidence, reason: "", random: nil)
      } catch {
        throw HardwareIdentity.refusal(error)
      }
      try IDReport(state: "new", record: record, evidence: evidence).print(arguments)
      return .ok
    }
  }

  /// Tells what was found before it fails: a refusal is a fact, too.
  private static func refusing(
    _ arguments: Arguments, _ evidence: HardwareEvidence,
    _ body: () throws(Failure) -> ExitCode
  ) throws(Failure) -> ExitCode {
    do throws(Failure) {
      return try body()
    } catch {
      if error.exit == .unavailable {
        let state: StaticString = HardwareIdentity.isNotReady(evidence) ? "not-ready" : "refused"
        try IDReport(state: state, reason: error.message, evidence: evidence).print(arguments)
      }
      throw error
    }
  }

  private static func repin(
    _ arguments: Arguments, _ request: IdentityDerivation.Request, _ evidence: HardwareEvidence,
    _ reason: Text, _ journal: inout SQLiteJournal
  ) throws(Failure) -> ExitCode {
    guard (1...IdentityRecord.reasonByteCountMax).contains(reason.bytes.count) else {
      throw Failure(.usage, "--repin takes a reason of 1 to 256 bytes")
    }
    let count: Int
    do throws(JournalError) {
      count = try journal.recordCount()
    } catch {
      throw JournalOpening.failure(error, "cannot read the pinned hardware ID", journal.path)
    }
    let record = try HardwareIdentity.pin(
      request, evidence, reason: reason, after: count, &journal)
    try IDReport(state: "new", record: record, evidence: evidence).print(arguments)
    return .ok
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
    let reason = HardwareIdentity.words(cause)
    if arguments.has(.json) {
      try IDReport(state: "different", record: record, reason: reason, evidence: evidence)
        .print(arguments)
    }
    throw Failure(
      .rejected, "the hardware ID is pinned, but not for this device: \(reason)",
      hint: "'handback id --check' tells more; 'handback id --repin REASON' pins another")
  }

  /// Compares the pinned ID with the hardware, and says what changed.
  private static func check(
    _ arguments: Arguments, _ settings: Settings
  ) throws(Failure) -> ExitCode {
    guard let journal = try JournalOpening.openIfPresent(settings, .read),
      let record = try HardwareIdentity.pinned(journal)
    else {
      throw Failure(
        .unavailable, "no hardware ID is pinned yet", hint: "'handback id' makes and pins one")
    }
    let evidence = try HardwareIdentity.survey(arguments.root)
    let check = IdentityCheck(record, with: evidence)
    try IDCheckReport(record: record, check: check).print(arguments)
    switch check.verdict {
    case .same, .sameWithChanges, .unverified: return .ok
    case .unreadable: return .noPermission
    case .notReady: return .unavailable
    case .different: return .rejected
    }
  }

  /// An ID that was issued is not changed by a flag in passing.
  private static func checkUnchanged(
    _ record: IdentityRecord, _ request: IdentityDerivation.Request, _ settings: Settings
  ) throws(Failure) {
    guard settings.value(.hardwareIDScheme) != nil else { return }
    var isSame = record.scheme == request.scheme
    if case .value(let value) = request, isSame {
      isSame = value.text == record.id.text
    }
    guard !isSame else { return }
    throw Failure(
      .configuration, "the hardware ID is pinned already, by the scheme \(record.scheme.name)",
      hint: "a license may have been activated with it; --repin REASON pins another in its place")
  }
}
