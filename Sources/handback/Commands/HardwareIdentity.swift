internal import HandbackCore
internal import HandbackLinux

/// This device's hardware ID: the pinned one, or one that is made and pinned.
enum HardwareIdentity {
  /// How long udev may take: a device that is decommissioned is booted.
  static let settleDeadlineMilliseconds = 2000

  /// The ID to send where the settings name none: the pinned one, if this is still the hardware
  /// that it was pinned on, else one made now. One with a random part isn't: no license can have
  /// been activated with it.
  static func resolve(
    _ settings: Settings, _ journal: inout SQLiteJournal, acceptsChangedHardware: Bool
  ) throws(Failure) -> HardwareID {
    let evidence = try survey(settings)
    var count = 0
    if let record = try pinned(journal, count: &count) {
      if settings.value(.hardwareIDScheme)?.source == .flag {
        try checkUnchanged(record, try request(settings), settings)
      }
      try check(record, evidence, acceptsChangedHardware)
      return record.id
    }
    let request = try request(settings)
    let record: IdentityRecord
    do throws(IdentityDerivation.Refusal) {
      record = try identify(request, evidence, reason: "first use", isPinned: false)
    } catch {
      throw refusal(error)
    }
    return try pin(record, after: 0, &journal).id
  }

  /// A cloned image must not give back its sibling's license.
  private static func check(
    _ record: IdentityRecord, _ evidence: HardwareEvidence, _ acceptsChangedHardware: Bool
  ) throws(Failure) {
    switch IdentityCheck(record, with: evidence).verdict {
    case .same, .sameWithChanges, .unverified: break
    case .unreadable(let source):
      Console.warn(
        "the pinned hardware ID could not be checked: \(source.name) can't be read",
        hint: Text(remedy(source)))
    case .notReady(let source):
      Console.warn("the pinned hardware ID could not be checked: \(source.name) is not there yet")
    case .different(let cause):
      if acceptsChangedHardware { return }
      throw Failure(
        .rejected, "refusing to send the pinned hardware ID: \(words(cause))",
        hint: """
          if the board was replaced, say --accept-changed-hardware; a copied image must \
          be provisioned anew, with 'handback id --repin REASON'
          """)
    }
  }

  /// An ID that was issued is not changed by a flag in passing.
  static func checkUnchanged(
    _ record: IdentityRecord, _ request: IdentityDerivation.Request, _ settings: Settings
  ) throws(Failure) {
    guard settings[.hardwareIDScheme] != nil || isAsked(settings) else { return }
    var isSame = record.scheme == request.scheme
    if case .value(let value) = request, isSame {
      isSame = value.text == record.id.text
    }
    guard !isSame else { return }
    throw Failure(
      .configuration, "the hardware ID is pinned already, by the scheme \(record.scheme.name)",
      hint: "a license may have been activated with it; --repin REASON pins another in its place")
  }

  static func words(_ cause: IdentityCheck.Cause) -> Text {
    switch cause {
    case .anchor(let source):
      "this is other hardware, by its \(source.name): the journal was copied, or the board replaced"
    case .component(let source):
      "what it was made of is gone, and \(source.name) is another device's"
    case .tooLittleAgrees: "what it was made of is gone, and too little else agrees"
    case .cloned: "this virtual machine is a copy, or was set back"
    case .container: "this is a container, and the ID is another machine's"
    }
  }

  /// The record in force, and how many there are with those before it.
  static func pinned(
    _ journal: SQLiteJournal, count: inout Int
  ) throws(Failure) -> IdentityRecord? {
    do throws(JournalError) {
      count = try journal.recordCount()
      return count > 0 ? try journal.record(at: count - 1) : nil
    } catch {
      throw JournalOpening.failure(error, "cannot read the pinned hardware ID", journal.path)
    }
  }

  /// The value of `hardware-id`, checked.
  static func given(_ settings: Settings) throws(Failure) -> HardwareID? {
    guard let text = settings[.hardwareID] else { return nil }
    return try hardwareID(text, settings, .hardwareID)
  }

  private static func hardwareID(
    _ text: Text, _ settings: Settings, _ setting: Setting
  ) throws(Failure) -> HardwareID {
    guard let id = HardwareID(utf8: text.bytes.span) else {
      throw Failure(
        .dataError,
        settings.wrong(setting, "must be 1 to 256 bytes of UTF-8 without control characters")
          .message)
    }
    return id
  }

  /// Whether the command itself says which ID to pin; as a setting it is only sent.
  static func isAsked(_ settings: Settings) -> Bool {
    settings.value(.hardwareID)?.source == .flag
  }

  /// What `scheme` asks for; `value:STRING` is the value that the device was activated with.
  static func request(_ settings: Settings) throws(Failure) -> IdentityDerivation.Request {
    if isAsked(settings), let given = try given(settings) { return .value(given) }
    guard let text = settings[.hardwareIDScheme] else { return .hb1 }
    if text.hasPrefix("value:") {
      let value = text.suffix(from: 6)
      return .value(try hardwareID(value, settings, .hardwareIDScheme))
    }
    switch HardwareIDScheme(utf8: text.bytes.span) {
    case .hb1: return .hb1
    case .licensespring: return .licensespring
    case .machineID: return .machineID
    case .macDecimal: return .macDecimal
    case .random: return .random
    case .value, .none:
      throw settings.wrong(
        .hardwareIDScheme,
        "must be hb1, licensespring, machine-id, mac-decimal, random or value:STRING")
    }
  }

  static func survey(_ settings: Settings) throws(Failure) -> HardwareEvidence {
    let root = settings[.root]
    let tpm = try tpm(settings)
    do throws(HardwareSurvey.Failure) {
      return try HardwareSurvey.take(
        root: root, settleDeadlineMilliseconds: settleDeadlineMilliseconds, tpm: tpm)
    } catch {
      switch error {
      case .rootCannotBeOpened(let code):
        throw Failure(
          .ioError,
          "cannot read the device tree below \(root ?? "/"): \(Process.description(ofErrno: code))")
      }
    }
  }

  /// Where tpm2-tss finds the TPM; empty for the usual place, `nil` if it isn't to be asked.
  private static func tpm(_ settings: Settings) throws(Failure) -> Text? {
    guard let place = settings[.tpm], !place.isEqual(to: "no") else { return nil }
    if settings[.root] != nil {
      throw settings.wrong(.tpm, "must be no below a folder (root), where no TPM can be asked")
    }
    if place.isEqual(to: "yes") { return "" }
    if place.hasPrefix("/") { return "device:\(place)" }
    if place.firstIndex(of: UInt8(ascii: ":")) != nil { return place }
    throw settings.wrong(
      .tpm, "must be yes, no, a device as /dev/tpmrm0, or NAME:OPTIONS in tpm2-tss's words")
  }

  /// Makes a record; one that is to be pinned has a random part where there must be one.
  static func identify(
    _ request: IdentityDerivation.Request, _ evidence: HardwareEvidence, reason: Text,
    isPinned: Bool
  ) throws(IdentityDerivation.Refusal) -> IdentityRecord {
    do throws(IdentityDerivation.Refusal) {
      return try IdentityDerivation.identify(
        evidence, by: request, random: isPinned ? Entropy.block() : nil,
        epochSeconds: SystemClock.now().wallSeconds, reason: reason)
    } catch {
      if isPinned, case .needsEnrolment = error { throw .noRandomness }
      throw error
    }
  }

  /// Pins a record, unless another process pinned one meanwhile: then that one holds.
  static func pin(
    _ record: IdentityRecord, after count: Int, _ journal: inout SQLiteJournal
  ) throws(Failure) -> IdentityRecord {
    do throws(JournalError) {
      if try journal.append(record, after: count) { return record }
      return try journal.pinnedRecord() ?? record
    } catch {
      throw JournalOpening.failure(error, "cannot pin the hardware ID", journal.path)
    }
  }

  static func refusal(_ error: IdentityDerivation.Refusal) -> Failure {
    Failure(.unavailable, "no hardware ID: \(words(error))", hint: hint(error))
  }

  /// What helps where a source can't be read.
  static func remedy(_ source: HardwareIDSource) -> Literal {
    source == .tpmEndorsementKey
      ? """
      'tpm' must be set as it was when the ID was pinned, tpm2-tss be installed, \
      and this user be allowed to use the TPM
      """
      : Process.isRoot
        ? "it is there and can't be read: a sandbox may hide it, or try again" : "run as root"
  }

  static func words(_ error: IdentityDerivation.Refusal) -> Text {
    switch error {
    case .container: "this is a container, whose hardware is its host's"
    case .unreadable(let source): "\(source.name) can't be read"
    case .hidden(let name): "\(name) can't be read"
    case .notReady(let source): "\(source.name) is not there yet"
    case .noGoodSource: "nothing on this machine names it well"
    case .needsEnrolment: "this one has a random part, which is made when it is pinned"
    case .noRandomness: "the kernel gives no random bytes (getrandom)"
    case .schemeUnavailable(let scheme): "the scheme \(scheme.name) has nothing to read here"
    }
  }

  private static func hint(_ error: IdentityDerivation.Refusal) -> Text {
    switch error {
    case .unreadable(let source): Text(remedy(source))
    case .hidden: "run again, as root and outside of a sandbox"
    case .notReady: "run again once the device has started"
    case .needsEnrolment:
      "'handback id --pin' makes it, on the machine itself, before its license is activated; "
        + "'--hardware-id ID' gives the one that it was activated with"
    case .noRandomness: "'--hardware-id ID' gives one that was made elsewhere"
    case .container, .noGoodSource, .schemeUnavailable:
      "'handback id --scheme random' enrols a random ID; "
        + "'--hardware-id ID' gives the one that the license was activated with"
    }
  }
}
