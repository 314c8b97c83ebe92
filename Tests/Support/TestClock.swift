import HandbackCore

/// Time as a parameter: what the world's clock says, and what the device makes of it.
public struct TestClock: Sendable {
  /// The right time, milliseconds since 1970-01-01 UTC.
  public private(set) var worldMilliseconds: Int64
  /// How wrong the device's wall clock is.
  public var wallErrorSeconds: Int64
  public private(set) var bootMilliseconds: Int64
  public private(set) var bootID: Int64

  /// 2027-01-15 08:00:00 UTC, after the release and no round number of anything.
  public static let start: Int64 = 1_800_000_000

  public init(
    worldSeconds: Int64 = start, wallErrorSeconds: Int64 = 0, bootMilliseconds: Int64 = 5_000_000
  ) {
    worldMilliseconds = worldSeconds * 1000
    self.wallErrorSeconds = wallErrorSeconds
    self.bootMilliseconds = bootMilliseconds
    bootID = 11
  }

  public var worldSeconds: Int64 { worldMilliseconds / 1000 }

  public var now: Moment {
    Moment(
      wallSeconds: worldSeconds + wallErrorSeconds, bootMilliseconds: bootMilliseconds,
      bootID: bootID)
  }

  public mutating func advance(milliseconds: Int64) {
    precondition(milliseconds >= 0, "time goes forward")
    worldMilliseconds += milliseconds
    bootMilliseconds += milliseconds
  }

  /// Off for a while, and up again for two seconds.
  public mutating func reboot(offMilliseconds: Int64) {
    worldMilliseconds += offMilliseconds + 2000
    bootMilliseconds = 2000
    bootID += 1
  }

  /// Sets the wall clock to a time, as a dead battery or a person does.
  public mutating func setWall(toSeconds seconds: Int64) {
    wallErrorSeconds = seconds - worldSeconds
  }
}
