import HandbackCore

/// A license server in memory, and the network before it.
///
/// It follows `script`, one entry for each request, and behaves honestly when that is used up:
/// it checks the date and the token, ends the activation and says so, or says that there is none.
/// Faults are made before or after it acts, which is the whole point.
public final class ScriptedServer {
  public enum Reply: Sendable {
    /// As an honest server.
    case serve
    /// The request arrives and is acted on; the answer is lost.
    case serveThenLose(TransportFault.Kind)
    /// The request arrives, is acted on, and a gateway answers in the server's place.
    case serveThen(Answer)
    /// The same, and the client's library has sent it a second time, which gets the answer.
    case serveTwice
    /// Acted on, sent a second time by the library, and that one gets another answer.
    case serveThenResent(Answer)
    /// Not acted on.
    case answer(Answer)
    /// The same, without the server's `Date`.
    case bare(Answer)
    /// The request is on its way when the connection ends; not acted on.
    case lose(TransportFault.Kind)
    /// Nothing of it leaves the device.
    case unreachable(TransportFault.Kind)

    public static let cut = Reply.lose(.cut)
    public static let serveThenCut = Reply.serveThenLose(.cut)
  }

  public var script: [Reply]
  /// Picks replies when the script is used up; `nil` is honesty.
  public var improvise: ((SentRequest) -> Reply)?
  /// What is active, by the body of the request that ends it.
  public private(set) var active: Set<String> = []
  /// Activations ended, and how often.
  public private(set) var ended: [String: Int] = [:]
  /// Requests whose sender can't know whether the server acted.
  public private(set) var ambiguous: Set<String> = []
  public private(set) var requests: [SentRequest] = []
  /// How wrong the server's own clock is.
  public var clockErrorSeconds: Int64 = 0
  /// Without it, any date is good.
  public var checksDate = true
  /// With it, a bearer token is wanted.
  public var wantsToken = false
  public var tokenLifetimeSeconds: Int64 = 480
  public private(set) var tokenCount = 0
  private var tokenEndSeconds: Int64 = 0
  /// Runs when a request arrives, as another process may.
  public var onRequest: ((SentRequest) -> Void)?

  public static let tokenURL = "https://auth.example/token"

  public init(activating licenses: [SampleLicense] = [], script: [Reply] = []) {
    self.script = script
    for license in licenses { activate(license) }
  }

  public func activate(_ license: SampleLicense) { active.insert(license.body) }

  /// How often the activation was ended that a request of this body ends.
  public func endCount(body: String) -> Int { ended[body] ?? 0 }

  public var deactivationRequests: [SentRequest] {
    requests.filter { $0.target == .deactivateLicense }
  }

  // MARK: - Exchanges

  public func perform(_ request: SentRequest, worldSeconds: Int64) -> ExchangeResult {
    requests.append(request)
    onRequest?(request)
    let reply = script.isEmpty ? improvise?(request) ?? .serve : script.removeFirst()
    func noteAmbiguity() {
      if request.target == .deactivateLicense { ambiguous.insert(request.body) }
    }
    switch reply {
    case .serve:
      return .answer(serve(request, worldSeconds))
    case .serveThenLose(let kind):
      noteAmbiguity()
      _ = serve(request, worldSeconds)
      return Self.fault(kind, reached: true)
    case .serveThen(let answer):
      noteAmbiguity()
      _ = serve(request, worldSeconds)
      return .answer(stamped(answer, worldSeconds))
    case .serveTwice:
      noteAmbiguity()
      _ = serve(request, worldSeconds)
      var answer = serve(request, worldSeconds)
      answer.wasResent = true
      return .answer(answer)
    case .serveThenResent(let answer):
      noteAmbiguity()
      _ = serve(request, worldSeconds)
      var answer = stamped(answer, worldSeconds)
      answer.wasResent = true
      return .answer(answer)
    case .answer(let answer):
      if Verdict.mayHaveActed(answer) { noteAmbiguity() }
      return .answer(stamped(answer, worldSeconds))
    case .bare(let answer):
      if Verdict.mayHaveActed(answer) { noteAmbiguity() }
      return .answer(answer)
    case .lose(let kind):
      noteAmbiguity()
      return Self.fault(kind, reached: true)
    case .unreachable(let kind):
      return Self.fault(kind, reached: false)
    }
  }

  public static func fault(_ kind: TransportFault.Kind, reached: Bool) -> ExchangeResult {
    .fault(
      TransportFault(kind: kind, code: 0, message: "made to fail", mayHaveReachedServer: reached))
  }

  // MARK: - The honest server

  private func serve(_ request: SentRequest, _ worldSeconds: Int64) -> Answer {
    let answer: Answer
    switch request.target {
    case .tokenAddress:
      answer = Answer(200, "{\"url\": \"\(Self.tokenURL)\"}")
    case .token(let url):
      answer = url == Self.tokenURL ? newToken(worldSeconds) : .error(404, "not_found")
    case .deactivateLicense:
      answer = refusal(request, worldSeconds) ?? deactivate(request.body)
    }
    return stamped(answer, worldSeconds)
  }

  private func newToken(_ worldSeconds: Int64) -> Answer {
    tokenCount += 1
    tokenEndSeconds = worldSeconds + tokenLifetimeSeconds
    return Answer(
      200, "{\"access_token\": \"token-\(tokenCount)\", \"expires_in\": \(tokenLifetimeSeconds)}")
  }

  private func refusal(_ request: SentRequest, _ worldSeconds: Int64) -> Answer? {
    if checksDate, abs(worldSeconds + clockErrorSeconds - request.dateSeconds) > 900 {
      return .error(400, "date_header_diff")
    }
    if wantsToken,
      request.authorization != "Authorization: Bearer token-\(tokenCount)"
        || worldSeconds > tokenEndSeconds
    {
      return .error(401, "oauth_token_expired")
    }
    return nil
  }

  private func deactivate(_ body: String) -> Answer {
    guard active.remove(body) != nil else { return .error(400, "device_not_found") }
    ended[body, default: 0] += 1
    return Answer(200, "license_deactivated")
  }

  /// With the server's `Date`, unless the script gave one.
  private func stamped(_ answer: Answer, _ worldSeconds: Int64) -> Answer {
    guard answer.dateSeconds == nil else { return answer }
    var answer = answer
    let date = IMFFixdate(epochSeconds: worldSeconds + clockErrorSeconds).text
    answer.addField(Array("Date: \(date)".utf8).span)
    return answer
  }
}
