internal import HandbackCore
internal import HandbackLinux

/// `handback id`: prints the pinned hardware ID, or makes and pins one.
enum IDCommand {
  static func run(_ arguments: Arguments, _ settings: Settings) throws(Failure) -> ExitCode {
    let request = try HardwareIdentity.request(settings)
    var journal = try JournalOpening.open(settings, .create)
    let pinned: IdentityRecord?
    do throws(JournalError) {
      pinned = try journal.pinnedRecord()
    } catch {
      throw JournalOpening.failure(error, "cannot read the pinned hardware ID", journal.path)
    }
    if let pinned {
      try checkUnchanged(pinned, request, settings)
      let evidence = arguments.has(.explain) ? try HardwareIdentity.survey(nil) : nil
      try IDReport(state: "pinned", record: pinned, evidence: evidence).print(arguments)
      return .ok
    }
    let evidence = try HardwareIdentity.survey(nil)
    do throws(Failure) {
      let record = try HardwareIdentity.pin(
        request, evidence, reason: "first use", after: 0, &journal)
      try IDReport(state: "new", record: record, evidence: evidence).print(arguments)
      return .ok
    } catch {
      if arguments.has(.explain) || arguments.has(.json) {
        try IDReport(state: "refused", reason: error.message.string, evidence: evidence)
          .print(arguments)
      }
      throw error
    }
  }

  /// An ID that was issued is not changed by a flag in passing.
  private static func checkUnchanged(
    _ record: IdentityRecord, _ request: IdentityDerivation.Request, _ settings: Settings
  ) throws(Failure) {
    guard settings.value(.hardwareIDScheme) != nil else { return }
    var isSame = record.scheme == request.scheme
    if case .value(let value) = request, isSame {
      isSame = value.text.utf8.elementsEqual(record.id.text.utf8)
    }
    guard !isSame else { return }
    throw Failure(
      .configuration, "the hardware ID is pinned already, by the scheme \(record.scheme.name)",
      hint: "a license was perhaps activated with it; --hardware-id ID sends another once")
  }
}

/// What `handback id` prints.
struct IDReport {
  let state: StaticString
  var record: IdentityRecord?
  var reason: String?
  var evidence: HardwareEvidence?

  func print(_ arguments: Arguments) throws(Failure) {
    if arguments.has(.json) { return try printJSON() }
    if let record { try Console.print(Line(record.id.text)) }
    guard arguments.has(.explain) else { return }
    if let record {
      try Console.print(
        "scheme \(record.scheme.name), class \(record.idClass.name), "
          + "confidence \(record.idClass.confidence.name), platform \(record.platform.name), "
          + "pinned \(Timestamp.text(epochSeconds: record.pinnedAtEpochSeconds))")
    }
    guard let evidence else { return }
    for reading in evidence.readings {
      let label = Line(printable: reading.label.bytes)
      try Console.print(
        Line(reading.source.name).padded(to: 22) + label.padded(to: 12)
          + words(reading.state))
    }
  }

  private func words(_ state: HardwareReading.State) -> Line {
    if case .junk(let reason) = state { return "junk (\(reason.name))" }
    return Line(state.name)
  }

  private func printJSON() throws(Failure) {
    var json = JSONOutput()
    json.begin()
    json.member("id", record?.id.text)
    json.member("scheme", record?.scheme.name.description)
    json.member("class", record?.idClass.name.description)
    json.member("platform", (record?.platform ?? evidence?.platform)?.name.description)
    json.member("state", state)
    json.member("reason", reason)
    if let evidence {
      json.beginArray("sources")
      for reading in evidence.readings {
        json.beginElement()
        json.member("source", reading.source.name)
        json.member("label", Line(printable: reading.label.bytes).string)
        json.member("state", words(reading.state).string)
        json.end()
      }
      json.endArray()
    }
    json.end()
    try Console.write(json.take() + [0x0A])
  }
}
