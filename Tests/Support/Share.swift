import Foundation

/// A board's share of a long list of cases: with `HANDBACK_TESTS_SHARE=2/6` the second of each six, so
/// that six boards together try all of them. Without it, all.
public enum Share {
  private static let parts: [Int] = {
    let text = ProcessInfo.processInfo.environment["HANDBACK_TESTS_SHARE"] ?? ""
    guard !text.isEmpty else { return [1, 1] }
    let parts = text.split(separator: "/").compactMap { Int($0) }
    precondition(parts.count == 2 && (1...parts[1]).contains(parts[0]), "HANDBACK_TESTS_SHARE")
    return parts
  }()

  public static func of<Cases: Sequence>(_ cases: Cases) -> [Cases.Element] {
    cases.enumerated().filter { $0.offset % parts[1] == parts[0] - 1 }.map(\.element)
  }
}
