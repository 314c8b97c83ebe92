/// One source's part in the outcome, for a person who wants to know why.
public struct ExplainedReading: Sendable {
  /// What part a reading has.
  public enum Role: UInt8, Sendable {
    /// The ID is made of it.
    case anchor
    /// It could have been the anchor; another ranks above it.
    case outranked
    /// It names no device well enough to be the anchor, but counts when records are compared.
    case component
    /// It can't be read or may still come, and would rank above what is there: so there is no ID.
    case blocks
    /// It says nothing.
    case none

    public var name: Literal {
      switch self {
      case .anchor: "anchor"
      case .outranked: "outranked"
      case .component: "component"
      case .blocks: "blocks"
      case .none: "none"
      }
    }
  }

  public let reading: HardwareReading
  public let role: Role
  /// Two devices with the same value show the same mark; the value can't be told from it.
  public let mark: Text
}

extension HardwareEvidence {
  /// Every reading in the order of the ranking.
  public func explained() -> [ExplainedReading] {
    let components = componentTokens()
    let anchor = try? IdentityDerivation.anchor(of: self)
    let best = IdentityDerivation.bestIndex(self)
    var explained: [ExplainedReading] = []
    var goodCount = 0
    for index in readings.indices {
      let reading = readings[index]
      var mark = Text()
      if reading.isOK, goodCount < components.tokens.count {
        let token = components.tokens[goodCount].text
        mark = Text(token.span.extracting(0..<ComponentToken.markCharacterCount))
        goodCount += 1
      }
      let isCandidate = IdentityDerivation.isCandidate(reading, on: platform)
      let role: ExplainedReading.Role
      switch reading.state {
      case .ok: role = index == anchor ? .anchor : isCandidate ? .outranked : .component
      case .unreadable, .late:
        let isAbove = best.map { reading.rank <= readings[$0].rank } ?? true
        role = isCandidate && isAbove ? .blocks : .none
      case .absent, .junk, .removable: role = .none
      }
      explained.append(ExplainedReading(reading: reading, role: role, mark: mark))
    }
    return explained
  }
}
