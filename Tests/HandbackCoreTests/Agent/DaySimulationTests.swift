import TestSupport
import Testing

/// The agent's days, from many seeds. `scripts/simulate` lives ten thousand.
struct DaySimulationTests {
  @Test func `whatever a day brings, nothing is lost, early or without end`() {
    Seeds.live(300, inSuite: "DaySimulationTests") { seed in
      let day = DaySimulation(seed: seed)
      return Seeds.Life(problems: day.run()) { day.account }
    }
  }

  @Test func `a seed tells one story`() {
    for seed in 1...10 as ClosedRange<UInt64> {
      let first = DaySimulation(seed: seed)
      let second = DaySimulation(seed: seed)
      #expect(first.run() == second.run())
      #expect(first.account == second.account)
    }
  }

  /// Days in which nothing happens would prove nothing.
  @Test func `days are full`() {
    var passes = 0
    var stories = ""
    for seed in 1...40 as ClosedRange<UInt64> {
      let day = DaySimulation(seed: seed)
      _ = day.run()
      passes += day.counts.passes
      stories += day.account
    }
    #expect(passes > 500)
    for word in [
      "flap(1000)", "power was cut", "suspend", "blocked", "command:", "breakDisk", "setWall",
      "stopped while it sent", "of the journal failed", "retryAfter", "clock ", "held ", "network ",
      "all is well", "--until-empty", "the agent ended: empty", "none 0",
    ] {
      #expect(stories.contains(word), "no \(word) in forty days")
    }
  }
}
