import Foundation

/// Who may depend on whom, and what shipped code doesn't do. Each finding says where, what, and
/// what to do instead.
public struct PackageRules {
  struct Rule {
    let targets: Set<String>
    let why: String
  }

  /// `handback` → `HandbackLinux` → `HandbackCore`; C modules where the system is touched.
  static let shipped: [String: Rule] = [
    "HandbackCore": Rule(
      targets: [], why: "decisions are tested without a file, a clock or a network"),
    "HandbackLinux": Rule(
      targets: ["HandbackCore", "CLibc", "CSQLite", "CUdev", "CCurl"],
      why: "adapters know the core and the system, and nothing of the program"),
    "handback": Rule(
      targets: ["HandbackCore", "HandbackLinux", "CLibc"],
      why: "the program reaches SQLite, udev and libcurl through HandbackLinux only"),
    "CLibc": Rule(targets: [], why: "a module map imports C headers only"),
    "CSQLite": Rule(targets: [], why: "a module map imports C headers only"),
    "CUdev": Rule(targets: [], why: "a module map imports C headers only"),
    "CCurl": Rule(targets: [], why: "a module map imports C headers only"),
  ]
  /// Tests of the core must not be able to touch the system.
  static let tests: [String: Rule] = [
    "TestSupport": Rule(targets: ["HandbackCore"], why: "doubles stand in for adapters"),
    "HandbackCoreTests": Rule(
      targets: ["HandbackCore", "TestSupport"], why: "the core is tested without the system"),
    "HandbackProgramTests": Rule(
      targets: ["TestSupport"], why: "the program is tested from outside, as a user runs it"),
  ]
  static let cModules: Set<String> = ["CLibc", "CSQLite", "CUdev", "CCurl"]
  static let lineCountMax = 400

  // MARK: - Targets

  /// The parts of `swift package describe --type json` that matter.
  public struct Description: Decodable {
    public struct Target: Decodable {
      public let name: String
      public let path: String
      public let targetDependencies: [String]?
      public let productDependencies: [String]?
    }
    public struct Dependency: Decodable {}

    public let targets: [Target]
    public let dependencies: [Dependency]

    public init(json: Data) throws {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      self = try decoder.decode(Self.self, from: json)
    }
  }

  public static func findings(_ package: Description) -> [String] {
    var findings: [String] = []
    if !package.dependencies.isEmpty {
      findings.append("Package.swift: depends on another package; nothing but Debian's is allowed")
    }
    for target in package.targets {
      let isShipped = target.path.hasPrefix("Sources/")
      for product in target.productDependencies ?? [] {
        findings.append("\(target.name) → \(product): no other package is allowed")
      }
      guard let rule = isShipped ? shipped[target.name] : tests[target.name] else {
        if isShipped {
          findings.append("\(target.name): a target that no rule knows; add its rule")
        }
        continue
      }
      for dependency in target.targetDependencies ?? [] where !rule.targets.contains(dependency) {
        findings.append("\(target.name) → \(dependency) is not allowed: \(rule.why)")
      }
    }
    for name in shipped.keys where !package.targets.contains(where: { $0.name == name }) {
      findings.append("\(name): a rule without a target; renamed?")
    }
    return findings.sorted()
  }

  // MARK: - Sources

  /// Findings in one file below `Sources`; `path` begins with the target's folder.
  public static func findings(path: String, source: String) -> [String] {
    let parts = path.split(separator: "/").map(String.init)
    let target = parts.first ?? ""
    var findings: [String] = []
    let lines = SourceText.code(source)
    for (index, line) in lines.enumerated() {
      func find(_ what: String) { findings.append("\(path):\(index + 1): \(what)") }
      if line.contains("import "),
        let found = line.firstMatch(
          of: /^\s*((?:@\w+\s+|\w+\s+)*)import\s+(?:struct |class |enum |func |var |let )?(\w+)/)
      {
        check(module: String(found.2), modifiers: String(found.1), target, parts, find)
      }
      for ban in bans where ban.isBroken(by: line) { find(ban.instead) }
    }
    let count = source.split(separator: "\n", omittingEmptySubsequences: false).count - 1
    if count > lineCountMax {
      findings.append("\(path): \(count) lines; split it at \(lineCountMax)")
    }
    return findings
  }

  /// Of the program: the entry, the command line, and what ends it where Swift only could crash.
  private static let filesThatTouchC = ["Entry.swift", "CommandLine", "OutOfMemory.swift"]

  private static func check(
    module: String, modifiers: String, _ target: String, _ parts: [String],
    _ find: (String) -> Void
  ) {
    guard let rule = shipped[target], rule.targets.contains(module) else {
      return find("import of \(module) in \(target): \(shipped[target]?.why ?? "no such target")")
    }
    guard cModules.contains(module) else { return }
    if !modifiers.hasPrefix("internal ") {
      find("import of \(module) must be 'internal import': C stays out of Swift API")
    }
    if target == "handback", parts.count > 1, !filesThatTouchC.contains(parts[1]) {
      find("import of \(module): only the program's entry and command line touch C")
    }
  }

  struct Ban: Sendable {
    let instead: String
    /// Stands in every line that the pattern matches; patterns are slow.
    let hints: [String]
    let pattern: String

    func isBroken(by line: String) -> Bool {
      guard hints.contains(where: { line.contains($0) }) else { return false }
      guard let regex = try? Regex(pattern) else {
        preconditionFailure("a ban that is no pattern")
      }
      return line.contains(regex)
    }
  }

  /// What 6.3.1's Embedded Swift refuses or can't link, some of it only when the program is built.
  static let bans = [
    Ban(
      instead: "'any' is refused by Embedded Swift; write a generic or an enum", hints: ["any"],
      pattern: #"\bany\s+[A-Z(~]"#),
    Ban(
      instead: "'Any' is refused by Embedded Swift; write an enum", hints: ["Any"],
      pattern: #"\bAny\b"#),
    Ban(
      instead: "untyped 'throws'; write throws(E)", hints: ["throws"],
      pattern: #"\b(re)?throws\b(?!\()"#),
    Ban(
      instead: "Codable is not in Embedded Swift; write it by hand over Span",
      hints: ["codable", "Codable"], pattern: #"\b(Codable|Encodable|Decodable)\b"#),
    Ban(instead: "Mirror is not in Embedded Swift", hints: ["Mirror"], pattern: #"\bMirror\b"#),
  ]
}
