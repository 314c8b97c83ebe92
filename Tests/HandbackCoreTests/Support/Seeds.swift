import Foundation
import Testing

/// Lives from many seeds. The environment variable `HANDBACK_SEED` tells one of them and prints its
/// story; `HANDBACK_SEED_COUNT` says how many are lived else.
enum Seeds {
  struct Life {
    let problems: [String]
    /// Told only of the one that is asked for.
    let account: () -> String
  }

  static func live(_ usualCount: UInt64, inSuite suite: String, _ life: (UInt64) -> Life) {
    let environment = ProcessInfo.processInfo.environment
    if let seed = environment["HANDBACK_SEED"].flatMap({ UInt64($0) }) {
      let life = life(seed)
      print("seed \(seed): \(life.account())")
      #expect(life.problems == [])
      return
    }
    let count = environment["HANDBACK_SEED_COUNT"].flatMap { UInt64($0) } ?? usualCount
    var failed: [UInt64] = []
    for seed in 1...max(count, 1) {
      let problems = life(seed).problems
      guard problems != [] else { continue }
      failed.append(seed)
      Issue.record(
        """
        seed \(seed): \(problems.prefix(5))
        again, with its story: HANDBACK_SEED=\(seed) swift test --filter \(suite)
        """)
      if failed.count == 5 { break }
    }
    #expect(failed == [])
  }
}
