/// Full jitter: a random wait between 0 and min(ceiling, base · 2^failures).
///
/// So a site's devices, which lost their server in one second, don't come back in one
/// (AWS Architecture Blog, "Exponential Backoff And Jitter"). There is no last try.
public struct Backoff: Sendable {
  public var baseMilliseconds: Int64
  public var ceilingMilliseconds: Int64

  public init(baseMilliseconds: Int64, ceilingMilliseconds: Int64) {
    self.baseMilliseconds = baseMilliseconds
    self.ceilingMilliseconds = ceilingMilliseconds
  }

  /// Shortest wait: without it, a lucky draw is a busy loop against a server that is down.
  public static let millisecondsMin: Int64 = 1000

  public func milliseconds(afterFailures failures: Int64, random: UInt64) -> Int64 {
    var limit = max(baseMilliseconds, Self.millisecondsMin)
    var doublings = failures - 1
    while doublings > 0, limit < ceilingMilliseconds {
      limit *= 2
      doublings -= 1
    }
    limit = max(min(limit, ceilingMilliseconds), Self.millisecondsMin)
    // The bias of the remainder is below 1 in 2^30 for waits of a day.
    return max(Int64(random % UInt64(limit + 1)), Self.millisecondsMin)
  }
}
