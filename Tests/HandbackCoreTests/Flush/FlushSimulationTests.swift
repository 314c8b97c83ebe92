import TestSupport
import Testing

/// Thousands of lives of a device.
struct FlushSimulationTests {
  @Test func `everything settles and the server agrees, whatever happened before`() {
    Seeds.live(2000, inSuite: "FlushSimulationTests") { seed in
      var simulation = Simulation(seed: seed)
      let problems = simulation.run()
      return Seeds.Life(problems: problems) { [simulation] in simulation.account }
    }
  }

  @Test func `a seed tells one story`() {
    for seed in 1...20 as ClosedRange<UInt64> {
      var first = Simulation(seed: seed)
      var second = Simulation(seed: seed)
      #expect(first.run() == second.run())
      #expect(first.account == second.account)
    }
  }
}
