import HandbackCore

/// What the network behind the device's own, and the server, are like for a while.
public enum Weather: CaseIterable, Sendable {
  case fair, flapping, down, portal, sick

  public func reply(_ random: inout SeededGenerator) -> ScriptedServer.Reply {
    let kinds: [TransportFault.Kind] = [
      .resolve, .connect, .tls, .tlsNotYetValid, .timeout, .cut, .malformed, .tooLarge, .other,
    ]
    let kind = kinds[Int(random.next() % UInt64(kinds.count))]
    switch self {
    case .fair: return random.once(in: 30) ? .lose(kind) : .serve
    case .flapping:
      switch random.next() % 10 {
      case 0...3: return .serve
      case 4: return .lose(kind)
      case 5, 6: return .serveThenLose(kind)
      case 7: return .serveTwice
      case 8: return .serveThenResent(Self.sickness(&random))
      default: return .unreachable(kind)
      }
    case .down: return random.once(in: 10) ? .lose(kind) : .unreachable(kind)
    case .portal:
      let answers = [
        Answer(200, "<html>Log in</html>"), Answer(302), Answer(511, "<html>"), Answer(407),
        Answer(403, "<html>"), Answer(200), Answer(200, "license_deactivated?"), Answer(204),
      ]
      return .answer(answers[Int(random.next() % 8)])
    case .sick:
      return random.once(in: 3)
        ? .serveThen(Self.gateway(&random)) : .answer(Self.sickness(&random))
    }
  }

  /// What a gateway makes of an answer.
  private static func gateway(_ random: inout SeededGenerator) -> Answer {
    let answers = [Answer(500), Answer(502, "<html>"), Answer(504), Answer(200, "license_deac")]
    return answers[Int(random.next() % 4)]
  }

  /// What a server says that did nothing, or can't tell.
  private static func sickness(_ random: inout SeededGenerator) -> Answer {
    let answers = [
      Answer(408), Answer(425), Answer(429), Answer(500), Answer(503),
      Answer(429, "", fields: ["Retry-After: 300"]), Answer(503, "", fields: ["Retry-After: 1"]),
      Answer(503, "", fields: ["Retry-After: Thu, 01 Jan 1970 00:00:00 GMT"]),
      .error(500, "internal_error"), .error(400, "validation_error"),
      .error(401, "invalid_api_key"),
      .error(401, "signature_mismatch"), .error(400, "date_header_diff"), Answer(401), Answer(404),
      .error(401, "oauth_token_expired"), .error(400, "moon_phase"),
      Answer(401, #"{"error":"invalid_client"}"#),
    ]
    return answers[Int(random.next() % UInt64(answers.count))]
  }
}
