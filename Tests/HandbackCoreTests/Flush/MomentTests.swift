import TestSupport
import Testing

@testable import HandbackCore

struct WaitTests {
  private static func moment(_ bootMilliseconds: Int64, boot: Int64 = 1) -> Moment {
    Moment(wallSeconds: 0, bootMilliseconds: bootMilliseconds, bootID: boot)
  }

  @Test func `ends on the boot-time clock`() {
    let wait = Wait(milliseconds: 500, from: Self.moment(1000))
    #expect(wait.millisecondsLeft(at: Self.moment(1000)) == 500)
    #expect(wait.millisecondsLeft(at: Self.moment(1499)) == 1)
    #expect(wait.millisecondsLeft(at: Self.moment(1500)) == 0)
    #expect(wait.millisecondsLeft(at: Self.moment(9_999_999)) == 0)
  }

  @Test func `counts from the start of another boot`() {
    let wait = Wait(milliseconds: 60_000, from: Self.moment(100_000_000))
    #expect(wait.millisecondsLeft(at: Self.moment(0, boot: 2)) == 60_000)
    #expect(wait.millisecondsLeft(at: Self.moment(20_000, boot: 2)) == 40_000)
    #expect(wait.millisecondsLeft(at: Self.moment(60_000, boot: 2)) == 0)
  }

  /// Or a device that is never on for a day would never try again.
  @Test func `a long one is cut to minutes by another boot, and still spread`() {
    var lengths: Set<Int64> = []
    for milliseconds in stride(from: 3_600_000, through: 86_400_000, by: 1_234_567)
      as StrideThrough<Int64>
    {
      let wait = Wait(milliseconds: milliseconds, from: Self.moment(100_000_000))
      let left = wait.millisecondsLeft(at: Self.moment(0, boot: 2))
      #expect((120_000..<300_000).contains(left))
      #expect(wait.millisecondsLeft(at: Self.moment(left, boot: 2)) == 0)
      lengths.insert(left)
    }
    #expect(lengths.count > 50)
  }

  @Test func `is never longer than it was told, whatever the clock says`() {
    for boot in [0, 1, 2] as [Int64] {
      let wait = Wait(milliseconds: 60_000, from: Self.moment(100_000_000, boot: boot))
      for now in [0, 5, 59_999, 99_999_999, 100_000_000] as [Int64] {
        #expect((0...60_000).contains(wait.millisecondsLeft(at: Self.moment(now, boot: 1))))
      }
    }
  }

  /// The boots' IDs can't be read, and this boot is younger: the wait must pass, not stand still.
  @Test func `ends in another boot that has the same ID`() {
    let wait = Wait(milliseconds: 60_000, from: Self.moment(100_000_000, boot: 0))
    #expect(wait.millisecondsLeft(at: Self.moment(5, boot: 0)) == 59_995)
    #expect(wait.millisecondsLeft(at: Self.moment(400_000, boot: 0)) == 0)
  }

  @Test func `lasts from nothing to a day`() {
    let now = Self.moment(0)
    #expect(Wait(milliseconds: -1, from: now).milliseconds == 0)
    #expect(Wait(milliseconds: .max, from: now).milliseconds == 86_400_000)
    let read = Wait(milliseconds: .max, endBootMilliseconds: .max, bootID: 1)
    #expect(read.milliseconds == 86_400_000)
    // It can't be of this boot.
    #expect((120_000..<300_000).contains(read.millisecondsLeft(at: now)))
  }

  /// A damaged row must not stop the agent for good.
  @Test(arguments: [Int64.min, -1, 0, Int64.max])
  func `survives any numbers from the journal`(number: Int64) {
    for boot in [1, 2] as [Int64] {
      for now in [0, 1, 1_000_000_000_000] as [Int64] {
        let wait = Wait(milliseconds: number, endBootMilliseconds: number, bootID: 1)
        let left = wait.millisecondsLeft(at: Self.moment(now, boot: boot))
        #expect((0...Wait.millisecondsMax).contains(left))
      }
    }
  }
}

struct BackoffTests {
  private static let backoff = Backoff(baseMilliseconds: 30_000, ceilingMilliseconds: 3_600_000)

  @Test(
    arguments: [
      (1, 30_000), (2, 60_000), (3, 120_000), (7, 1_920_000), (8, 3_600_000), (9, 3_600_000),
      (1000, 3_600_000), (Int64.max, 3_600_000), (0, 30_000), (-5, 30_000),
    ] as [(Int64, Int64)])
  func `doubles up to its ceiling`(failures: Int64, limit: Int64) {
    #expect(Self.backoff.milliseconds(afterFailures: failures, random: UInt64(limit)) == limit)
    #expect(Self.backoff.milliseconds(afterFailures: failures, random: UInt64(limit) + 1) == 1000)
    #expect(Self.backoff.milliseconds(afterFailures: failures, random: 0) == 1000)
    let most = Self.backoff.milliseconds(afterFailures: failures, random: .max)
    #expect((1000...limit).contains(most))
  }

  @Test func `is never shorter than a second`() {
    let hasty = Backoff(baseMilliseconds: 0, ceilingMilliseconds: 0)
    for random in [0, 1, 999, 1000, 1001, UInt64.max] {
      #expect(hasty.milliseconds(afterFailures: 50, random: random) == 1000)
    }
    // A base over the ceiling.
    let odd = Backoff(baseMilliseconds: 90_000, ceilingMilliseconds: 10_000)
    #expect(odd.milliseconds(afterFailures: 1, random: 10_000) == 10_000)
    #expect(odd.milliseconds(afterFailures: 1, random: 10_001) == 1000)
  }
}

struct ServerClockTests {
  private static let floor: Int64 = 1_795_392_000

  private static func moment(
    wall: Int64, boot milliseconds: Int64 = 10_000, id: Int64 = 1
  ) -> Moment {
    Moment(wallSeconds: wall, bootMilliseconds: milliseconds, bootID: id)
  }

  @Test func `is the wall clock, but never before the floor`() {
    let clock = ServerClock(floorSeconds: Self.floor, anchor: nil)
    #expect(clock.seconds(at: Self.moment(wall: 0)) == Self.floor)
    #expect(clock.seconds(at: Self.moment(wall: Self.floor - 1)) == Self.floor)
    #expect(clock.seconds(at: Self.moment(wall: Self.floor + 5)) == Self.floor + 5)
  }

  @Test func `runs on the boot-time clock from a correction on, within one boot`() {
    var clock = ServerClock(floorSeconds: Self.floor, anchor: nil)
    clock.correct(to: Self.floor + 1000, at: Self.moment(wall: 5))
    for wall in [0, Self.floor * 2, Self.floor - 315_360_000] {
      let later = Self.moment(wall: wall, boot: 70_999)
      #expect(clock.seconds(at: later) == Self.floor + 1060)
    }
    #expect(clock.seconds(at: Self.moment(wall: Self.floor + 9, id: 2)) == Self.floor + 9)
    // The next boot without a clock begins with the newest time that was told.
    #expect(clock.seconds(at: Self.moment(wall: 9, id: 2)) == Self.floor + 1000)
    // A correction may go before the floor: the server knows best.
    clock.correct(to: Self.floor - 5000, at: Self.moment(wall: 5))
    #expect(clock.seconds(at: Self.moment(wall: 5)) == Self.floor - 5000)
  }

  @Test func `takes a wall clock 20 years beyond the floor for wrong`() {
    let clock = ServerClock(floorSeconds: Self.floor, anchor: nil)
    let end = Self.floor + 20 * 31_556_952
    #expect(clock.seconds(at: Self.moment(wall: end)) == end)
    for wall in [end + 1, Int64.max] {
      #expect(clock.seconds(at: Self.moment(wall: wall)) == Self.floor)
      #expect(clock.certificateSeconds(at: Self.moment(wall: wall)) == Self.floor)
    }
  }

  @Test func `raises its floor where the wall clock and the server agree`() {
    var clock = ServerClock(floorSeconds: Self.floor, anchor: nil)
    var boot: Int64 = 0
    func confirmed(_ ahead: Int64, ours: Int64) -> Int64 {
      // Another boot each time: within one, the time that was learned goes first.
      boot += 1
      clock.confirm(Self.floor + ahead, at: Self.moment(wall: Self.floor + ours, id: boot))
      return clock.floorSeconds - Self.floor
    }
    #expect(confirmed(3600, ours: 4051) == 0)
    #expect(confirmed(3600, ours: 3149) == 0)
    #expect(clock.anchor == nil)
    #expect(confirmed(3600, ours: 4050) == 3600)
    #expect(confirmed(7650, ours: 7200) == 7650)
    #expect(confirmed(7300, ours: 7650) == 7650)
    #expect(confirmed(315_360_000, ours: 315_360_000) == 315_360_000)
  }

  @Test func `learns once an hour: each time is a page more to write`() throws {
    var clock = ServerClock(floorSeconds: Self.floor, anchor: nil)
    func confirm(after seconds: Int64) {
      clock.confirm(
        Self.floor + seconds, at: Self.moment(wall: Self.floor + seconds, boot: seconds * 1000))
    }
    confirm(after: 60)
    let first = clock
    #expect(clock.anchor?.seconds == Self.floor + 60)
    confirm(after: 3659)
    #expect(clock == first)
    confirm(after: 3660)
    #expect(clock.anchor?.seconds == Self.floor + 3660)
    #expect(clock.floorSeconds == Self.floor + 3660)
  }

  @Test func `a server alone raises no floor`() {
    var clock = ServerClock(floorSeconds: Self.floor, anchor: nil)
    for wall in [30, Self.floor, Self.floor + 700_000_000] {
      clock.correct(to: Self.floor + 1_000_000_000, at: Self.moment(wall: wall))
      clock.confirm(Self.floor + 1_000_000_001, at: Self.moment(wall: wall, boot: 11_000))
      clock.confirm(
        Self.floor + 1_000_004_000, at: Self.moment(wall: wall, boot: 4_010_000))
      #expect(clock.anchor?.seconds == Self.floor + 1_000_004_000)
      #expect(clock.floorSeconds == Self.floor)
      #expect(clock.certificateSeconds(at: Self.moment(wall: wall)) == Self.floor)
    }
  }

  @Test func `an answer anchors a boot whose clock is behind the floor`() throws {
    var clock = ServerClock(floorSeconds: Self.floor, anchor: nil)
    clock.confirm(Self.floor + 60, at: Self.moment(wall: 30))
    let anchor = try #require(clock.anchor)
    #expect(anchor == .init(seconds: Self.floor + 60, bootMilliseconds: 10_000, bootID: 1))
    // Not again in the same boot; again in the next one.
    clock.confirm(Self.floor + 61, at: Self.moment(wall: 31, boot: 10_900))
    #expect(clock.anchor == anchor)
    clock.confirm(Self.floor + 62, at: Self.moment(wall: 30, id: 2))
    #expect(clock.anchor?.bootID == 2)
  }

  // MARK: - Certificates

  @Test func `certificates must outlive the wall clock, or the floor if that can't be right`() {
    let clock = ServerClock(floorSeconds: Self.floor, anchor: nil)
    func seconds(wall: Int64) -> Int64 { clock.certificateSeconds(at: Self.moment(wall: wall)) }
    #expect(seconds(wall: 0) == Self.floor)
    #expect(seconds(wall: Self.floor - 1) == Self.floor)
    #expect(seconds(wall: Self.floor) == Self.floor)
    #expect(seconds(wall: Self.floor + 315_360_000) == Self.floor + 315_360_000)
    #expect(seconds(wall: 2_840_140_800) == Self.floor, "2060")
  }

  @Test func `what a server told loosens that in its boot, and never tightens it`() {
    var clock = ServerClock(floorSeconds: Self.floor, anchor: nil)
    func seconds(wall: Int64, id: Int64 = 1) -> Int64 {
      clock.certificateSeconds(at: Self.moment(wall: wall, boot: 15_999, id: id)) - Self.floor
    }
    clock.correct(to: Self.floor + 1000, at: Self.moment(wall: Self.floor + 1000))
    // The clock has jumped by ten years since.
    #expect(seconds(wall: Self.floor + 315_360_000) == 1005)
    #expect(seconds(wall: Self.floor + 315_360_000, id: 2) == 315_360_000)
    #expect(seconds(wall: Self.floor + 400) == 400)
    #expect(seconds(wall: 5) == 0)
    // A server whose own clock is wrong, in either direction.
    clock.correct(to: Self.floor - 5000, at: Self.moment(wall: Self.floor + 7))
    #expect(seconds(wall: Self.floor + 7) == 0)
    clock.correct(to: Self.floor + 90_000_000, at: Self.moment(wall: Self.floor + 7))
    #expect(seconds(wall: Self.floor + 7) == 7)
  }

  @Test(arguments: [Int64.min, -1, 0, floor - 1, floor + 20 * 31_556_952 + 1, Int64.max])
  func `begins with the release where the journal's floor can't be right`(stored: Int64) {
    #expect(ServerClock.floorSeconds(stored: stored) == Version.releaseEpochSeconds)
    #expect(ServerClock.floorSeconds(stored: Self.floor + 5) == Self.floor + 5)
  }

  /// A damaged row must not stop the agent for good.
  @Test(arguments: [Int64.min, -1, 0, Int64.max])
  func `survives any numbers from the journal`(number: Int64) {
    let now = Self.moment(wall: Self.floor)
    var clock = ServerClock(
      floorSeconds: number,
      anchor: .init(seconds: number, bootMilliseconds: number, bootID: 1))
    _ = IMFFixdate(epochSeconds: clock.seconds(at: now))
    clock.confirm(Self.floor, at: now)
    clock.correct(to: Self.floor, at: now)
    #expect(clock.seconds(at: now) == Self.floor)
    clock = ServerClock(floorSeconds: ServerClock.floorSeconds(stored: number), anchor: nil)
    clock.confirm(Self.floor, at: now)
    #expect(clock.seconds(at: now) == Self.floor)
    #expect(clock.certificateSeconds(at: now) == Self.floor)
  }
}
