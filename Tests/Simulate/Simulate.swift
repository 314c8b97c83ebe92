import Foundation
import TestSupport

/// Lives the agent's days from many seeds, or tells one. `scripts/simulate` builds it with
/// optimization and runs it.
@main
enum Simulate {
  static func main() {
    let environment = ProcessInfo.processInfo.environment
    if let seed = environment["HANDBACK_SEED"].flatMap({ UInt64($0) }) {
      let day = DaySimulation(seed: seed)
      let problems = day.run()
      print(day.account)
      exit(problems.isEmpty ? 0 : fail(seed, problems))
    }
    let count = environment["HANDBACK_SEED_COUNT"].flatMap { Int($0) } ?? 10_000
    let results = run(count)
    for result in results.filter({ !$0.problems.isEmpty }).prefix(5) {
      _ = fail(result.seed, result.problems)
    }
    func sum(_ number: (DayCounts) -> Int) -> Int { results.reduce(0) { $0 + number($1.counts) } }
    print(
      """
      \(count) days: \(sum(\.events)) events, \(sum(\.wakes)) wakes, \(sum(\.passes)) passes, \
      \(sum(\.requests)) requests
      """)
    let failed = results.count { !$0.problems.isEmpty }
    if failed > 0 { print("\(failed) days went wrong") }
    exit(failed > 0 ? 1 : 0)
  }

  private typealias Result = (seed: UInt64, problems: [String], counts: DayCounts)

  private static func run(_ count: Int) -> [Result] {
    let lock = NSLock()
    nonisolated(unsafe) var results: [Result] = []
    DispatchQueue.concurrentPerform(iterations: count) { index in
      let day = DaySimulation(seed: UInt64(index + 1))
      let problems = day.run()
      lock.withLock { results.append((UInt64(index + 1), problems, day.counts)) }
    }
    return results.sorted { $0.seed < $1.seed }
  }

  private static func fail(_ seed: UInt64, _ problems: [String]) -> Int32 {
    print("seed \(seed): \(problems.prefix(5))")
    print("  its story: HANDBACK_SEED=\(seed) scripts/simulate")
    return 1
  }
}
