/// One reading of the clocks.
///
/// Waits are measured on the boot-time clock (`CLOCK_BOOTTIME`), which runs through suspend and
/// can't be set; the wall clock is only used for what people and servers see.
public struct Moment: Sendable {
  /// The wall clock, seconds since 1970-01-01 UTC, right or not.
  public var wallSeconds: Int64
  /// Milliseconds since the kernel booted.
  public var bootMilliseconds: Int64
  /// Which boot: half of `/proc/sys/kernel/random/boot_id`. 0 if it can't be read.
  public var bootID: Int64

  public init(wallSeconds: Int64, bootMilliseconds: Int64, bootID: Int64) {
    self.wallSeconds = wallSeconds
    self.bootMilliseconds = bootMilliseconds
    self.bootID = bootID
  }

  /// Whether this is the same boot as one that had this ID when its clock showed so much. Where IDs
  /// can't be read all are 0, and a clock that shows less than it did tells another boot.
  func isOfBoot(_ bootID: Int64, whichShowed bootMilliseconds: Int64) -> Bool {
    bootID == self.bootID && bootMilliseconds <= self.bootMilliseconds
  }
}

/// A wait that survives a restart: its end on the boot-time clock of one boot.
///
/// After another boot nobody knows how long the device was off, so the wait counts anew from the
/// boot; but two to five minutes of it at most, or a device that is never on for as long as the wait
/// would never try again.
public struct Wait: Sendable, Equatable {
  public let milliseconds: Int64
  public let endBootMilliseconds: Int64
  public let bootID: Int64

  /// Longest of all waits: a day (`Retry-After` is clamped to it).
  public static let millisecondsMax: Int64 = 86_400_000

  public init(milliseconds: Int64, from now: Moment) {
    let length = min(max(milliseconds, 0), Self.millisecondsMax)
    self.milliseconds = length
    self.endBootMilliseconds = now.bootMilliseconds + length
    self.bootID = now.bootID
  }

  /// One read back from the journal; outside values are clamped.
  public init(milliseconds: Int64, endBootMilliseconds: Int64, bootID: Int64) {
    self.milliseconds = min(max(milliseconds, 0), Self.millisecondsMax)
    self.endBootMilliseconds = max(endBootMilliseconds, 0)
    self.bootID = bootID
  }

  /// How long is left, 0 if it is over.
  public func millisecondsLeft(at now: Moment) -> Int64 {
    let isThisBoot = now.isOfBoot(bootID, whichShowed: endBootMilliseconds - milliseconds)
    let end = isThisBoot ? endBootMilliseconds : afterBootMilliseconds
    return min(max(end - now.bootMilliseconds, 0), milliseconds)
  }

  /// A site's devices boot in the same second: when each had its answer, and what chance its wait
  /// held, spreads this one.
  private var afterBootMilliseconds: Int64 {
    min(milliseconds, 120_000 + endBootMilliseconds % 180_000)
  }
}
