import Foundation
import Synchronization
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
  static let own = DeviceSamples(
    folder: Repository.folder.appending(path: "Tests/Vectors/hardware-id/devices"))

  /// Real devices' values, under other licences: beside the repository, never in it.
  static let shared = DeviceSamples(
    folder: Repository.folder.deletingLastPathComponent().appending(path: "shared/hwid"))

  let folder: URL
  let names: [String]
  let pairs: [Pair]
  private let trees: URL
  private let probes = Mutex<[String: Tool]>([:])

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
    // Of one name for each checkout and user: remade by each run, so none is left over.
    let place = "\(Repository.folder.path)/\(folder.lastPathComponent)"
      .replacingOccurrences(of: "/", with: "-")
    trees = FileManager.default.temporaryDirectory
      .appending(path: "hardware-id-trees-\(getuid())\(place)")
    for name in names {
      _ = try? Tool([
        Repository.folder.appending(path: "scripts/hardware-id-tree").path,
        folder.appending(path: name).path, trees.appending(path: name).path,
      ])
    }
    // Whoever the tests run as, another user must be able to look at what is not private.
    _ = try? Tool(["chmod", "-R", "go+X", trees.path])
  }

  func tree(_ name: String) -> String { trees.appending(path: name).path }

  /// What the probe says of a sample's tree, as the tests' own user; asked once, since the hashes
  /// are slow in a debug build.
  func probe(_ name: String) throws -> Tool {
    try probes.withLock { known in
      if let command = known[name] { return command }
      let command = try Tool([Surroundings.program("HardwareIDProbe"), tree(name)])
      known[name] = command
      return command
    }
  }

  func has(_ file: String, _ name: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.appending(path: "\(name)/\(file)").path)
  }

  static func table(_ file: URL) -> [[String]] {
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").dropFirst().map {
      $0.split(separator: "\t").map(String.init)
    }
  }
}
