internal import HandbackCore

/// One line a fact, the raw values never.
func show(_ evidence: HardwareEvidence) {
  print("platform \(evidence.platform.name)")
  let record = record(evidence)
  if let record {
    print("id \(record.id.text)")
    print("class \(record.idClass.name)")
    print("components \(record.components.encoded().string)")
  }
  for explained in evidence.explained(record?.components) {
    let label = explained.reading.label.string
    var state = explained.reading.state.name.description
    if case .junk(let reason) = explained.reading.state { state += " (\(reason.name))" }
    print("source \(explained.reading.source.name) '\(label)' \(state), \(explained.role.name)")
  }
}

/// What the pin of one device is worth on another.
func check(_ first: HardwareEvidence, _ second: HardwareEvidence) {
  guard let record = record(first) else { return }
  let check = IdentityCheck(record, with: second)
  print("verdict \(check.verdict.name)")
  for component in check.components {
    print("component \(component.token.source.name) \(component.change.name)")
  }
}

/// With a fixed random part: the tests compare.
private func record(_ evidence: HardwareEvidence) -> IdentityRecord? {
  do throws(IdentityDerivation.Refusal) {
    return try IdentityDerivation.identify(
      evidence, by: .hb1, random: InlineArray(repeating: 7), epochSeconds: 0,
      reason: Text("probe"))
  } catch {
    print("refused \(error.name)")
    return nil
  }
}
