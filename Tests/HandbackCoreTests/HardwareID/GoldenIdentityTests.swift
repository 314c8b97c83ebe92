import Foundation
import TestSupport
import Testing

@testable import HandbackCore

/// IDs that were issued. **If one of these tests fails, the change that made it fail is wrong**:
/// devices in the field would get another ID than the one their license was activated with.
@Suite struct GoldenIdentityTests {
  struct Row: CustomTestStringConvertible {
    let fields: [String]
    var testDescription: String { fields[0] }
  }

  static let rows = table("golden.tsv", header: "name\tsource\tmaker\tproduct\tvalue\tid\ttoken")
  static let compatibility = table(
    "compatibility.tsv", header: "scheme\tcase\tetc_machine_id_hex\tid")

  /// Lines of a table below Tests/Vectors/hardware-id; an unknown header fails all of them.
  static func table(_ name: String, header: String) -> [Row] {
    let file = Repository.folder.appending(path: "Tests/Vectors/hardware-id/\(name)")
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    var lines = text.split(separator: "\n", omittingEmptySubsequences: true)
      .filter { !$0.hasPrefix("#") }
    guard lines.first.map(String.init) == header else { return [] }
    lines.removeFirst()
    return lines.map {
      Row(fields: $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init))
    }
  }

  @Test func `has vectors of every class`() {
    let sources = Set(Self.rows.map { $0.fields[1] })
    for source in HardwareIDSource.allCases where source.anchorClass != nil {
      #expect(sources.contains(source.name.description), "\(source.name)")
    }
    #expect(Self.compatibility.count >= 6)
  }

  @Test(arguments: rows)
  func `issues the same ID for ever`(row: Row) throws {
    let named = HardwareIDSource(utf8: Array(row.fields[1].utf8).span)
    let source = try #require(named)
    let found = HardwareObservations()
    var bytes = Array(row.fields[4].utf8)
    if source == .boardEEPROM {
      bytes = Array(repeating: 0, count: 28)
      bytes.replaceSubrange(0..<4, with: [0xAA, 0x55, 0x33, 0xEE])
      bytes.replaceSubrange(4..<12, with: Array(row.fields[3].utf8))
      bytes.replaceSubrange(16..<28, with: Array(row.fields[4].utf8))
    }
    let observation = found.add(source, .value(Text(bytes)))
    observation.maker = Text(Array(row.fields[2].utf8))
    observation.product = Text(Array(row.fields[3].utf8))
    let isVirtual = row.fields[0].hasPrefix("vm-")
    found.signs.hasHypervisorMark = isVirtual
    let record = try Outcome.record(HardwareEvidence(found))
    #expect(record.id.text.string == row.fields[5])
    let token = record.components.encoded().string
    #expect(token == "*\(source.name)=\(row.fields[6])")
  }

  @Test func `issues the same random ID for the same random part`() throws {
    let evidence = DeviceUnderTest().evidence
    let record = try Outcome.record(evidence, by: .random)
    #expect(record.id.text == "hb1-r-1shwz4ftav59wnz08exgw07hzj-gh")
    #expect(record.components.tokens.isEmpty)
  }

  @Test(arguments: compatibility)
  func `sends what the other clients send`(row: Row) throws {
    let found = HardwareObservations()
    found.machineID = .value(Text(bytes(row.fields[2])))
    let request: IdentityDerivation.Request =
      row.fields[0] == "licensespring" ? .licensespring : .machineID
    let record = try Outcome.record(HardwareEvidence(found), by: request)
    #expect(record.id.text.string == row.fields[3])
    #expect(record.idClass == .given)
  }

  @Test func `sends a network address as a decimal number`() throws {
    var device = DeviceUnderTest()
    device.ports = [.init(address: .text("7c:b7:7b:10:20:31"))]
    #expect(try Outcome.record(device.evidence, by: .macDecimal).id.text == "137127485513777")
    for late in [DeviceUnderTest.Value.late, .unreadable] {
      device.ports = [
        .init(address: late), .init(address: .text("7c:b7:7b:10:20:32"), label: "eth1"),
      ]
      #expect(throws: (any Error).self) {
        try Outcome.record(device.evidence, by: .macDecimal)
      }
    }
  }

  @Test func `takes the D-Bus file for the raw machine ID first, the other for the hash`() throws {
    let found = HardwareObservations()
    found.machineID = .value(Text("0123456789abcdef0123456789abcdef\n"))
    found.dbusMachineID = .value(Text(" fedcba9876543210fedcba9876543210 \n"))
    let evidence = HardwareEvidence(found)
    #expect(
      try Outcome.record(evidence, by: .machineID).id.text == "fedcba9876543210fedcba9876543210")
    #expect(
      try Outcome.record(evidence, by: .licensespring).id.text
        == "3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9")
  }

  @Test func `keeps a given value as it is, and ties it to the hardware`() throws {
    let given = HardwareID(utf8: Array("Kiosk 17/b".utf8).span)
    let id = try #require(given)
    let record = try Outcome.record(DeviceUnderTest.server.evidence, by: .value(id))
    #expect(record.id.text == "Kiosk 17/b")
    #expect(record.components.anchor?.source == .productSerial)
  }
}
