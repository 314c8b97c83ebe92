/// One request for the transport.
public struct Exchange: ~Copyable {
  public enum Target: Sendable {
    /// `POST {base}/api/v4/deactivate_license`, JSON.
    case deactivateLicense
    /// `GET {base}/api/v4/oauth_url?login_type=client_credentials`.
    case tokenAddress
    /// `POST` to the address given, as a form.
    case token(url: Text)
  }

  public let target: Target
  public let date: IMFFixdate
  /// Seconds since 1970-01-01 UTC that the server's certificate must outlive; see `ServerClock`.
  public let certificateSeconds: Int64
  /// The whole field, `Authorization: …`; empty where the request has none.
  public let authorization: Secret
  public let body: Secret

  init(
    target: Target, date: IMFFixdate, certificateSeconds: Int64,
    authorization: consuming Secret, body: consuming Secret
  ) {
    self.target = target
    self.date = date
    self.certificateSeconds = certificateSeconds
    self.authorization = authorization
    self.body = body
  }
}

/// What became of an exchange.
public enum ExchangeResult: Sendable {
  case answer(Answer)
  case fault(TransportFault)
}

/// No answer, or none that is complete.
public struct TransportFault: Error, Sendable {
  public enum Kind: Int, Sendable {
    public static var allCases: Cases<Kind> { Cases() }

    case resolve, connect, tls, tlsNotYetValid, tlsExpired, timeout, cut, malformed, tooLarge
    case proxy, transportMissing, interrupted, other

    public var name: Literal { Self.names[rawValue] }

    static var names: Literals {
      """
      name_not_resolved\0not_connected\0tls_failed\0tls_certificate_not_yet_valid\0\
      tls_certificate_expired\0timed_out\0connection_cut\0malformed_answer\0answer_too_large\0\
      proxy_refused\0libcurl_missing\0interrupted\0transport_failed
      """
    }
  }

  public let kind: Kind
  /// The library's own code (a `CURLcode`), 0 if it has none.
  public let code: Int32
  /// The library's own words, printable, without anything secret.
  public let message: Text
  /// Whether a byte of the request was sent: the server may have acted then.
  public let mayHaveReachedServer: Bool

  public init(kind: Kind, code: Int32, message: Text, mayHaveReachedServer: Bool) {
    self.kind = kind
    self.code = code
    self.message = message
    self.mayHaveReachedServer = mayHaveReachedServer
  }

  var waitReason: WaitReason {
    kind == .tlsNotYetValid || kind == .tlsExpired ? .clock : .network
  }
}
