@testable internal import HandbackCore
@testable internal import HandbackLinux

/// What sources may have read: any text for any source.
enum FuzzHardware {
  static func run(_ input: FuzzInput) {
    let one = evidence(input, isReversed: false)
    let other = evidence(input, isReversed: true)
    require(one.readings.count == other.readings.count, "an order loses a reading")
    for index in one.readings.indices {
      let (first, second) = (one.readings[index], other.readings[index])
      require(
        first.source == second.source && first.label == second.label
          && first.isOK == second.isOK,
        "the order of enumeration changes the outcome")
    }
    for scheme in [HardwareIDScheme.licensespring, .machineID, .macDecimal] {
      _ = try? CompatibilityScheme.id(scheme, one)
    }
  }

  private static func evidence(_ input: FuzzInput, isReversed: Bool) -> HardwareEvidence {
    var input = input
    let observations = HardwareObservations()
    let flags = input.byte()
    observations.isSettled = flags & 1 == 0
    observations.signs.hasHypervisorMark = flags & 2 != 0
    observations.signs.hasContainerMark = flags & 4 != 0
    observations.signs.systemVendor = Text(input.piece())
    observations.compatible = Text(input.piece())
    observations.socFamily = Text(input.piece())
    observations.cpuinfo = CPUInfo(input.piece().span)
    observations.machineID = .value(Text(input.piece()))
    while !input.isEmpty, observations.list.count < 32 {
      let source = HardwareIDSource(rawValue: input.byte() % 14) ?? .disk
      let kind = input.byte()
      let observation = observations.add(source, content(kind, input.piece()))
      observation.attachment =
        HardwareObservation.Attachment(rawValue: kind >> 4 & 3) ?? .soldered
      // No two parts have one name.
      observation.label = Text([UInt8(observations.list.count)])
      observation.isWireless = kind & 64 != 0
      observation.isPermanent = kind & 128 == 0
      observation.maker = Text(input.piece())
      observation.product = Text(input.piece())
      observation.alias = Text(input.piece())
    }
    if isReversed { observations.list.reverse() }
    return HardwareEvidence(observations)
  }

  private static func content(_ kind: UInt8, _ piece: [UInt8]) -> HardwareObservation.Content {
    switch kind & 15 {
    case 13: .absent
    case 14: .unreadable
    case 15: .late
    default: .value(Text(piece))
    }
  }
}
