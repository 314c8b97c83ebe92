/// What one answer means for one deactivation: the table in the README's "How it works".
public enum Verdict: Equatable, Sendable {
  case deactivated
  /// The server knows no such device, or no active license, but an earlier attempt got no clear
  /// answer: that one got through.
  case deactivatedInferred
  case rejected
  /// The signed date was refused: correct the clock, try again at once, once.
  case clockRefused
  /// The bearer token was refused: fetch a new one, once.
  case tokenRefused
  /// The cause is on our side; a person has to look, and it is tried again slowly.
  case held(Scope)
  /// Tried again after `Retry-After` or a backoff.
  case later(Scope)
  /// A portal or a proxy spoke in the server's place.
  case notOurServer

  /// Whom a delay is for.
  public enum Scope: Sendable {
    /// This deactivation; others may go on.
    case deactivation
    /// The server or this agent: the pass ends.
    case everything
  }

  /// Judges by the error `code` first and the status second, since the documentation gives the
  /// same code with different statuses (`signature_mismatch` with 400 and with 401).
  public static func judge(_ answer: Answer, hasUnansweredAttempt: Bool) -> Verdict {
    if (200..<300).contains(answer.status) {
      return answer.status == 200 && answer.saysDeactivated ? .deactivated : .notOurServer
    }
    if (300..<400).contains(answer.status) { return .notOurServer }
    if let bytes = answer.code, let code = APICode(utf8: bytes.span) {
      return judge(code, hasUnansweredAttempt: hasUnansweredAttempt)
    }
    switch answer.status {
    // RFC 9110, 15.5.8, and RFC 6585, 6: a proxy's or a portal's own.
    case 407, 511: return .notOurServer
    case 429: return .later(.everything)
    case 408, 425: return .later(.deactivation)
    case 503 where answer.retryAfter != nil: return .later(.everything)
    case 500...599: return .later(.deactivation)
    case 400..<500:
      if answer.isHTML { return .notOurServer }
      // A code of a later API than this version knows concerns, as far as we can tell, this one.
      return answer.code == nil ? .held(.everything) : .held(.deactivation)
    default: return .notOurServer
    }
  }

  private static func judge(_ code: APICode, hasUnansweredAttempt: Bool) -> Verdict {
    switch code.concern {
    case .license: .rejected
    case .gone: hasUnansweredAttempt ? .deactivatedInferred : .rejected
    case .clock: .clockRefused
    case .credentials, .address: .held(.everything)
    case .request: .held(.deactivation)
    case .token: .tokenRefused
    case .later: .later(.deactivation)
    }
  }

  /// Whether the server may have acted although this answer doesn't say so. Then a later "no such
  /// device" is a success.
  ///
  /// 500, 502 and 504 may stand for an answer that got lost behind a gateway, and so may a
  /// 2xx that isn't HTML. 408, 425, 429 and 503 say that the request was not processed (RFC 9110,
  /// RFC 8470, RFC 6585), and an error object says what was done: nothing. Counting those too
  /// would turn a wrong hardware ID into a false success.
  public static func mayHaveActed(_ answer: Answer) -> Bool {
    switch answer.status {
    case 200..<300: !answer.isHTML
    case 500, 502, 504: true
    case 505...599: answer.status != 511
    default: false
    }
  }
}
