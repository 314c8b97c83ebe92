/// A record compared with the hardware it is found on.
public struct IdentityCheck: Sendable {
  public enum Verdict: Sendable {
    case same
    /// The same device; `changes` says which components are not what they were.
    case sameWithChanges
    /// The record is bound to nothing that can be read here: neither confirmed nor refuted.
    case unverified
    /// The source that decides can't be read: run as root. The record stays.
    case unreadable(HardwareIDSource)
    /// The source that decides may still come. The record stays.
    case notReady(HardwareIDSource)
    /// This record was copied here, or the board was replaced.
    case different(Cause)

    public var name: Literal {
      switch self {
      case .same: "same"
      case .sameWithChanges: "same-with-changes"
      case .unverified: "unverified"
      case .unreadable: "unreadable"
      case .notReady: "not-ready"
      case .different: "different"
      }
    }
  }

  public enum Cause: Sendable {
    /// What the ID is made of has another value.
    case anchor(HardwareIDSource)
    /// The anchor is gone, and another source that names the device has another value.
    case component(HardwareIDSource)
    /// The anchor is gone, and fewer than two others agree.
    case tooLittleAgrees
    /// The virtual machine was copied or set back.
    case cloned
    /// The hardware is a container's host's.
    case container

    public var name: Literal {
      switch self {
      case .anchor: "anchor"
      case .component: "component"
      case .tooLittleAgrees: "too-little-agrees"
      case .cloned: "cloned"
      case .container: "container"
      }
    }
  }

  /// What became of one component since the record was made.
  public enum Change: UInt8, Sendable {
    case agrees
    case changed
    case lost
    case unreadable
    case late
    /// Not in the record.
    case appeared

    public var name: Literal {
      switch self {
      case .agrees: "agrees"
      case .changed: "changed"
      case .lost: "lost"
      case .unreadable: "unreadable"
      case .late: "late"
      case .appeared: "appeared"
      }
    }
  }

  public struct Component: Sendable {
    public let token: ComponentToken
    public let change: Change
  }

  public let verdict: Verdict
  /// The record's components in their order, then those that appeared.
  public let components: [Component]

  /// Compares by the tokens alone: an ID is never made anew, so newer rules can't change it.
  public init(_ record: IdentityRecord, with evidence: HardwareEvidence) {
    let recorded = record.components.tokens
    let fresh = FreshTokens(evidence, comparedWith: recorded)
    var components: [Component] = []
    for token in recorded {
      components.append(Component(token: token, change: fresh.change(of: token)))
    }
    // In a container the hardware is the host's; an ID that was made there isn't bound to it.
    verdict =
      record.platform == .container
      ? .unverified : Self.verdict(record.components, components, evidence.platform)
    for token in fresh.good where !token.isIn(recorded) {
      components.append(Component(token: token, change: .appeared))
    }
    self.components = components
  }

  private static func verdict(
    _ record: ComponentTokens, _ components: [Component], _ platform: Platform
  ) -> Verdict {
    if platform == .container { return .different(.container) }
    for component in components
    where component.token.source == .vmGeneration && component.change == .changed {
      return .different(.cloned)
    }
    guard let anchorIndex = record.anchorIndex else { return unanchored(components) }
    let anchor = components[anchorIndex]
    switch anchor.change {
    case .agrees: return hasChanges(components) ? .sameWithChanges : .same
    // What can be read may show another device all the same.
    case .unreadable: return differing(components) ?? .unreadable(anchor.token.source)
    case .late: return differing(components) ?? .notReady(anchor.token.source)
    case .changed:
      // Another port's address of the record still answers: this one part was replaced.
      let isPart = !anchor.token.source.isStrong
      let hasSibling = components.contains {
        $0.change == .agrees && $0.token.source == anchor.token.source
      }
      if isPart && hasSibling { return lost(components) }
      return .different(.anchor(anchor.token.source))
    case .lost, .appeared: return lost(components)
    }
  }

  /// A strong component that is another device's.
  private static func differing(_ components: [Component]) -> Verdict? {
    for component in components
    where component.change == .changed && component.token.source.isStrong {
      return .different(.component(component.token.source))
    }
    return nil
  }

  /// > Lost (absent or junk): keep only if at least 2 other groups agree and no strong one
  /// > differs.
  private static func lost(_ components: [Component]) -> Verdict {
    if let verdict = differing(components) { return verdict }
    var witnesses: [HardwareIDSource] = []
    for component in components {
      let source = component.token.source
      switch component.change {
      case .agrees:
        let isNew = !witnesses.contains(source.family)
        if source.countsAsWitness, isNew { witnesses.append(source.family) }
      case .changed, .lost, .unreadable, .late, .appeared: break
      }
    }
    if witnesses.count >= 2 { return .sameWithChanges }
    // What can't be read now could be the second that agrees, or the one that differs.
    for component in components where component.token.source.countsAsWitness {
      if component.change == .unreadable { return .unreadable(component.token.source) }
      if component.change == .late { return .notReady(component.token.source) }
    }
    return .different(.tooLittleAgrees)
  }

  /// A random ID, or a given one on a device without a good source: nothing may speak against it.
  private static func unanchored(_ components: [Component]) -> Verdict {
    if let verdict = differing(components) { return verdict }
    var agreeing = 0
    var differing = 0
    for component in components where component.token.source.countsAsWitness {
      switch component.change {
      case .agrees: agreeing += 1
      case .changed, .lost: differing += 1
      case .unreadable: return .unreadable(component.token.source)
      case .late: return .notReady(component.token.source)
      case .appeared: break
      }
    }
    if agreeing == 0 { return differing == 0 ? .unverified : .different(.tooLittleAgrees) }
    return differing == 0 ? .same : .sameWithChanges
  }

  private static func hasChanges(_ components: [Component]) -> Bool {
    components.contains { $0.change == .changed || $0.change == .lost }
  }
}

/// What the hardware says now, hashed as far as a record asks.
private struct FreshTokens {
  private let evidence: HardwareEvidence
  let good: [ComponentToken]
  /// Values that today's rules refuse, of sources that the record took: older rules may have
  /// accepted the very same value.
  private var refused: [ComponentToken] = []

  init(_ evidence: HardwareEvidence, comparedWith recorded: [ComponentToken]) {
    self.evidence = evidence
    let good = evidence.componentTokens().tokens
    self.good = good
    for reading in evidence.readings where !reading.isOK && !reading.value.isEmpty {
      let isAsked = recorded.contains { token in
        token.source == reading.source && !token.isIn(good)
      }
      if isAsked && refused.count < ComponentTokens.countMax {
        refused.append(ComponentToken(reading))
      }
    }
  }

  func change(of token: ComponentToken) -> IdentityCheck.Change {
    if token.isIn(good) || token.isIn(refused) { return .agrees }
    // A TPM is asked only where the settings say so, and what wasn't asked isn't lost.
    var change: IdentityCheck.Change =
      token.source == .tpmEndorsementKey ? .unreadable : .lost
    for reading in evidence.readings where reading.source == token.source {
      switch reading.state {
      case .unreadable: return .unreadable
      case .late: return .late
      case .ok: change = .changed
      case .absent, .junk, .removable: if change == .unreadable { change = .lost }
      }
    }
    return change
  }
}
