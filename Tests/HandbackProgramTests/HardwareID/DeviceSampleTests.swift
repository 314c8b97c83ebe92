import Foundation
import TestSupport
import Testing

/// The shipped program on samples of devices: invented ones, and real ones where they are at hand.
/// Below a folder, and through the real libudev on a mocked `/sys`.
@Suite(.serialized) struct DeviceSampleTests {
  @Test func `has the samples`() {
    #expect(DeviceSamples.own.names.count >= 12)
    if DeviceSamples.isCI { #expect(DeviceSamples.shared.names.count >= 50) }
  }

  @Test func `gives each invented device the class it should have`() {
    let samples = DeviceSamples.own
    let expected = DeviceSamples.table(samples.folder.appending(path: "EXPECT.tsv"))
    #expect(expected.count == samples.names.count)
    for fields in expected {
      // As root, or the owner of its files.
      let look = Identification(
        arguments: ["id", "--root", samples.tree(fields[0]), "--json"])
      let isHidden = samples.has("UNREADABLE", fields[0]) && getuid() != 0
      #expect(look.outcome == (isHidden ? "unreadable" : fields[1]), "\(fields[0]): \(look)")
    }
  }

  /// A prototype's opinion of the real devices. Where this differs, it is on purpose.
  @Test func `anchors each real device where it should`() throws {
    let differences = [
      // The three addresses end in `be:ef:00` to `be:ef:02`: NXP's boot environment has them typed
      // in, and so has every such board.
      "nxp-s32g": "no-good-source",
      // The prototype was told that 0400 files can't be read; as root they can, see the pairs.
      "sim-nonroot": "unreadable",
    ]
    let classes = [
      "soc": "soc", "product_serial": "psn", "board_serial": "bsn", "uuid": "uuid", "mac": "mac",
      "v:uuid": "v", "emmc": "mmc",
    ]
    for name in Share.of(DeviceSamples.shared.names) {
      let file = DeviceSamples.shared.folder.appending(path: "\(name)/EXPECT.json")
      let json = try #require(
        JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
      let anchor = (json["anchor"] as? String).flatMap { classes[$0] }
      let refusal = json["platform"] as? String == "container" ? "container" : "no-good-source"
      let look = DeviceSamples.shared.look(name)
      #expect(look.outcome == differences[name] ?? anchor ?? refusal, "\(name): \(look)")
    }
  }

  @Test(arguments: DeviceSamples.all.indices)
  func `has every pair in the relation it should have`(index: Int) {
    let samples = DeviceSamples.all[index]
    #expect(!samples.pairs.isEmpty)
    for pair in Share.of(samples.pairs) {
      if pair.relation.hasPrefix("pin-") {
        #expect(verdict(samples, pair) == pair.relation, "\(pair)")
        continue
      }
      let first = samples.look(pair.first).id
      let second = samples.look(pair.second).id
      let isSame = first != nil && first == second
      switch pair.relation {
      case "same": #expect(isSame, "\(pair)")
      case "different": #expect(second != nil && first != nil && !isSame, "\(pair)")
      case "refuse": #expect(second == nil, "\(pair)")
      case "same-or-refuse": #expect(isSame || second == nil, "\(pair)")
      default: Issue.record("unknown relation: \(pair)")
      }
    }
  }

  private func verdict(_ samples: DeviceSamples, _ pair: DeviceSamples.Pair) -> String {
    let check = samples.check(pair)
    switch (check["verdict"], check.status) {
    case ("same", 0), ("same-with-changes", 0): return "pin-keep"
    case ("different", 76): return "pin-reject"
    case ("unreadable", 77), ("not-ready", 69): return "pin-retry"
    default: return check.description
    }
  }

  @Test(arguments: DeviceSamples.all.indices)
  func `names each device or refuses, says so in its status, and shows no value`(index: Int) {
    let samples = DeviceSamples.all[index]
    var count = 0
    let names = Share.of(samples.names)
    for name in names {
      let look = samples.look(name)
      #expect(look.status == (look.id == nil ? 69 : 0), "\(name): \(look)")
      let states = look.id == nil ? ["refused", "not-ready"] : ["new"]
      #expect(states.contains(look["state"] ?? ""), "\(name): \(look)")
      #expect(["metal", "vm", "container"].contains(look["platform"] ?? ""), "\(name): \(look)")
      #expect(look["pinned_at"] == nil, "\(name)")
      for value in Self.values(below: samples.tree(name)) {
        count += 1
        #expect(!look.output.lowercased().contains(value), "\(name)")
      }
    }
    #expect(count > names.count)
  }

  /// Contents of the files that identify, as they are and without punctuation.
  static func values(below tree: String) -> [String] {
    let files = [
      "product_serial", "board_serial", "chassis_serial", "product_uuid", "serial-number", "cid",
      "address", "serial_number", "wwid", "machine-id",
    ]
    var values: [String] = []
    let paths = FileManager.default.enumerator(atPath: tree)
    while let path = paths?.nextObject() as? String {
      guard files.contains((path as NSString).lastPathComponent),
        let data = FileManager.default.contents(atPath: tree + "/" + path)
      else { continue }
      let text = String(decoding: data.filter { $0 >= 0x20 && $0 < 0x7F }, as: UTF8.self)
        .trimmingCharacters(in: .whitespaces).lowercased()
      // Words of filler are in the output's own words too.
      if text.utf8.count >= 6, text.contains(where: \.isNumber) {
        values.append(text)
        values.append(text.filter { $0.isLetter || $0.isNumber })
      }
    }
    return values
  }

  // MARK: - Through libudev

  /// libudev is mocked by a preloaded library, which QEMU's guest does not load.
  static let canMock =
    Program.isNative && Command.run("unshare", ["--mount", "true"]).status == 0
    && Command.run("sh", ["-c", "command -v umockdev-run >/dev/null"]).status == 0

  @Test func `can mock libudev in CI`() {
    if DeviceSamples.isCI, Program.isNative {
      #expect(Self.canMock, "umockdev and the right to unshare mounts")
    }
  }

  /// The program where `/sys` and libudev are a sample's.
  static func mocked(
    _ samples: DeviceSamples, _ name: String, under folder: TemporaryFolder, _ arguments: [String]
  ) -> Identification {
    let command =
      [
        Repository.file("scripts/hardware-id-bare").path, samples.tree(name), "umockdev-run",
        "--device", samples.folder.appending(path: "\(name)/device.umockdev").path, "--",
        Program.path,
      ] + arguments + ["--journal", folder.path("state/journal.db")]
    let result = Identification(command: command)
    // Rarely, umockdev-run's own threads meet in getenv(3) at its start (SIGSEGV).
    return result.status == 11 && result.output.isEmpty
      ? Identification(command: command) : result
  }

  @Test(.enabled(if: canMock), arguments: DeviceSamples.all.indices)
  func `reads through libudev what a tree of the same device says`(index: Int) {
    let samples = DeviceSamples.all[index]
    for name in samples.names where samples.has("device.umockdev", name) {
      let folder = TemporaryFolder()
      let mocked = Self.mocked(samples, name, under: folder, ["id", "--json", "--explain"])
      // Under umockdev all files can be read.
      let look = Identification(
        arguments: ["id", "--root", samples.tree(name), "--json", "--explain"])
      #expect(mocked["platform"] == look["platform"], "\(name)")
      #expect(mocked["class"] ?? mocked["reason"] == look.outcome, "\(name): \(mocked)")
      if look.outcome != "v" { #expect(mocked.id == look.id, "\(name)") }
      // The mock has no device tree.
      let sources = look.sources.filter { !$0.hasPrefix("device-tree-serial") }
      #expect(mocked.sources.filter { !$0.hasPrefix("device-tree-serial") } == sources, "\(name)")
    }
  }
}
