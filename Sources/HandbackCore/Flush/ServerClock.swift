/// The time that requests are signed with.
///
/// The device's own clock may say 1970. What is known better: it can't be earlier than this
/// program's release or than the newest time a server told, and within one boot the last
/// answer's `Date` plus the boot-time clock is right however the wall clock is set.
public struct ServerClock: Sendable, Equatable {
  /// The newest time known, seconds since 1970-01-01 UTC: no signature is older.
  public private(set) var floorSeconds: Int64
  /// In this boot, the server's time was `seconds` when the boot-time clock showed
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

  /// The best guess at the server's time.
  public func seconds(at now: Moment) -> Int64 {
    if let anchor, anchor.bootID == now.bootID {
      return anchor.seconds + (now.bootMilliseconds - anchor.bootMilliseconds) / 1000
    }
    return max(now.wallSeconds, floorSeconds)
  }

  /// Takes over the `Date` of an answer that refused ours.
  public mutating func correct(to seconds: Int64, at now: Moment) {
    anchor = Anchor(seconds: seconds, bootMilliseconds: now.bootMilliseconds, bootID: now.bootID)
  }

  /// Raises the floor by the `Date` of an answer that accepted ours. Only a date near our own
  /// counts: a server whose own clock is off by hours accepted us all the same, so ours is right.
  public mutating func confirm(_ seconds: Int64, at now: Moment) {
    let ours = self.seconds(at: now)
    guard abs(seconds - ours) <= Self.agreementSeconds else { return }
    // By the hour: each new floor is a page more to write.
    if seconds >= floorSeconds + 3600 { floorSeconds = seconds }
    // With a clock from before the floor, only an anchor of this boot keeps time.
    if now.wallSeconds < floorSeconds - Self.agreementSeconds, anchor?.bootID != now.bootID {
      correct(to: seconds, at: now)
    }
  }

  /// "The server allows timestamps that are up to 15 minutes old"; half of it leaves room.
  static let agreementSeconds: Int64 = 450
}
