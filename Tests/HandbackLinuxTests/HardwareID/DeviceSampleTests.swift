import Foundation
import HandbackCore
import HandbackLinux
import Testing

/// Devices as trees: invented ones, and real ones where they are at hand.
@Suite(.serialized) struct DeviceSampleTests {
  /// The real samples are beside the repository; CI must have them.
  static let samples: [DeviceSamples] =
    DeviceSamples.shared.names.isEmpty ? [.own] : [.own, .shared]

  @Test func `has the samples`() {
    #expect(DeviceSamples.own.names.count >= 12)
    if Surroundings.isCI { #expect(DeviceSamples.shared.names.count >= 50) }
  }

  private struct Outcome: Equatable {
    var id: String?
    var words: String
  }

  /// What a user who may read everything sees, or one who may not.
  private func outcome(_ samples: DeviceSamples, _ name: String) throws -> Outcome {
    let probe =
      samples.has("UNREADABLE", name)
      ? try Self.asUser([Surroundings.program("HardwareIDProbe"), samples.tree(name)])
      : try samples.probe(name)
    return Outcome(id: probe.line("id"), words: probe.line("refused") ?? probe.line("class") ?? "")
  }

  private static func record(_ evidence: HardwareEvidence) throws(IdentityDerivation.Refusal)
    -> IdentityRecord
  {
    try IdentityDerivation.identify(
      evidence, by: .hb1, random: InlineArray(repeating: 7), epochSeconds: 0,
      reason: Text("test"))
  }

  private static func asUser(_ arguments: [String]) throws -> Tool {
    let isRoot = getuid() == 0
    let user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    return try Tool(isRoot ? user + arguments : arguments)
  }

  @Test func `gives each invented device the class it should have`() throws {
    let expected = DeviceSamples.table(DeviceSamples.own.folder.appending(path: "EXPECT.tsv"))
    #expect(expected.count == DeviceSamples.own.names.count)
    for fields in expected {
      let probe = try DeviceSamples.own.probe(fields[0])
      #expect(probe.line("refused") ?? probe.line("class") == fields[1], "\(fields[0])")
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
    for name in DeviceSamples.shared.names {
      let file = DeviceSamples.shared.folder.appending(path: "\(name)/EXPECT.json")
      let json = try #require(
        JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
      let anchor = (json["anchor"] as? String).flatMap { classes[$0] }
      let refusal = json["platform"] as? String == "container" ? "container" : "no-good-source"
      let words = try outcome(DeviceSamples.shared, name).words
      #expect(words == differences[name] ?? anchor ?? refusal, "\(name)")
    }
  }

  @Test(arguments: samples.indices)
  func `has every pair in the relation it should have`(index: Int) throws {
    let samples = Self.samples[index]
    #expect(!samples.pairs.isEmpty)
    for pair in samples.pairs {
      if pair.relation.hasPrefix("pin-") {
        #expect(try verdict(samples, pair) == pair.relation, "\(pair)")
        continue
      }
      let first = try outcome(samples, pair.first)
      let second = try outcome(samples, pair.second)
      let isRefused = second.id == nil
      let isSame = first.id != nil && first.id == second.id
      switch pair.relation {
      case "same": #expect(isSame, "\(pair)")
      case "different": #expect(!isRefused && first.id != nil && !isSame, "\(pair)")
      case "refuse": #expect(isRefused, "\(pair)")
      case "same-or-refuse": #expect(isSame || isRefused, "\(pair)")
      case "different-or-refuse": #expect(!isSame, "\(pair)")
      default: Issue.record("unknown relation: \(pair)")
      }
    }
  }

  /// What a device with the first one's record does on the second one's hardware.
  private func verdict(_ samples: DeviceSamples, _ pair: DeviceSamples.Pair) throws -> String {
    let arguments = [
      Surroundings.program("HardwareIDProbe"), samples.tree(pair.first), samples.tree(pair.second),
    ]
    // Only the second survey is a user's: as root both are read, as a user the first is given up.
    if samples.has("UNREADABLE", pair.second) {
      let evidence = try HardwareSurvey.take(
        root: Text(samples.tree(pair.first)), settleDeadlineMilliseconds: 0)
      let record = try Self.record(evidence)
      let hidden = try Self.asUser([
        Surroundings.program("HardwareIDProbe"), samples.tree(pair.second),
      ])
      let anchor = record.components.anchor?.source.name.description ?? ""
      let isHidden = hidden.output.contains("source \(anchor) '' unreadable")
      return isHidden && hidden.line("id") == nil ? "pin-retry" : "pin-keep"
    }
    switch try Tool(arguments).line("verdict") {
    case "same", "same-with-changes": return "pin-keep"
    case "different": return "pin-reject"
    case "unreadable", "not-ready": return "pin-retry"
    case let other: return other ?? "no verdict"
    }
  }

  /// No raw value in anything that is printed, for every device.
  @Test func `prints no value that was read`() throws {
    for samples in Self.samples {
      for name in samples.names {
        let output = try samples.probe(name).output
        for value in Self.values(below: samples.tree(name)) {
          #expect(!output.lowercased().contains(value), "\(name)")
        }
      }
    }
  }

  /// Contents of the files that identify, as they are and without punctuation.
  private static func values(below tree: String) -> [String] {
    let files = [
      "product_serial", "board_serial", "chassis_serial", "product_uuid", "serial-number", "cid",
      "address", "serial_number", "wwid", "machine-id",
    ]
    let found = (try? Tool(["find", tree, "-type", "f"]).output) ?? ""
    var values: [String] = []
    for path in found.split(separator: "\n") {
      let path = String(path)
      guard files.contains(URL(filePath: path).lastPathComponent),
        let data = FileManager.default.contents(atPath: path)
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
}
