/// Makes an identity out of evidence, or says why there is none.
public enum IdentityDerivation {
  /// The date of the rules and lists, as the number of year, month and day.
  public static let rulesDate: Int64 = 20_261_128

  /// Why no ID is issued.
  public enum Refusal: Error {
    /// A container's hardware is its host's.
    case container
    /// A source that ranks above all others exists and can't be read: run as root.
    case unreadable(HardwareIDSource)
    /// The same of what is no source: a path, or what it tells.
    case hidden(Literal)
    /// A source that ranks above all others may still come: try again.
    case notReady(HardwareIDSource)
    /// Nothing here names the device.
    case noGoodSource
    /// A virtual machine's ID gets a random part when it is pinned; none was given.
    case needsEnrolment
    /// The random part is needed, and the kernel gives no random bytes.
    case noRandomness
    /// The compatibility scheme has nothing to read.
    case schemeUnavailable(HardwareIDScheme)

    public var name: Literal {
      switch self {
      case .container: "container"
      case .unreadable, .hidden: "unreadable"
      case .notReady: "not-ready"
      case .noGoodSource: "no-good-source"
      case .needsEnrolment: "needs-enrolment"
      case .noRandomness: "no-randomness"
      case .schemeUnavailable: "scheme-unavailable"
      }
    }
  }

  /// What was asked for.
  public enum Request: Sendable {
    case hb1
    case licensespring
    case machineID
    case macDecimal
    case random
    case value(HardwareID)

    public var scheme: HardwareIDScheme {
      switch self {
      case .hb1: .hb1
      case .licensespring: .licensespring
      case .machineID: .machineID
      case .macDecimal: .macDecimal
      case .random: .random
      case .value: .value
      }
    }
  }

  /// The reading that an ID is anchored in: the place in `evidence.readings`.
  public static func anchor(of evidence: HardwareEvidence) throws(Refusal) -> Int {
    if evidence.platform == .container { throw .container }
    try checkPlatform(evidence)
    let best = bestIndex(evidence)
    // Unreadable is not absent: what can't be read now might win as root or a second later.
    for index in evidence.readings.indices {
      let reading = evidence.readings[index]
      guard isCandidate(reading, on: evidence.platform) else { continue }
      if let best, reading.rank > evidence.readings[best].rank { break }
      if case .unreadable = reading.state { throw .unreadable(reading.source) }
    }
    for index in evidence.readings.indices {
      let reading = evidence.readings[index]
      guard isCandidate(reading, on: evidence.platform) else { continue }
      if let best, reading.rank > evidence.readings[best].rank { break }
      if case .late = reading.state { throw .notReady(reading.source) }
    }
    guard let best else { throw .noGoodSource }
    return best
  }

  /// A container's hardware is its host's, and a virtual machine's the hypervisor's.
  private static func checkPlatform(_ evidence: HardwareEvidence) throws(Refusal) {
    guard evidence.isPlatformHidden, evidence.platform != .container else { return }
    throw .hidden("a sign of a container or a virtual machine")
  }

  /// Readings are ranked, so the first good one is the best one.
  static func bestIndex(_ evidence: HardwareEvidence) -> Int? {
    for index in evidence.readings.indices
    where evidence.readings[index].isOK
      && isCandidate(evidence.readings[index], on: evidence.platform)
    { return index }
    return nil
  }

  /// On metal whatever is soldered; in a virtual machine the UUID alone, since the rest is made
  /// up by the hypervisor.
  static func isCandidate(_ reading: HardwareReading, on platform: Platform) -> Bool {
    switch platform {
    case .metal: reading.canAnchor
    case .vm: reading.source == .productUUID
    case .container: false
    }
  }

  /// Makes the record to pin.
  ///
  /// - random: 32 bytes of entropy, for the class `r` and a virtual machine's random part. `nil`
  ///   for a look without pinning: where they are needed, `needsEnrolment` is thrown.
  public static func identify(
    _ evidence: HardwareEvidence, by request: Request, random: InlineArray<32, UInt8>?,
    epochSeconds: Int64, reason: Text
  ) throws(Refusal) -> IdentityRecord {
    // It is kept with an ID of any scheme.
    try checkPlatform(evidence)
    var components = evidence.componentTokens()
    let id: HardwareID
    let idClass: HardwareIDClass
    switch request {
    case .hb1:
      let index = try anchor(of: evidence)
      let reading = evidence.readings[index]
      components.anchorIndex = components.index(of: index, in: evidence)
      (id, idClass) = try make(of: reading, on: evidence.platform, random)
    case .random:
      guard let random else { throw .needsEnrolment }
      idClass = .r
      let digest = IdentityHash.digest(.id, label: "r", fields: [Self.text(random)])
      id = IdentityText.make(.r, digest)
    case .licensespring, .machineID, .macDecimal:
      idClass = .given
      id = try CompatibilityScheme.id(request.scheme, evidence)
      components.anchorIndex = bestComponent(components, evidence)
    case .value(let value):
      idClass = .given
      id = value
      components.anchorIndex = bestComponent(components, evidence)
    }
    return IdentityRecord(
      id: id, scheme: request.scheme, idClass: idClass, platform: evidence.platform,
      rulesDate: rulesDate, components: components, pinnedAtEpochSeconds: epochSeconds,
      reason: reason)
  }

  private static func make(
    of reading: HardwareReading, on platform: Platform, _ random: InlineArray<32, UInt8>?
  ) throws(Refusal) -> (HardwareID, HardwareIDClass) {
    if platform == .vm {
      // Clones share the UUID: only the random part tells them apart.
      guard let random else { throw .needsEnrolment }
      let digest = IdentityHash.digest(
        .id, label: HardwareIDClass.v.name, fields: [reading.value, text(random)])
      return (IdentityText.make(.v, digest), .v)
    }
    guard let idClass = reading.source.anchorClass else {
      preconditionFailure("an anchor has a class")
    }
    let digest = IdentityHash.digest(.id, label: idClass.name, fields: reading.fields)
    return (IdentityText.make(idClass, digest), idClass)
  }

  /// What ties an ID of another's making to this device: the best source, if it can be told.
  private static func bestComponent(
    _ components: ComponentTokens, _ evidence: HardwareEvidence
  ) -> Int? {
    guard let index = try? anchor(of: evidence) else { return nil }
    return components.index(of: index, in: evidence)
  }

  private static func text(_ random: InlineArray<32, UInt8>) -> Text {
    var bytes: [UInt8] = []
    for index in random.indices { bytes.append(random[index]) }
    return Text(bytes)
  }
}

extension HardwareEvidence {
  /// Each good reading's token, in the order of the readings; hashed once, as that is slow.
  func componentTokens() -> ComponentTokens {
    if let tokens { return tokens }
    var components = ComponentTokens()
    for reading in readings
    where reading.isOK && components.tokens.count < ComponentTokens.countMax {
      components.tokens.append(token(of: reading, among: components.tokens))
    }
    tokens = components
    return components
  }

  /// One slow hash for one value: `cpuinfo` and the device tree mostly say the same.
  private func token(of reading: HardwareReading, among known: [ComponentToken]) -> ComponentToken {
    var index = 0
    for other in readings where other.isOK && index < known.count {
      if other.source.family == reading.source.family, other.fields == reading.fields {
        return ComponentToken(reading.source, text: known[index].text)
      }
      index += 1
    }
    return ComponentToken(reading)
  }
}

extension ComponentTokens {
  /// The token of a reading, by counting the good ones before it.
  func index(of readingIndex: Int, in evidence: HardwareEvidence) -> Int? {
    var count = 0
    for index in 0..<readingIndex where evidence.readings[index].isOK { count += 1 }
    return count < tokens.count ? count : nil
  }
}
