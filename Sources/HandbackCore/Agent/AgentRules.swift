/// How the agent behaves; every number is a setting or has its reason here.
public struct AgentRules: Sendable {
  /// The first try after a start, and after the network's return, comes after a random part of
  /// this: a site's devices get their network back in the same second.
  public var firstTrySpreadMilliseconds: Int64
  /// Ends when nothing is pending. Somebody is waiting then: nothing is spread, and the first pass
  /// heeds only `Retry-After`, as a person's flush does.
  public var endsWhenEmpty: Bool
  /// Ends then in any case, on the boot-time clock.
  public var deadlineBootMilliseconds: Int64?

  public init(
    firstTrySpreadMilliseconds: Int64 = 0, endsWhenEmpty: Bool = false,
    deadlineBootMilliseconds: Int64? = nil
  ) {
    self.firstTrySpreadMilliseconds = endsWhenEmpty ? 0 : max(firstTrySpreadMilliseconds, 0)
    self.endsWhenEmpty = endsWhenEmpty
    self.deadlineBootMilliseconds = deadlineBootMilliseconds
  }

  /// The routes are read so long after something about them changed: an address and its route
  /// come a few milliseconds apart, and one look answers a thousand events.
  static let networkLookMilliseconds: Int64 = 50
  /// The same while nothing is pending; what is queued then has the routes read at once.
  static let idleLookMilliseconds: Int64 = 60_000
  /// The journal is read so long after it changed: `handback deactivate`, which queued something,
  /// sends it itself, and gets the time to begin.
  static let journalLookMilliseconds: Int64 = 1000
  /// Where the kernel tells nothing of the journal, and while it can't be read, it is looked at by
  /// the minute: at each one, or at each in which something was heard.
  static let journalGapMilliseconds: Int64 = 60_000
  /// Between tries that the network's changes caused and that failed: at once, then 1 s, 2 s, … up
  /// to this. The last change of a flapping link is tried in any case, so late at most.
  static let changeGapMillisecondsMax: Int64 = 60_000
  /// Between tries because the clock was set, where nothing says that it was what hindered them.
  static let clockGapMilliseconds: Int64 = 3_600_000
  /// Between passes that a timer caused, whatever the waits say: nothing may spin.
  static let passMillisecondsMin: Int64 = 1000
  /// Between timed tries while no route leads further than to the neighbours.
  static let narrowMilliseconds: Int64 = 3_600_000
  /// While another process sends: its last write to the journal wakes us, and this is for one that
  /// was killed before it wrote anything.
  static let blockedMilliseconds: Int64 = 60_000
  /// After a fault of this machine (a full disk, no libcurl, a key file that is gone); doubled each
  /// time.
  static let troubleMilliseconds: Int64 = 10_000
  static let troubleMillisecondsMax: Int64 = 3_600_000
}

/// What of the journal decides when to send. Times are on the boot-time clock.
public struct Backlog: Sendable, Equatable {
  public var pendingCount: Int64
  /// When the first of them is due by its own wait; past if one is due.
  public var dueBootMilliseconds: Int64
  /// When the wait for the server ends; past if there is none.
  public var serverBootMilliseconds: Int64
  public var reason: WaitReason

  public init(
    pendingCount: Int64 = 0, dueBootMilliseconds: Int64 = 0, serverBootMilliseconds: Int64 = 0,
    reason: WaitReason = .none
  ) {
    self.pendingCount = pendingCount
    self.dueBootMilliseconds = dueBootMilliseconds
    self.serverBootMilliseconds = serverBootMilliseconds
    self.reason = reason
  }
}

/// How far the kernel's routes lead.
public enum Reach: Int64, Sendable {
  /// To this machine alone.
  case none = 0
  /// To networks nearby; the server may be in one of them.
  case narrow = 1
  /// Anywhere: there is a default route.
  case wide = 2
}

/// The ways out of this machine at one moment.
public struct NetworkView: Sendable, Equatable {
  public let reach: Reach
  /// Differs, but for one chance in 2^64, when a route or an address of our own came or went.
  public let mark: UInt64

  public init(reach: Reach, mark: UInt64) {
    self.reach = reach
    self.mark = mark
  }
}

/// Which waits a pass heeds.
public enum Heeding: Sendable {
  /// All, as a timer does.
  case everyWait
  /// All but a wait for the network: it has changed since.
  case allButNetwork
  /// `Retry-After` alone, as for a person.
  case retryAfterAlone
}

/// What the agent does next.
public enum AgentStep: Sendable, Equatable {
  /// Sleep until the boot-time clock shows this, or, if it is `nil`, until something happens. A
  /// source that is to be looked at soon anyway is not listened to meanwhile.
  case sleep(untilBootMilliseconds: Int64?, hearsNetwork: Bool, hearsJournal: Bool)
  /// Read the routes, then tell `networkRead`.
  case readNetwork
  /// Read the journal, then tell `journalRead` or `journalFailed`.
  case readJournal
  /// Run the flusher through the journal once, then tell `passEnded`.
  case pass(Heeding)
  case finished(AgentEnd)
}

public enum AgentEnd: Sendable {
  /// Nothing is pending.
  case empty
  /// The deadline came first.
  case deadline
}

/// What became of a pass.
public enum PassEnd: Sendable {
  /// It came to its end; the journal says what is left.
  case ran
  /// The network changed while it waited for a connection.
  case networkChanged
  /// Another process is sending.
  case blocked
  /// A fault of this machine.
  case trouble
}
