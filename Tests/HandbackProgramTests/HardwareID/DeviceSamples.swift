import Foundation
import TestSupport

/// A folder of device samples with pairs, and the trees that are unpacked of them once.
final class DeviceSamples: Sendable {
  struct Pair: CustomStringConvertible {
    let first: String
    let second: String
    let relation: String
    let why: String
    var description: String { "\(first) → \(second): \(relation) (\(why))" }
  }

  /// Invented devices, for everyone.
  static let own = DeviceSamples(folder: Repository.file("Tests/Vectors/hardware-id/devices"))

  /// Real devices' values, under other licences: beside the repository, never in it.
  static let shared = DeviceSamples(
    folder: Repository.folder.deletingLastPathComponent().appending(path: "shared/hwid"))

  /// The real ones where they are at hand; CI must have them.
  static let all: [DeviceSamples] = shared.names.isEmpty ? [own] : [own, shared]

  static let isCI = ProcessInfo.processInfo.environment["CI"] != nil

  let folder: URL
  let names: [String]
  let pairs: [Pair]
  /// Whoever the tests run as, another user must be able to look at what is not private.
  private let trees = TemporaryFolder(mode: 0o711)

  private init(folder: URL) {
    self.folder = folder
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    names = entries.sorted().filter {
      FileManager.default.fileExists(atPath: folder.appending(path: "\($0)/SOURCE").path)
    }
    pairs = Self.table(folder.appending(path: "PAIRS.tsv")).compactMap { fields in
      fields.count == 4
        ? Pair(first: fields[0], second: fields[1], relation: fields[2], why: fields[3]) : nil
    }
    Command.run(
      Repository.file("scripts/hardware-id-tree").path,
      ["--all", folder.path, trees.url.path])
  }

  func tree(_ name: String) -> String { trees.path(name) }

  func has(_ file: String, _ name: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.appending(path: "\(name)/\(file)").path)
  }

  /// What a look at a sample says; at one with private files, a look by who may not read them.
  func look(_ name: String) -> Identification {
    Identification(
      arguments: ["id", "--root", tree(name), "--json", "--explain"],
      isUser: has("UNREADABLE", name))
  }

  /// What a journal that was provisioned on the first one's hardware says on the second one's.
  func check(_ pair: Pair) -> Identification {
    let folder = TemporaryFolder(mode: 0o777)
    let isUser = has("UNREADABLE", pair.first) || has("UNREADABLE", pair.second)
    let journal = ["--journal", folder.path("state/journal.db")]
    let pinned = Identification(
      arguments: ["id", "--root", tree(pair.first), "--pin", "--json"] + journal, isUser: isUser)
    guard pinned.status == 0 else { return pinned }
    return Identification(
      arguments: ["id", "--root", tree(pair.second), "--check", "--json"] + journal, isUser: isUser)
  }

  static func table(_ file: URL) -> [[String]] {
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").dropFirst().map {
      $0.split(separator: "\t").map(String.init)
    }
  }
}

/// What `handback id --json` said.
struct Identification: CustomStringConvertible {
  let status: Int32
  let output: String
  private let object: [String: Any]

  /// - isUser: whether another user than root asks.
  init(arguments: [String], isUser: Bool = false) {
    let user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    self.init(
      command: (isUser && getuid() == 0 ? user : []) + [Program.path] + arguments)
  }

  /// - command: the program and what it is run under.
  init(command: [String]) {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let result = Command.run(
      "env", ["-i", "PATH=\(path)", "sh", "-c", "exec \"$@\" </dev/null 2>&1", "sh"] + command)
    status = result.status
    output = result.output
    let line = output.split(separator: "\n").first { $0.hasPrefix("{") } ?? ""
    object =
      (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any] ?? [:]
  }

  var description: String { "status \(status): \(output)" }

  subscript(_ member: String) -> String? { object[member] as? String }

  var id: String? { self["id"] }

  /// The class, or why there is no ID. A look makes no virtual machine's, which has a random part.
  var outcome: String? {
    let reason = self["reason"]
    return reason == "needs-enrolment" ? "v" : reason ?? self["class"]
  }

  /// Each source with what it was taken for.
  var sources: [String] {
    (object["sources"] as? [[String: String]] ?? []).map { source in
      ["source", "label", "state", "role", "mark"].map { source[$0] ?? "?" }
        .joined(separator: " ")
    }
  }
}
