/// The time that requests are signed with, and that certificates must outlive.
///
/// The device's own clock may say 1970, or 2060. What is known better: it can't be earlier than
/// this program's release or than the newest time that the wall clock and a server agreed on, and
/// within one boot the last answer's `Date` plus the boot-time clock is right however the wall
/// clock is set.
///
/// The files that systemd keeps for the same end (`timesync/clock`, `clock-epoch`) are not read:
/// where they are, systemd has set the wall clock to them before this program runs.
public struct ServerClock: Sendable, Equatable {
  /// The newest time that is certain, seconds since 1970-01-01 UTC. It only ever grows, so a
  /// server alone can't raise it: one that tells 2060 would make every certificate expired.
  public private(set) var floorSeconds: Int64
  /// The server's time was `seconds` when the boot-time clock of that boot showed
  /// `bootMilliseconds`.
  public private(set) var anchor: Anchor?

  public struct Anchor: Sendable, Equatable {
    public let seconds: Int64
    public let bootMilliseconds: Int64
    public let bootID: Int64

    /// Clamped, as the journal is a file: a damaged one must not stop us by an overflow.
    public init(seconds: Int64, bootMilliseconds: Int64, bootID: Int64) {
      self.seconds = min(max(seconds, 0), IMFFixdate.epochSecondsMax)
      self.bootMilliseconds = max(bootMilliseconds, 0)
      self.bootID = bootID
    }
  }

  public init(floorSeconds: Int64, anchor: Anchor?) {
    self.floorSeconds = min(max(floorSeconds, 0), IMFFixdate.epochSecondsMax)
    self.anchor = anchor
  }

  /// The floor to begin with, given the one that the journal has: from this release on, and not
  /// so late that only damage can have put it there.
  public static func floorSeconds(stored: Int64) -> Int64 {
    let release = Version.releaseEpochSeconds
    return (release...(release + disbeliefSeconds)).contains(stored) ? stored : release
  }

  // MARK: - Asking

  /// The best guess at the server's time, to sign with. If it is wrong, the server's refusal
  /// corrects it.
  public func seconds(at now: Moment) -> Int64 {
    if let seconds = anchoredSeconds(at: now) { return seconds }
    if isBelievable(now.wallSeconds) { return now.wallSeconds }
    return max(floorSeconds, anchor?.seconds ?? 0)
  }

  /// What a certificate's end is compared with: a lower bound of the time, as good as is known.
  ///
  /// A wall clock that can be believed is taken as it is, so that a device whose clock is right
  /// refuses a certificate whose end has passed. If the clock has jumped ahead since a server was
  /// talked to in this boot, that server's time is taken. A clock that can't be believed gives way
  /// to the floor: what had ended by then has ended.
  ///
  /// A server's own time makes this earlier and never later: were it wrong, no certificate would
  /// do any more, and nothing could correct it.
  public func certificateSeconds(at now: Moment) -> Int64 {
    guard isBelievable(now.wallSeconds) else { return floorSeconds }
    return max(min(now.wallSeconds, anchoredSeconds(at: now) ?? now.wallSeconds), floorSeconds)
  }

  private func anchoredSeconds(at now: Moment) -> Int64? {
    guard let anchor, now.isOfBoot(anchor.bootID, whichShowed: anchor.bootMilliseconds) else {
      return nil
    }
    return anchor.seconds + (now.bootMilliseconds - anchor.bootMilliseconds) / 1000
  }

  private func isBelievable(_ wallSeconds: Int64) -> Bool {
    wallSeconds >= floorSeconds && wallSeconds - floorSeconds <= Self.disbeliefSeconds
  }

  // MARK: - Learning

  /// Takes over the `Date` of an answer that refused ours.
  public mutating func correct(to seconds: Int64, at now: Moment) {
    anchor = Anchor(seconds: seconds, bootMilliseconds: now.bootMilliseconds, bootID: now.bootID)
  }

  /// Learns from the `Date` of an answer that accepted ours. Only a date near our own counts: a
  /// server whose own clock is off by hours accepted us all the same, so ours is right.
  public mutating func confirm(_ seconds: Int64, at now: Moment) {
    guard abs(seconds - self.seconds(at: now)) <= Self.agreementSeconds else { return }
    // By the hour: each change is a page more to write.
    if anchoredSeconds(at: now) != nil, let anchor, seconds < anchor.seconds + 3600 { return }
    correct(to: seconds, at: now)
    // Two clocks that don't know of each other.
    let agreement = Self.agreementSeconds
    if (seconds - agreement...seconds + agreement).contains(now.wallSeconds) {
      floorSeconds = max(floorSeconds, seconds)
    }
  }

  /// "The server allows timestamps that are up to 15 minutes old"; half of it leaves room.
  static let agreementSeconds: Int64 = 450
  /// 20 years, more than a device serves: a wall clock so far beyond the newest time that is
  /// certain is a dead battery's 2066 or 2099.
  static let disbeliefSeconds: Int64 = 20 * 31_556_952
}
