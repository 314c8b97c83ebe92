import Foundation
import HandbackCore
import TestSupport

/// Prints how a fleet of a million devices comes back to its license server, by the way in which
/// its clients wait. `scripts/fleet` builds it with optimization and runs it.
@main
enum Fleet {
  static func main() {
    let options = Options(CommandLine.arguments.dropFirst())
    let rows = options.isChoosing ? Row.choices : Row.clients
    print(
      """
      \(options.deviceCount) devices, one license each; the server answers \(options.capacity) \
      requests per second
      and refuses the rest (503); seed \(options.seed). At best all are back after \
      \((options.deviceCount + options.capacity - 1) / options.capacity) s.
      """)
    for scene in Scene.allCases {
      let results = run(rows.filter { $0.scenes.contains(scene) }, scene, options)
      print("\n\(scene.title)\n")
      Report.printTable(results)
      if !options.isChoosing {
        print()
        Report.printPlot(results, secondsPerColumn: scene.secondsPerPlotColumn)
      }
    }
  }

  /// Each on its own, so on all processors; the results don't depend on the order.
  private static func run(
    _ rows: [Row], _ scene: Scene, _ options: Options
  ) -> [(name: String, result: FleetResult)] {
    let lock = NSLock()
    nonisolated(unsafe) var results = [FleetResult?](repeating: nil, count: rows.count)
    DispatchQueue.concurrentPerform(iterations: rows.count) { index in
      let result = rows[index].run(scene, options)
      lock.withLock { results[index] = result }
    }
    return zip(rows, results).map { ($0.name, $1!) }
  }
}

/// What happens to all devices at once.
enum Scene: CaseIterable {
  case outage, crowd

  var title: String {
    switch self {
    case .outage:
      "The server is back after 8 hours without an answer; all tried first when it went down"
    case .crowd:
      "The server is well; the network (or the power) of all devices returns in one second"
    }
  }

  var isBackAfterSeconds: Int { self == .outage ? 8 * 3600 : 0 }
  var secondsPerPlotColumn: Int { self == .outage ? 60 : 20 }
}

struct Options {
  var deviceCount = 1_000_000
  var capacity = 2000
  var seed: UInt64 = 1
  /// The table that the defaults were chosen from.
  var isChoosing = false

  init(_ arguments: some Sequence<String>) {
    var rest = Array(arguments)[...]
    while let name = rest.popFirst() {
      if name == "--choose" {
        isChoosing = true
        continue
      }
      guard let value = rest.popFirst().flatMap({ Int($0) }), value > 0 else { Self.fail() }
      switch name {
      case "--devices": deviceCount = value
      case "--capacity": capacity = value
      case "--seed": seed = UInt64(value)
      default: Self.fail()
      }
    }
  }

  private static func fail() -> Never {
    let usage = "usage: scripts/fleet [--devices N] [--capacity N] [--seed N] [--choose]\n"
    FileHandle.standardError.write(Data(usage.utf8))
    exit(64)
  }
}
