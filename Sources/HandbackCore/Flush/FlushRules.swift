/// How a flush behaves; every number is a setting.
public struct FlushRules: Sendable {
  /// Requests per second at most, below the API's documented limits (200 per 10 s and address,
  /// 50 per second and Authorization value); 0 is without pacing.
  public var requestsPerSecondMax: Int64
  /// Between tries while the server can't be reached or answers 5xx.
  public var backoff: Backoff
  /// Between tries while our own settings are refused: slow, since only a person can cure it.
  public var heldBackoff: Backoff
  /// `true` heeds every wait, as a timer should; `false`, for a person, heeds only the server's
  /// `Retry-After`.
  public var onlyDue: Bool
  /// Beside `onlyDue`: the network has changed, and a wait for it is over.
  public var networkHasChanged: Bool
  /// Sends this one and no other.
  public var only: Ticket?

  public init(
    requestsPerSecondMax: Int64 = 10,
    backoff: Backoff = Backoff(baseMilliseconds: 30_000, ceilingMilliseconds: 3_600_000),
    heldBackoff: Backoff = Backoff(
      baseMilliseconds: 3_600_000, ceilingMilliseconds: 86_400_000),
    onlyDue: Bool = false,
    networkHasChanged: Bool = false,
    only: Ticket? = nil
  ) {
    self.requestsPerSecondMax = requestsPerSecondMax
    self.backoff = backoff
    self.heldBackoff = heldBackoff
    self.onlyDue = onlyDue
    self.networkHasChanged = networkHasChanged
    self.only = only
  }

  /// Answers "later" in a row after which the server, and not the license, has the trouble.
  static let laterInARowMax = 3
  /// Refusals in a row, each as it seems of one license's user, after which it is this agent.
  static let refusedInARowMax = 3
  /// Faults of one deactivation after which another one is tried before the pass ends: a request
  /// that always cuts the connection must not block those behind it.
  static let failuresBeforePassing: Int64 = 2
  /// After so long it is looked again whether a sealed credential can be read. The look costs no
  /// network, so it isn't put off further each time; but each writes to the flash.
  static let sealedMilliseconds: Int64 = 3_600_000
}

/// What the flush wants next.
public enum FlushStep: ~Copyable {
  /// Perform this, then tell `receive`.
  case send(Exchange)
  /// Ask again after so many milliseconds: pacing.
  case pause(milliseconds: Int64)
  /// Tell this and ask again: one was passed over, as its credential can't be read here.
  case passed(FlushEvent)
  case finished(FlushEnd)
}

public enum FlushEnd: Sendable {
  /// Every row was tried.
  case done
  /// The pass ended before: nothing is sent for so long.
  case stopped(WaitReason, millisecondsLeft: Int64)
}

/// What a person is told.
public enum FlushEvent: Sendable {
  case ended(Ticket, Ending, isInferred: Bool, Outcome)
  case postponed(Ticket, Outcome, isHeld: Bool)
  /// The server refused our date; its own is this much ahead of ours.
  case clockCorrected(bySeconds: Int64)
  /// A step on the way, nothing to tell.
  case none
}
