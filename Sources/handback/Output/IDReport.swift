internal import HandbackCore
internal import HandbackLinux

/// What `handback id` prints. Of the sources, only their states and salted marks: never a value.
struct IDReport {
  let state: Literal
  var record: IdentityRecord?
  /// Why there is no ID, or none of this device.
  var reason: Literal?
  var evidence: HardwareEvidence

  func print(_ arguments: Arguments) throws(Failure) {
    if arguments.has(.json) { return try printJSON(arguments.has(.explain)) }
    if let record { try Console.print(record.id.text) }
    guard arguments.has(.explain) else { return }
    if let record { try printRecord(record) }
    for entry in evidence.explained() {
      let mark: Text = entry.mark.isEmpty ? "-" : entry.mark
      try Console.print(
        entry.reading.source.name.padded(to: 22)
          + Text(printable: entry.reading.label).padded(to: 12)
          + Self.words(entry.reading.state).padded(to: 28) + mark.padded(to: 6)
          + Text(entry.role.name))
    }
  }

  private func printRecord(_ record: IdentityRecord) throws(Failure) {
    try Console.print(
      "scheme \(record.scheme.name), class \(record.idClass.name), confidence "
        + "\(record.idClass.confidence.name), platform \(record.platform.name)")
    if isPinned {
      try Console.print(
        "\(state) \(Timestamp.text(epochSeconds: record.pinnedAtEpochSeconds)), "
          + "\(Text(printable: record.reason))")
    }
    try Console.print("it would change with: \(record.idClass.changesWith)")
  }

  /// What only a look below a folder made has no reason.
  private var isPinned: Bool {
    if let record { return !record.reason.isEmpty }
    return false
  }

  static func words(_ state: HardwareReading.State) -> Text {
    if case .junk(let reason) = state { return "junk (\(reason.name))" }
    return Text(state.name)
  }

  private func printJSON(_ isExplained: Bool) throws(Failure) {
    var json = JSONOutput()
    json.begin()
    json.member("id", record?.id.text)
    json.member("scheme", record?.scheme.name)
    json.member("class", record?.idClass.name)
    json.member("confidence", record?.idClass.confidence.name)
    json.member("platform", (record?.platform ?? evidence.platform).name)
    json.member("state", state)
    json.member("reason", reason)
    json.member("pinned_at", timeSeconds: isPinned ? record?.pinnedAtEpochSeconds : nil)
    json.member("pinned_because", isPinned ? record.map { Text(printable: $0.reason) } : nil)
    json.member("changes_with", record?.idClass.changesWith)
    if let record {
      json.beginArray("components")
      for token in record.components.tokens {
        json.beginElement()
        IDCheckReport.addToken(token, to: &json)
        json.end()
      }
      json.endArray()
    }
    if isExplained { addSources(to: &json) }
    try json.print()
  }

  private func addSources(to json: inout JSONOutput) {
    json.beginArray("sources")
    for entry in evidence.explained() {
      json.beginElement()
      json.member("source", entry.reading.source.name)
      json.member("label", Text(printable: entry.reading.label))
      json.member("state", Self.words(entry.reading.state))
      json.member("role", entry.role.name)
      json.member("mark", entry.mark)
      json.end()
    }
    json.endArray()
  }
}

/// What `handback id --check` prints.
struct IDCheckReport {
  let record: IdentityRecord
  let check: IdentityCheck

  func print(_ arguments: Arguments) throws(Failure) {
    if arguments.has(.json) { return try printJSON() }
    try Console.print("\(check.verdict.name)\(cause)")
    for component in check.components {
      if case .agrees = component.change, !arguments.has(.explain) { continue }
      try Console.print(
        component.token.source.name.padded(to: 22) + Text(component.change.name))
    }
  }

  private var cause: Text {
    switch check.verdict {
    case .same, .sameWithChanges: ""
    case .unverified: ": the ID is bound to nothing that can be read here"
    case .unreadable(let source):
      ": \(source.name) can't be read; \(HardwareIdentity.remedy(source))"
    case .notReady(let source): ": \(source.name) is not there yet"
    case .different(let cause): ": \(HardwareIdentity.words(cause))"
    }
  }

  private func printJSON() throws(Failure) {
    var json = JSONOutput()
    json.begin()
    json.member("id", record.id.text)
    json.member("verdict", check.verdict.name)
    if case .different = check.verdict {
      json.member("state", "different" as Literal)
    } else {
      json.member("state", "pinned" as Literal)
    }
    json.beginArray("components")
    for component in check.components {
      json.beginElement()
      Self.addToken(component.token, to: &json)
      json.member("change", component.change.name)
      json.end()
    }
    json.endArray()
    try json.print()
  }

  static func addToken(_ token: ComponentToken, to json: inout JSONOutput) {
    json.member("source", token.source.name)
    json.member("token", Text(token.text.span))
  }
}
