/// Decides when the agent looks, sends and sleeps. It knows neither clock nor network: it is told
/// what happened, and asked what to do next.
///
/// Waits are the journal's, which survive a restart; here is only what a restart may forget. A
/// change of the network overrides a wait for the network, in memory: nothing is written for it.
/// It never overrides `Retry-After`, nor the backoff from a server that answers, since what changed
/// is not on its side.
public struct AgentSchedule: Sendable {
  private var rules: AgentRules
  private var backlog = Backlog()
  private var network: NetworkView?
  private var networkLook: Int64?
  private var journalLook: Int64?
  /// No look at it before, though something is heard: it can't be read.
  private var journalPauseUntil = distantPast
  /// No first try before.
  private var spreadUntil: Int64
  /// What was left of it when the network went: one that comes for a minute at a time is no new
  /// chance each time.
  private var spreadLeft = Int64.max
  /// No pass before, because of how the last one ended.
  private var pauseUntil = distantPast
  private var lastEnd = PassEnd.ran
  private var lastPass = distantPast
  /// A pass that a change of the network, or a person, wants.
  private var wish: Wish?
  /// What the pass that is running heeds.
  private var heeding = Heeding.everyWait
  /// Until then, a wait that the journal's next reading finds is from a pass of our own, or from
  /// one that stood in its way.
  private var ownWaitUntil = distantPast
  /// Tries after a change that reached nobody, one after the other, and when the last one ended.
  private var vainChanges = 0
  private var lastChange = distantPast
  private var troubles = 0
  /// Passes in a row that found another process sending.
  private var blocks = 0
  /// No try before because the clock was set, unless it is what is waited for.
  private var clockPauseUntil = distantPast

  private struct Wish: Sendable {
    var bootMilliseconds: Int64
    var heeding: Heeding
  }

  /// Room is left to add to it.
  private static let distantPast = Int64.min / 2

  /// `random` is fresh: the spread is drawn from it, here and below.
  public init(_ rules: AgentRules, at now: Moment, random: UInt64) {
    self.rules = rules
    networkLook = now.bootMilliseconds
    journalLook = now.bootMilliseconds
    spreadUntil = now.bootMilliseconds + Self.spread(rules, random)
    if rules.endsWhenEmpty {
      wish = Wish(bootMilliseconds: now.bootMilliseconds, heeding: .retryAfterAlone)
    }
  }

  // MARK: - What happened

  /// Something about links, addresses or routes changed, or events of that kind were lost.
  public mutating func networkRang(at now: Moment) {
    guard networkLook == nil else { return }
    // With nothing to send, a router's coming and going routes are nobody's business.
    let delay =
      backlog.pendingCount > 0 || journalLook != nil
      ? AgentRules.networkLookMilliseconds : AgentRules.idleLookMilliseconds
    networkLook = now.bootMilliseconds + delay
  }

  /// Somebody wrote to the journal.
  public mutating func journalRang(at now: Moment) {
    let look = max(now.bootMilliseconds + AgentRules.journalLookMilliseconds, journalPauseUntil)
    journalLook = min(journalLook ?? look, look)
    // What is queued may be tried at once by who queued it: what changed before is no news then.
    if networkLook != nil { networkLook = now.bootMilliseconds }
  }

  /// The routes as they are now.
  public mutating func networkRead(_ view: NetworkView, at now: Moment, random: UInt64) {
    let before = network
    network = view
    // The first look is no change: the start itself is spread.
    guard let before, before != view else { return }
    if view.reach.rawValue < before.reach.rawValue {
      // One that ran out while the network was there is over, and the next one is new.
      let left = spreadUntil - now.bootMilliseconds
      spreadLeft = left > 0 ? min(spreadLeft, left) : .max
    }
    guard view.reach != .none else { return }
    let due = changeDue(at: now) + min(Self.spread(rules, random), spreadLeft)
    // The way out may come back while the site's own network stayed.
    if before.reach == .none
      || view.reach == .wide && before.reach == .narrow && backlog.reason.isUnreachable
    {
      // What was queued meanwhile, and never tried, is spread as well; a person waits for no spread.
      spreadUntil = due
      if wish?.heeding == .allButNetwork { wish?.bootMilliseconds = due }
    }
    wishFor(due)
  }

  /// The wall clock was set: a certificate that was not valid yet may be now. Not every TLS library
  /// tells that this was why, and a clock that is set each minute must not mean a try each minute.
  public mutating func clockSet(at now: Moment, random: UInt64) {
    var due = changeDue(at: now)
    if backlog.pendingCount > 0, backlog.reason != .clock {
      // One that is put off already answers this one too, unless a pass took its place meanwhile.
      if clockPauseUntil <= now.bootMilliseconds + AgentRules.clockGapMilliseconds {
        clockPauseUntil = max(due, clockPauseUntil) + AgentRules.clockGapMilliseconds
      }
      due = max(due, clockPauseUntil - AgentRules.clockGapMilliseconds)
    }
    wishFor(due + Self.spread(rules, random))
  }

  /// A person asked for a try, or changed the settings.
  public mutating func asked(at now: Moment) {
    troubles = 0
    pauseUntil = Self.distantPast
    spreadUntil = Self.distantPast
    journalLook = now.bootMilliseconds
    wish = Wish(bootMilliseconds: now.bootMilliseconds, heeding: .retryAfterAlone)
  }

  /// Takes a new setting over, for the next spread.
  public mutating func setSpread(milliseconds: Int64) {
    if !rules.endsWhenEmpty { rules.firstTrySpreadMilliseconds = max(milliseconds, 0) }
  }

  /// The journal as it is now; `isHeard` if its next change is.
  public mutating func journalRead(_ backlog: Backlog, isHeard: Bool = true, at now: Moment) {
    journalPauseUntil = Self.distantPast
    if lastEnd != .trouble || backlog.pendingCount == 0 { troubles = 0 }
    // Another process tried after the change, in vain: it is no news any more.
    if ownWaitUntil <= now.bootMilliseconds, backlog.reason.isUnreachable,
      backlog.serverBootMilliseconds != self.backlog.serverBootMilliseconds,
      backlog.serverBootMilliseconds > now.bootMilliseconds,
      wish?.heeding == .allButNetwork
    {
      wish = nil
    }
    ownWaitUntil = Self.distantPast
    self.backlog = backlog
    if lastEnd == .ran, !backlog.reason.isUnreachable { vainChanges = 0 }
    if backlog.pendingCount == 0 {
      blocks = 0
      // That is the end.
      if rules.endsWhenEmpty { return }
      wish = nil
    }
    if !isHeard { journalLook = now.bootMilliseconds + AgentRules.journalGapMilliseconds }
  }

  /// The journal can't be read: it is looked at again when it changes, and after a while.
  public mutating func journalFailed(at now: Moment) {
    backlog = Backlog()
    ownWaitUntil = Self.distantPast
    let pause = troublePause()
    journalLook = now.bootMilliseconds + pause
    journalPauseUntil = now.bootMilliseconds + min(pause, AgentRules.journalGapMilliseconds)
  }

  /// `hasTried` if it came as far as to an attempt.
  public mutating func passEnded(_ end: PassEnd, hasTried: Bool = false, at now: Moment) {
    let boot = now.bootMilliseconds
    lastEnd = end
    lastPass = boot
    pauseUntil = Self.distantPast
    blocks = end == .blocked ? blocks + 1 : 0
    if end == .networkChanged || (end == .ran && heeding == .allButNetwork) {
      vainChanges += 1
      lastChange = boot
    }
    switch end {
    case .ran:
      troubles = 0
    case .networkChanged:
      pauseUntil = changeDue(at: now)
      wishAgain(at: pauseUntil)
      wishFor(pauseUntil)
    case .blocked:
      // Its writes ring; reading the journal now would only find it at work, and each time takes
      // longer than the last. What caused this pass may be newer than what it finds out.
      pauseUntil = boot + AgentRules.blockedMilliseconds
      // Where somebody waits for the end, it must not be missed.
      let gap = Self.doubled(
        AgentRules.journalLookMilliseconds, blocks - 1, AgentRules.blockedMilliseconds)
      if !rules.endsWhenEmpty { journalPauseUntil = boot + gap }
      wishAgain(at: boot)
      ownWaitUntil = pauseUntil
      return
    case .trouble:
      pauseUntil = boot + troublePause()
      if !hasTried { wishAgain(at: boot) }
    }
    ownWaitUntil = Int64.max
    journalLook = boot
  }

  /// Nothing was tried, so what wanted the pass still wants it.
  private mutating func wishAgain(at boot: Int64) {
    guard wish == nil, heeding != .everyWait else { return }
    wish = Wish(bootMilliseconds: boot, heeding: heeding)
  }

  // MARK: - What to do

  public mutating func step(at now: Moment) -> AgentStep {
    let boot = now.bootMilliseconds
    if let look = networkLook, look <= boot {
      networkLook = nil
      return .readNetwork
    }
    if let look = journalLook, look <= boot {
      journalLook = nil
      if lastEnd == .blocked { pauseUntil = Self.distantPast }
      return .readJournal
    }
    if rules.endsWhenEmpty, backlog.pendingCount == 0, journalLook == nil {
      return .finished(.empty)
    }
    if let end = rules.deadlineBootMilliseconds, end <= boot { return .finished(.deadline) }
    if let wish, let due = wishDue, due <= boot { return pass(wish.heeding) }
    if let due = timedDue, due <= boot { return pass(.everyWait) }
    var until = Self.earlier(nextTryBootMilliseconds, networkLook)
    until = Self.earlier(until, journalLook)
    until = Self.earlier(until, rules.deadlineBootMilliseconds)
    // A look that is near, or as near as it may be, answers all that could be heard.
    let near = max(boot + AgentRules.journalLookMilliseconds, journalPauseUntil)
    return .sleep(
      untilBootMilliseconds: until, hearsNetwork: networkLook == nil,
      hearsJournal: journalLook ?? .max > near)
  }

  private mutating func pass(_ heeding: Heeding) -> AgentStep {
    wish = nil
    spreadLeft = .max
    self.heeding = heeding
    return .pass(heeding)
  }

  /// When the next try is due; `nil` if nothing is pending or no route leads anywhere.
  public var nextTryBootMilliseconds: Int64? { Self.earlier(timedDue, wishDue) }

  /// As of the last look; before the first, `none`.
  public var reach: Reach { network?.reach ?? .none }

  // MARK: - When

  private var canSend: Bool { backlog.pendingCount > 0 && reach != .none }

  private var timedDue: Int64? {
    guard canSend else { return nil }
    var due = max(backlog.dueBootMilliseconds, backlog.serverBootMilliseconds)
    due = max(due, spreadUntil, pauseUntil)
    due = max(due, lastPass + AgentRules.passMillisecondsMin)
    if reach == .narrow, backlog.reason.isUnreachable {
      due = max(due, lastPass + AgentRules.narrowMilliseconds)
    }
    return due
  }

  private var wishDue: Int64? {
    guard canSend, let wish else { return nil }
    let due = max(wish.bootMilliseconds, pauseUntil)
    switch wish.heeding {
    case .retryAfterAlone:
      return backlog.reason == .retryAfter ? max(due, backlog.serverBootMilliseconds) : due
    case .allButNetwork, .everyWait:
      let server = backlog.reason.isUnreachable ? due : backlog.serverBootMilliseconds
      return max(due, spreadUntil, backlog.dueBootMilliseconds, server)
    }
  }

  /// Keeps an earlier wish: events in a row must not put a try off.
  private mutating func wishFor(_ due: Int64) {
    guard let before = wish else {
      wish = Wish(bootMilliseconds: due, heeding: .allButNetwork)
      return
    }
    wish?.bootMilliseconds = min(before.bootMilliseconds, due)
  }

  /// When a change may be tried: at once, if the last one was not in vain.
  private func changeDue(at now: Moment) -> Int64 {
    guard vainChanges > 1 else { return now.bootMilliseconds }
    let gap = Self.doubled(1000, vainChanges - 2, AgentRules.changeGapMillisecondsMax)
    return max(now.bootMilliseconds, lastChange + gap)
  }

  private mutating func troublePause() -> Int64 {
    troubles += 1
    return Self.doubled(
      AgentRules.troubleMilliseconds, troubles - 1, AgentRules.troubleMillisecondsMax)
  }

  private static func doubled(_ first: Int64, _ times: Int, _ limit: Int64) -> Int64 {
    min(first << Int64(min(times, 20)), limit)
  }

  private static func spread(_ rules: AgentRules, _ random: UInt64) -> Int64 {
    Int64(random % UInt64(rules.firstTrySpreadMilliseconds + 1))
  }

  private static func earlier(_ one: Int64?, _ other: Int64?) -> Int64? {
    guard let one else { return other }
    guard let other else { return one }
    return min(one, other)
  }
}
