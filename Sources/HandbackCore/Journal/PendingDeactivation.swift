/// A row of the journal that is still to be sent.
public final class PendingDeactivation {
  public let ticket: Ticket
  public let content: Content
  /// Attempts begun, this one not counted.
  public let attempts: Int64
  /// Attempts whose answer isn't known: begun, and neither answered clearly nor known to have
  /// never reached the server.
  public let openAttempts: Int64
  /// Failures in a row, which the backoff grows with.
  public let failures: Int64

  public enum Content {
    case deactivation(Deactivation)
    /// Its credential is sealed, and can't be read here: why.
    case sealed(Outcome)
  }

  public init(
    ticket: Ticket, _ content: Content, attempts: Int64, openAttempts: Int64, failures: Int64
  ) {
    self.ticket = ticket
    self.content = content
    self.attempts = attempts
    self.openAttempts = openAttempts
    self.failures = failures
  }
}

/// How a deactivation ended. Nothing else ends one.
public enum Ending: Int64, Sendable {
  case deactivated = 1
  case rejected = 2
  case withdrawn = 3
  /// Its row and its second copy were both damaged: nobody can send it, and a person has to know.
  case damaged = 4

  public var name: Literal {
    switch self {
    case .deactivated: "deactivated"
    case .rejected: "rejected"
    case .withdrawn: "withdrawn"
    case .damaged: "damaged"
    }
  }
}

/// What is known of the last attempt, for `status` and the receipt.
public final class Outcome: Sendable {
  /// HTTP status, 0 if there was no answer.
  public let httpStatus: Int64
  /// The error's `code` as the server wrote it, made printable; or our word for a fault.
  public let code: Text?
  public let message: Text?

  public init(httpStatus: Int64, code: Text?, message: Text?) {
    self.httpStatus = httpStatus
    self.code = code
    self.message = message
  }
}

/// What an attempt did to its row.
public enum RowChange: Sendable {
  /// Settled for good; the credential is erased with it.
  case ended(Ending, isInferred: Bool, licenseSignature: Text?)
  /// Still pending, with so many attempts whose answer isn't known.
  case postponed(Wait?, failures: Int64, isHeld: Bool, openAttempts: Int64)
}

/// What is known of the server, beside any one row.
public struct ServerState: Equatable, Sendable {
  public var clock: ServerClock
  public var failures: Int64
  public var wait: Wait?
  public var reason: WaitReason

  public init(clock: ServerClock, failures: Int64, wait: Wait?, reason: WaitReason) {
    self.clock = clock
    self.failures = failures
    self.wait = wait
    self.reason = reason
  }

  /// Out of line: inlined, it was 700 bytes where it is used.
  @inline(never)
  public static func == (one: ServerState, other: ServerState) -> Bool {
    one.clock == other.clock && one.failures == other.failures && one.wait == other.wait
      && one.reason == other.reason
  }
}

/// Why nothing is sent now.
public enum WaitReason: Int64, Sendable {
  case none = 0
  /// No answer from the server: a network event or a person may shorten this.
  case network = 1
  /// The server said `Retry-After`: nobody shortens this.
  case retryAfter = 2
  /// Settings or credentials were refused.
  case held = 3
  /// The server answered that it can't at the moment.
  case server = 4
  /// By this device's time the server's certificate isn't valid: not yet, or not any more. A
  /// clock that is set anew, a network event or a person may shorten this.
  case clock = 5

  /// Whether the server was not reached.
  public var isUnreachable: Bool { self == .network || self == .clock }
}

/// What a change came to that was to be written.
public enum Conclusion: Sendable {
  case written
  /// The row was asked for again meanwhile, with other details than were sent: an answer to those
  /// ends it only if it is a plain success, and else it is due at once.
  case askedAgain
  /// The row had ended, by a person: only a plain success changes that.
  case ended
}

/// The journal as the flush needs it. Every method is one transaction, durable on return.
public protocol FlushJournal: ~Copyable {
  associatedtype Failure: Error

  /// The first pending row behind `row`, in the order of queueing; with `onlyDue` one whose own
  /// wait is over.
  mutating func next(
    after row: Int64, onlyDue: Bool, at now: Moment
  ) throws(Failure) -> PendingDeactivation?

  /// Counts an attempt as begun, before its first byte is sent: after a crash it is known that
  /// the server may have acted. `false` if the row is no longer as `next` gave it: it was
  /// withdrawn, or asked for again with other details.
  mutating func openAttempt(_ ticket: Ticket, at now: Moment) throws(Failure) -> Bool

  /// Writes what an attempt did, and what is known of the server since if that is new.
  @discardableResult
  mutating func conclude(
    _ ticket: Ticket, _ change: RowChange, _ outcome: Outcome, server: ServerState?, at now: Moment
  ) throws(Failure) -> Conclusion

  mutating func serverState() throws(Failure) -> ServerState
}
