import Foundation
import TestSupport
import Testing

/// `handback id` as it ships, on samples of real devices: their trees, and their libudev.
@Suite(.serialized) struct HardwareIDTests {
  /// The real devices beside the project where they are, else the invented ones.
  static let samples: URL = {
    let shared = Repository.folder.deletingLastPathComponent().appendingPathComponent("shared/hwid")
    let isThere = FileManager.default.fileExists(atPath: shared.path)
    return isThere ? shared : Repository.file("Tests/Vectors/hardware-id/devices")
  }()

  static let names: [String] = {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: samples.path)) ?? []
    return all.sorted().filter {
      var isFolder: ObjCBool = false
      let path = samples.appendingPathComponent($0).path
      return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        && isFolder.boolValue
    }
  }()

  /// libudev is mocked by a preloaded library, which QEMU's guest does not load.
  static let canMock =
    EconomyTests.isNative && Command.run("unshare", ["--mount", "true"]).status == 0

  private func tree(_ name: String, _ folder: TemporaryFolder) -> String {
    let path = folder.path(name)
    Command.run(
      Repository.file("scripts/hardware-id-tree").path,
      [Self.samples.appendingPathComponent(name).path, path])
    return path
  }

  /// Serial numbers, addresses and UUIDs as they stand in a tree: nothing may print them.
  private func rawValues(_ tree: String) -> [String] {
    var values: [String] = []
    let names: Set = [
      "product_serial", "product_uuid", "board_serial", "chassis_serial", "serial-number",
      "serial_number", "address", "cid", "wwid", "machine-id",
    ]
    let files = FileManager.default.enumerator(atPath: tree)
    while let path = files?.nextObject() as? String {
      guard names.contains((path as NSString).lastPathComponent),
        let bytes = FileManager.default.contents(atPath: tree + "/" + path)
      else { continue }
      let text = String(decoding: bytes, as: UTF8.self)
        .trimmingCharacters(in: .whitespacesAndNewlines.union(["\u{0}"]))
      if text.utf8.count >= 8 { values.append(text) }
    }
    return values
  }

  @Test func `names every sample or refuses, and shows no raw value`() {
    #expect(Self.names.count >= 10)
    let folder = TemporaryFolder()
    var program = Program(in: folder.url)
    program.environment = ["HANDBACK_JOURNAL": folder.path("journal.db")]
    var ids: [String] = []
    for name in Self.names {
      let tree = tree(name, folder)
      let result = program.run("id", "--root", tree, "--json", "--explain")
      let object =
        (try? JSONSerialization.jsonObject(with: Data(result.output.utf8))) as? [String: Any] ?? [:]
      let id = object["id"] as? String
      #expect(result.status == (id == nil ? 69 : 0), "\(name): \(result)")
      let state = object["state"] as? String ?? ""
      #expect(id == nil ? ["refused", "not-ready"].contains(state) : state == "new", "\(name)")
      if let id { ids.append(id) }
      let shown = (result.output + result.errors).lowercased()
      for value in rawValues(tree) {
        #expect(!shown.contains(value.lowercased()), "\(name) shows a raw value")
      }
    }
    #expect(!ids.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: folder.path("journal.db")), "nothing is pinned")
  }

  /// Runs the program where `/sys` and libudev are a sample's.
  private func onDevice(
    _ name: String, _ folder: TemporaryFolder, _ arguments: [String]
  ) -> (status: Int32, output: String) {
    let sample = Self.samples.appendingPathComponent(name + "/device.umockdev").path
    return Command.run(
      "env",
      [
        "-i", "PATH=\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")",
        "HANDBACK_JOURNAL=\(folder.path("state/journal.db"))",
        Repository.file("scripts/hardware-id-bare").path, tree(name, folder), "umockdev-run",
        "--device", sample, "--", Program.path,
      ] + arguments)
  }

  @Test(.enabled(if: canMock && names.contains("sim-base")))
  func `a copied journal does not give back its sibling's license`() {
    let folder = TemporaryFolder()
    folder.write("license-key", "AAAA-BBBB-CCCC-DDDD\n")
    let deactivate = [
      "deactivate", "--queue-only", "--product", "XY", "--license-key-file",
      folder.path("license-key"),
    ]
    let pinned = onDevice("sim-base", folder, ["id", "--pin"])
    #expect(pinned.status == 0)
    #expect(pinned.output.hasPrefix("hb1-psn-"))
    #expect(onDevice("sim-base", folder, ["id", "--check"]).output == "same\n")
    #expect(onDevice("sim-disk-swapped", folder, ["id"]).output == pinned.output)
    #expect(
      onDevice("sim-disk-swapped", folder, ["id", "--check"]).output
        .hasPrefix("same-with-changes\n"))

    let copied = onDevice("sim-sibling", folder, deactivate)
    #expect(copied.status == 76)
    #expect(copied.output == "")
    let shown = onDevice("sim-sibling", folder, ["id", "--json"])
    #expect(shown.status == 76)
    #expect(shown.output.contains("\"state\":\"different\""))
    let insisted = onDevice("sim-sibling", folder, deactivate + ["--accept-changed-hardware"])
    #expect(insisted.status == 0)
    #expect(onDevice("sim-base", folder, deactivate).status == 0)

    let again = onDevice("sim-sibling", folder, ["id", "--repin", "the board was replaced"])
    #expect(again.status == 0)
    #expect(again.output != pinned.output)
    let history = Command.run(
      "sqlite3", [folder.path("state/journal.db"), "SELECT reason FROM identity ORDER BY number"])
    #expect(history.output == "provisioned\nthe board was replaced\n")
    let journal =
      (folder.read("state/journal.db") ?? Data()) + (folder.read("state/journal.db-wal") ?? Data())
    for value in rawValues(folder.path("sim-base")) {
      #expect(journal.range(of: Data(value.utf8)) == nil, "the journal holds a raw value")
    }
  }

  @Test(arguments: [
    ("licensespring", "3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9"),
    ("machine-id", "0123456789abcdef0123456789abcdef"),
  ])
  func `makes the official clients' IDs`(_ scheme: String, _ id: String) {
    let folder = TemporaryFolder()
    try? FileManager.default.createDirectory(
      atPath: folder.path("root/etc"), withIntermediateDirectories: true)
    folder.write("root/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    let result = Program(in: folder.url).run(
      "id", "--root", folder.path("root"), "--scheme", scheme)
    #expect(result.output == id + "\n", "\(result)")
  }

  @Test func `pins a value that was given, and changes it only with a reason`() {
    let folder = TemporaryFolder()
    var program = Program(in: folder.url)
    program.environment = ["HANDBACK_JOURNAL": folder.path("journal.db")]
    #expect(program.run("id", "--scheme", "value:my-id").output == "my-id\n")
    #expect(program.run("id").output == "my-id\n")
    let refused = program.run("id", "--scheme", "value:other")
    #expect(refused.status == 64 || refused.status == 78)
    #expect(refused.output == "")
    #expect(program.run("id", "--repin", "").status == 64)
    let changed = program.run("id", "--scheme", "value:other", "--repin", "moved to another tool")
    #expect(changed.output == "other\n")
    #expect(program.run("id").output == "other\n")
  }
}
