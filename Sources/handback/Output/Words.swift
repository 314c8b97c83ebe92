internal import HandbackCore
internal import HandbackLinux

/// Outcomes in a person's words.
enum Words {
  /// `license_not_found: License with the provided license user not found (HTTP 400)`.
  static func outcome(_ outcome: Outcome) -> Text {
    var text: Text = outcome.code ?? "no error code"
    if let message = outcome.message, !message.isEmpty { text += ": \(message)" }
    if outcome.httpStatus > 0 { text += " (HTTP \(outcome.httpStatus))" }
    return text
  }

  static func name(_ reason: WaitReason) -> Literal {
    switch reason {
    case .none: "nothing"
    case .network: "network"
    case .retryAfter: "retry-after"
    case .held: "settings"
    case .server: "server"
    case .clock: "clock"
    }
  }

  static func reason(_ reason: WaitReason) -> Text {
    switch reason {
    case .none: "nothing is in the way"
    case .network: "the server could not be reached"
    case .retryAfter: "the server asked to wait (Retry-After)"
    case .held: "the server refused this agent's settings or keys"
    case .server: "the server has trouble of its own"
    case .clock: "by this device's clock the server's certificate is not valid"
    }
  }

  /// What to do about an outcome; `nil` where waiting is all there is.
  static func hint(_ outcome: Outcome) -> Text? {
    guard let code = outcome.code else { return nil }
    if outcome.isSealed {
      return code.isEqual(to: SealProblem.broken.name)
        ? "its sealed credential was changed; queue it again: it keeps its ticket"
        : "give the key that it was queued with as seal-key-file; it is sent then"
    }
    if let known = APICode(utf8: code.bytes.span) { return hint(known) }
    for kind in TransportFault.Kind.allCases where code.isEqual(to: kind.name) {
      return hint(kind)
    }
    if code.isEqual(to: "not_the_license_api") {
      return "a captive portal or a proxy answers in the server's place"
    }
    if code.isEqual(to: "damaged_details") {
      return "what it asks for can't be read any more: withdraw it, then queue it again"
    }
    return nil
  }

  private static func hint(_ code: APICode) -> Text? {
    switch code {
    case .deviceNotFound, .licenseNotActive:
      "compare the receipt's hardware ID with the one that the license was activated with"
    case .licenseNotFound, .unknownProduct:
      "check product and license; queue it again with the right ones"
    case .dateHeaderDiff: "set the clock"
    case .signatureMismatch: "check the shared key, and the clock"
    case .invalidAPIKey, .revokedAPIKey, .readOnlyAPIKey: "check the API key"
    case .notFound: "check the server's address"
    default: nil
    }
  }

  private static func hint(_ kind: TransportFault.Kind) -> Text? {
    switch kind {
    case .tlsNotYetValid: "set the clock: it is before the server's certificate"
    case .tlsExpired: "the server's certificate has expired, or the clock is wrong"
    case .tls: "the certificate isn't trusted: --ca-file names other certificates to trust"
    case .proxy: "check the proxy that the environment names (https_proxy)"
    case .resolve: "check the name in 'handback settings', and DNS"
    case .connect: "check the network and the address in 'handback settings'"
    default: nil
    }
  }
}
