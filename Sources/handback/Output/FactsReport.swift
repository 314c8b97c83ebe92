internal import HandbackCore
internal import HandbackLinux

/// One deactivation's facts, as JSON members and as lines for people.
enum FactsReport {
  static func addMembers(
    _ facts: DeactivationFacts, to json: inout JSONOutput, at now: Moment, _ server: ServerState
  ) {
    json.member("ticket", facts.ticket.text)
    json.member("state", stateName(facts.state))
    if facts.isUnknown {
      for name: Literal in [
        "product", "hardware_id", "license_by", "username", "license_id", "bundle_code",
        "queued_at", "attempts", "unanswered_attempts", "restored", "last_attempt_at",
        "http_status", "code", "message", "inferred", "license_signature",
      ] {
        json.member(name, nil as Text?)
      }
      // A person's withdrawal.
      var end: Int64?
      if case .ended(_, let seconds, _, _) = facts.state, seconds > 0 { end = seconds }
      json.member("ended_at", timeSeconds: end)
      return
    }
    json.member("product", facts.product)
    json.member("hardware_id", facts.hardwareID)
    json.member("license_by", facts.way.name)
    json.member("username", facts.username)
    json.member("license_id", facts.licenseID)
    json.member("bundle_code", facts.bundleCode)
    json.member("queued_at", timeSeconds: facts.queuedAtSeconds)
    json.member("attempts", facts.attempts)
    json.member("unanswered_attempts", facts.openAttempts)
    json.member("restored", facts.isRestored)
    json.member("last_attempt_at", timeSeconds: facts.lastAtSeconds)
    json.member(
      "http_status", facts.outcome.httpStatus > 0 ? facts.outcome.httpStatus : nil)
    json.member("code", facts.outcome.code)
    json.member("message", facts.outcome.message)
    switch facts.state {
    case .pending(let isHeld, _):
      json.member("held", isHeld)
      json.member("next_attempt_in_ms", millisecondsLeft(facts, at: now, server))
    case .ended(_, let seconds, let isInferred, let licenseSignature):
      json.member("ended_at", timeSeconds: seconds)
      json.member("inferred", isInferred)
      json.member("license_signature", licenseSignature)
    }
  }

  static func stateName(_ state: DeactivationFacts.State) -> Literal {
    switch state {
    case .pending: "pending"
    case .ended(let ending, _, _, _): ending.name
    }
  }

  /// What is left of this one's wait and of the server's, 0 if it is due.
  static func millisecondsLeft(
    _ facts: DeactivationFacts, at now: Moment, _ server: ServerState
  ) -> Int64 {
    var left = server.wait?.millisecondsLeft(at: now) ?? 0
    if case .pending(_, let wait) = facts.state, let wait {
      left = max(left, wait.millisecondsLeft(at: now))
    }
    return left
  }

  /// `17-k3f9xq  pending      XY        3 tries, not_connected: …`
  static func line(
    _ facts: DeactivationFacts, at now: Moment, _ server: ServerState
  ) -> Text {
    var text =
      facts.ticket.text.padded(to: 12)
      + stateName(facts.state).padded(to: 13)
    if facts.isUnknown { return text }
    text += Text(printable: facts.product).padded(to: 10)
    switch facts.state {
    case .pending(let isHeld, _):
      switch facts.attempts {
      case 0: text += "not tried yet"
      case 1: text += "1 try"
      default: text += "\(facts.attempts) tries"
      }
      if facts.outcome.code != nil { text += ", \(Words.outcome(facts.outcome))" }
      if facts.openAttempts > 0 { text += "; an attempt is unanswered" }
      if isHeld { text += "; held" }
      if facts.isRestored { text += "; restored" }
      let left = millisecondsLeft(facts, at: now, server)
      if left > 0 { text += "; waits \(Duration.text(milliseconds: left))" }
    case .ended(let ending, let seconds, let isInferred, _):
      text += Timestamp.text(epochSeconds: seconds)
      if isInferred { text += "  inferred" }
      if ending == .rejected { text += "  \(Words.outcome(facts.outcome))" }
      if facts.isRestored { text += "  restored" }
    }
    return text
  }
}
