import Foundation
import TestSupport

enum Report {
  private static let nameWidth = 38

  static func printTable(_ results: [(name: String, result: FleetResult)]) {
    let head = ["peak/s", "of capacity", "s over it", "requests each", "half s", "99% s", "last s"]
    printLine("", head)
    for (name, result) in results {
      printLine(
        name,
        [
          "\(result.peak)",
          String(format: "%.1f", Double(result.peak) / Double(result.capacity)),
          "\(result.secondsOverCapacity)",
          String(format: "%.1f", result.requestsPerDevice),
          text(result.second(percent: 50)), text(result.second(percent: 99)),
          text(result.second(percent: 100)),
        ])
    }
  }

  private static func printLine(_ name: String, _ cells: [String]) {
    let widths = [9, 12, 10, 14, 8, 8, 8]
    var line = name.padding(toLength: max(nameWidth, name.count), withPad: " ", startingAt: 0)
    for (cell, width) in zip(cells, widths) {
      line += String(repeating: " ", count: max(width - cell.count, 1)) + cell
    }
    print(line)
  }

  private static func text(_ second: Int?) -> String { second.map { "\($0)" } ?? "> 2 days" }

  /// The load after the return: each column's busiest second, in eighths of the capacity.
  static func printPlot(
    _ results: [(name: String, result: FleetResult)], secondsPerColumn: Int
  ) {
    let columns = 60
    let eighths = Array(" ▁▂▃▄▅▆▇█")
    print("load, \(columns) columns of \(secondsPerColumn) s (█ capacity, ▲ more than that)")
    for (name, result) in results {
      var line = name.padding(toLength: max(nameWidth, name.count), withPad: " ", startingAt: 0)
      line += " "
      for column in 0..<columns {
        let start = min(column * secondsPerColumn, result.load.count)
        let busiest = Int(result.load[start...].prefix(secondsPerColumn).max() ?? 0)
        let height = (busiest * 8 + result.capacity - 1) / result.capacity
        line.append(height > 8 ? "▲" : eighths[height])
      }
      print(line)
    }
  }
}
