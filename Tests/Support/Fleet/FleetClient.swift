import HandbackCore

/// What one device of a fleet remembers between two tries. A million of these are moved about at
/// every try, so it is two bytes.
public struct FleetDevice: Sendable {
  /// Failures in a row that concern the server.
  public var serverFailures: UInt8 = 0
  /// Failures in a row that concern the deactivation.
  public var ownFailures: UInt8 = 0

  public init() {}
}

/// When a device tries again: the one thing in which the clients of a fleet differ.
public protocol FleetClient: Sendable {
  /// Before the first try, after something that the whole fleet saw in one second.
  func firstWaitMilliseconds(random: UInt64) -> Int64

  /// After a try that got no answer.
  func waitMilliseconds(afterFaultOf device: inout FleetDevice, random: UInt64) -> Int64

  /// After a 503, with the seconds of its `Retry-After` if it has one.
  func waitMilliseconds(
    afterRefusalOf device: inout FleetDevice, retryAfterSeconds: Int64?, random: UInt64
  ) -> Int64
}

/// Handback's own way, by the code of the product: the verdict on the server's answer, and the
/// backoff. What `Flusher` keeps between them, two counts, is kept in the device.
public struct HandbackClient: FleetClient {
  public var rules: FlushRules
  public var firstTrySpreadMilliseconds: Int64
  private let verdict: Verdict
  private let verdictWithRetryAfter: Verdict

  public init(rules: FlushRules = FlushRules(), firstTrySpreadMilliseconds: Int64) {
    self.rules = rules
    self.firstTrySpreadMilliseconds = firstTrySpreadMilliseconds
    verdict = Verdict.judge(Answer(503), hasUnansweredAttempt: false)
    verdictWithRetryAfter = Verdict.judge(
      Answer(503, "", fields: ["Retry-After: 1"]), hasUnansweredAttempt: false)
  }

  public func firstWaitMilliseconds(random: UInt64) -> Int64 {
    Int64(random % UInt64(firstTrySpreadMilliseconds + 1))
  }

  public func waitMilliseconds(afterFaultOf device: inout FleetDevice, random: UInt64) -> Int64 {
    device.serverFailures.countUp()
    return rules.backoff.milliseconds(
      afterFailures: Int64(device.serverFailures), random: random)
  }

  public func waitMilliseconds(
    afterRefusalOf device: inout FleetDevice, retryAfterSeconds: Int64?, random: UInt64
  ) -> Int64 {
    device.ownFailures.countUp()
    switch retryAfterSeconds == nil ? verdict : verdictWithRetryAfter {
    case .later(.deactivation):
      return rules.backoff.milliseconds(afterFailures: Int64(device.ownFailures), random: random)
    case .later(.everything):
      device.serverFailures.countUp()
      let seconds = retryAfterSeconds ?? 0
      return seconds * 1000 + Int64(random % UInt64(seconds * 100 + 1))
    default:
      preconditionFailure("a 503 is for later")
    }
  }
}

/// The other ways, each as far as its source shows it. None of them looks at `Retry-After` of a
/// 503 (Mender does at 429), and to all of them a refusal is a failure like any other.
public struct PlainClient: FleetClient {
  public enum Way: Sendable {
    /// Handback's base and ceiling, without any jitter.
    case doubling(Backoff)
    /// Half of the wait fixed, half of it random ("equal jitter").
    case equalJitter(Backoff)
    /// rauc-hawkbit-updater: `DEFAULT_RETRY_WAIT` of 300 s.
    case fixed(milliseconds: Int64)
    /// Mender: each wait three times, then doubled, from 60 s to 300 s.
    case threeTimesEach
    /// Fluent Bit: random up to 5 s · 2^n, at most 2000 s, and a second more.
    case fullJitter5to2000
    /// Vector: Fibonacci numbers from 1 s to 30 s, full jitter.
    case fibonacci1to30
    /// memfaultd: 60 s doubled up to the period, an hour; random only before the first.
    case doublingFromRandomStart
  }

  public let way: Way

  public init(_ way: Way) { self.way = way }

  public func firstWaitMilliseconds(random: UInt64) -> Int64 {
    if case .doublingFromRandomStart = way { return Int64(random % 900_000) }
    return 0
  }

  public func waitMilliseconds(afterFaultOf device: inout FleetDevice, random: UInt64) -> Int64 {
    device.serverFailures.countUp()
    let failures = Int64(device.serverFailures)
    switch way {
    case .doubling(let backoff):
      return Self.doubled(backoff, failures)
    case .equalJitter(let backoff):
      let half = Self.doubled(backoff, failures) / 2
      return half + Int64(random % UInt64(half + 1))
    case .fixed(let milliseconds):
      return milliseconds
    case .threeTimesEach:
      return min(60_000 << min((failures - 1) / 3, 8), 300_000)
    case .fullJitter5to2000:
      let limit = min(5000 << min(failures, 20), 2_000_000)
      return 1000 + Int64(random % UInt64(limit + 1))
    case .fibonacci1to30:
      let limit = Self.fibonacci[min(Int(failures) - 1, Self.fibonacci.count - 1)]
      return Int64(random % UInt64(limit + 1))
    case .doublingFromRandomStart:
      return min(60_000 << min(failures - 1, 8), 3_600_000)
    }
  }

  public func waitMilliseconds(
    afterRefusalOf device: inout FleetDevice, retryAfterSeconds: Int64?, random: UInt64
  ) -> Int64 {
    waitMilliseconds(afterFaultOf: &device, random: random)
  }

  private static let fibonacci: [Int64] = [1000, 2000, 3000, 5000, 8000, 13_000, 21_000, 30_000]

  private static func doubled(_ backoff: Backoff, _ failures: Int64) -> Int64 {
    min(backoff.baseMilliseconds << min(failures - 1, 30), backoff.ceilingMilliseconds)
  }
}

extension UInt8 {
  /// Stops at its end: no wait grows beyond that many failures.
  mutating func countUp() { if self < .max { self += 1 } }
}
