/// What one source is worth after the rules.
public final class HardwareReading: Sendable {
  public enum State: Sendable {
    case ok
    case absent
    case unreadable
    case late
    case junk(JunkReason)
    case removable

    public var name: Literal {
      switch self {
      case .ok: "ok"
      case .absent: "absent"
      case .unreadable: "unreadable"
      case .late: "late"
      case .junk: "junk"
      case .removable: "removable"
      }
    }
  }

  public let source: HardwareIDSource
  public let label: Text
  public let state: State
  /// Whether it may be what the ID is made of; a component otherwise.
  public let canAnchor: Bool
  /// Normalized; kept when the state is `junk` too: a record may have been made by older rules.
  let value: Text
  let maker: Text
  let product: Text
  let isWireless: Bool
  let path: Text

  init(
    _ observation: HardwareObservation, _ state: State, _ value: Text = Text()
  ) {
    source = observation.source
    label = observation.label
    self.state = state
    canAnchor =
      observation.source.anchorClass != nil && observation.attachment == .soldered
    self.value = value
    maker = observation.maker.normalized()
    product = observation.product.normalized()
    isWireless = observation.isWireless
    path = observation.path
  }

  public var isOK: Bool {
    if case .ok = state { return true }
    return false
  }

  /// Lower is better; equal ranks are told apart by `path` and `value`.
  var rank: Int {
    Self.rank(of: source) * 2 + (isWireless ? 1 : 0)
  }

  /// The place in the ranking, which is the order of the cases.
  private static func rank(of source: HardwareIDSource) -> Int {
    var rank = 0
    for candidate in HardwareIDSource.allCases {
      if candidate == source { break }
      rank += 1
    }
    return rank
  }

  /// The fields that are hashed, besides the label: context, then value.
  var fields: [Text] {
    switch source {
    case .productSerial, .boardSerial, .boardEEPROM: [maker, product, value]
    default: [value]
    }
  }
}

/// All readings of one survey, and the platform they were taken on.
public final class HardwareEvidence {
  public let platform: Platform
  /// Whether it may be another one: not all its signs can be read.
  let isPlatformHidden: Bool
  public let readings: [HardwareReading]
  let machineID: HardwareObservation.Content
  let dbusMachineID: HardwareObservation.Content
  /// The good readings' tokens, once they were asked for.
  var tokens: ComponentTokens?

  /// Applies the rules; no order of the observations, nor letter case or padding, changes the
  /// outcome.
  public init(_ observations: HardwareObservations) {
    let platform = observations.signs.platform(
      cpuHasHypervisorFlag: observations.cpuinfo.hasHypervisorFlag)
    self.platform = platform
    isPlatformHidden = observations.signs.isHidden
    machineID = observations.machineID
    dbusMachineID = observations.dbusMachineID
    var readings: [HardwareReading] = []
    let rules = EvidenceRules(observations)
    for observation in observations.list { readings.append(rules.reading(of: observation)) }
    if !observations.isSettled {
      for source in rules.sourcesThatMayComeLate {
        readings.append(rules.reading(of: HardwareObservation(source, .late)))
      }
    }
    self.readings = Self.sorted(readings)
  }

  /// Ranked, so that what is printed does not depend on the order of enumeration either.
  private static func sorted(_ readings: [HardwareReading]) -> [HardwareReading] {
    var result: [HardwareReading] = []
    for reading in readings {
      var index = result.count
      while index > 0, precedes(reading, result[index - 1]) { index -= 1 }
      result.insert(reading, at: index)
    }
    return result
  }

  static func precedes(_ one: HardwareReading, _ other: HardwareReading) -> Bool {
    if one.rank != other.rank { return one.rank < other.rank }
    if one.path != other.path { return one.path.precedes(other.path) }
    if one.value != other.value { return one.value.precedes(other.value) }
    return one.label.precedes(other.label)
  }
}
