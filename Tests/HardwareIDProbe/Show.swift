internal import HandbackCore

/// One line a fact, the raw values never.
func show(_ evidence: HardwareEvidence) {
  print("platform \(evidence.platform.name)")
  var random = InlineArray<32, UInt8>(repeating: 0)
  for index in random.indices { random[index] = UInt8(index) }
  do throws(IdentityDerivation.Refusal) {
    let record = try IdentityDerivation.identify(
      evidence, by: .hb1, random: random, epochSeconds: 0, reason: HardwareText("probe"))
    print("id \(record.id.text) \(record.idClass.name)")
    print("components \(String(decoding: record.components.encoded(), as: UTF8.self))")
  } catch {
    print("refused \(error.name)")
  }
  for reading in evidence.readings {
    let label = String(decoding: reading.label.bytes, as: UTF8.self)
    if case .junk(let reason) = reading.state {
      print("source \(reading.source.name) \(label) junk: \(reason.name)")
    } else {
      print("source \(reading.source.name) \(label) \(reading.state.name)")
    }
  }
}
