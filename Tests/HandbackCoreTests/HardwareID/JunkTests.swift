import Foundation
import TestSupport
import Testing

@testable import HandbackCore

/// Values that name no device, however they are written.
@Suite struct JunkTests {
  struct Row: CustomTestStringConvertible {
    let kind: String
    let value: String
    /// What refuses it: `list` or `rule`.
    let by: String
    var testDescription: String { "\(kind) \(value)" }
  }

  static let rows: [Row] = {
    let table = Repository.folder.appending(path: "scripts/hardware-id-lists.tsv")
    let text = (try? String(contentsOf: table, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: "\t")
      guard fields.count == 4, fields[0] != "kind" else { return nil }
      return Row(kind: String(fields[0]), value: String(fields[1]), by: String(fields[2]))
    }
  }()

  /// The table is read at all.
  @Test func `has rows of every kind`() {
    #expect(Set(Self.rows.map(\.kind)).count == 5)
    #expect(Self.rows.count > 250)
  }

  @Test(arguments: rows.filter { $0.kind == "serial" })
  func `refuses a listed serial and a thousand variants`(row: Row) {
    var generator = SeededGenerator(seed: UInt64(row.value.utf8.count) &* 77 &+ 1)
    for variant in 0..<1000 {
      let text = variant == 0 ? row.value : Variant.ofSerial(row.value, &generator)
      let normalized = Text(text).normalized()
      #expect(SerialRules.junk(normalized) != nil, "\(text.debugDescription)")
    }
  }

  @Test(arguments: rows.filter { $0.kind == "uuid" })
  func `refuses a listed UUID and a thousand variants in both byte orders`(row: Row) throws {
    var generator = SeededGenerator(seed: 4)
    for variant in 0..<1000 {
      let text = Variant.ofUUID(row.value, isSwapped: variant % 2 == 1, &generator)
      let normalized = Text(text).normalized()
      let uuid = try #require(HardwareUUID(normalized))
      #expect(uuid.junk() != nil, "\(text)")
    }
  }

  @Test(arguments: rows.filter { $0.kind == "mac" })
  func `refuses a listed address and a thousand variants`(row: Row) throws {
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<1000 {
      let text = Variant.ofAddress(row.value, &generator)
      let address = try #require(MACAddress(Text(text).normalized()))
      #expect(address.junk() != nil, "\(text)")
    }
  }

  @Test(arguments: rows.filter { $0.kind == "address-prefix" })
  func `refuses a thousand addresses with a typed beginning`(row: Row) throws {
    var generator = SeededGenerator(seed: 6)
    let pairs = row.value.split(separator: ":")
    for _ in 0..<1000 {
      let rest = (pairs.count..<6).map { _ in
        String(format: "%02x", Int.random(in: 0...255, using: &generator))
      }
      let text = (pairs.map(String.init) + rest).joined(separator: ":")
      let address = try #require(MACAddress(Text(text)))
      #expect(address.junk() != nil, "\(text)")
    }
  }

  @Test(arguments: rows.filter { $0.kind == "machine-id" })
  func `makes no ID of a shared machine ID`(row: Row) {
    for text in [row.value, row.value.uppercased() + "\n", " " + row.value + "\r\n"] {
      var device = DeviceUnderTest()
      device.machineID = .text(text)
      for request: IdentityDerivation.Request in [.licensespring, .machineID] {
        #expect(throws: IdentityDerivation.Refusal.self) {
          try Outcome.record(device.evidence, by: request)
        }
      }
    }
  }

  /// A list in the program holds what no rule refuses, and nothing else.
  @Test(arguments: rows)
  func `lists what no rule refuses`(row: Row) throws {
    let text = Text(row.value).normalized()
    let reason: JunkReason?
    switch row.kind {
    case "serial": reason = SerialRules.junk(text)
    case "uuid": reason = try #require(HardwareUUID(text)).junk()
    case "mac": reason = try #require(MACAddress(text)).junk()
    default: reason = .listed
    }
    #expect((reason == .listed) == (row.by == "list"))
  }

  /// By rule, whether or not some list has them.
  @Test(arguments: [
    "Q", "ab", "a-b-c", "zzzzzz", "-------", "????", "#####", "0000-0000", "10000000", "00000001",
    "0110101", "23456", "01234567", "1234567890123", "ab123456789cd", "x9876543210", "890abc\u{7}",
    "to be filled later", "TO_BE_FILLED", "filled by O.E.M. Ltd", "Default string",
    "Default_String-2",
    "OEM_Serial_77", "not assigned yet", "N/A", "none", "None at all", "(null)", "unknown42",
    "undefined", "unspecified", "invalid serial", "empty", "[empty]", "reserved", "no string here",
    "<bad index>", "bad index 7", "out of spec", "Type2 - Board Serial Number", "type 3 - x",
    "System Serial Number", "base_board-serial", "chassis version", "product sku", "part-serial",
    "Serial Number", "SerialNumber", "No Serial Number", "Default Serial", "NotSpecified",
    "Not-Available", "not_applicable", "notpresent",
    "asset tag num 3", "board vendor 3", "1.2", "board 3.4.5", "10.0", "12:34:56:78:9a:bc",
    "aa-bb-cc-dd-ee-ff", "", "   ", "\0abcdef", "Seriennummer\u{FC}",
    String(repeating: "ab1", count: 100),
  ])
  func `refuses by rule`(text: String) {
    #expect(SerialRules.junk(Text(text).normalized()) != nil)
  }

  /// Forms that real devices have, with other digits.
  @Test(arguments: [
    "5QX7T92", "CZJ2290SP1", ".3FJ7K41.CN7016365A0132.", "S4Y2NX0M918273", "1834NM2207",
    "100000004a5b6c7d", "00000000be1f5a37", "48455aaac1de734b", "0421620033915",
    "d2a7b94c11e06f38", "2517BBBK0042", "17021984", "MS2D84AA1H01265", "VMware-56 4d 3c",
    "481176M+16315C2204", "e7bd1c0459aa961f", "1001101011010110", "20231117",
  ])
  func `accepts a serial of a real form`(text: String) {
    #expect(SerialRules.junk(Text(text).normalized()) == nil)
  }

  @Test(arguments: [
    ("00000000-0000-0000-0000-ac1f6b4d2e10", JunkReason.filler),
    ("7d3f2b1a-ffff-ffff-ffff-ffffffffffff", .filler),
    ("8ec275a1-d19f-0000-0000-000000000000", .networkAddress),
    ("d05099c4-0000-0000-0000-7085c2a1b3c4", .networkAddress),
    ("4c4c4544-0020-2010-8020-a0c04f202020", .filler),
    ("44454c4c-2000-1020-8000-a0c04f002000", .filler),
    ("33353234-3931-584d-5132-32383046344b", .serialInDisguise),
    ("30303030-3030-3130-3061-623263336400", .serialInDisguise),
    ("05000300-0400-0500-0006-000700080009", .filler),
  ])
  func `refuses a UUID by rule in both byte orders`(text: String, reason: JunkReason) throws {
    let uuid = try #require(HardwareUUID(Text(text)))
    #expect(uuid.junk() == reason)
    let swapped = Text(hexOf: HardwareUUID.swapped(uuid.bytes).span)
    #expect(try #require(HardwareUUID(swapped)).junk() == reason)
  }

  @Test
  func `accepts good UUIDs, Dell's with a tag among them, and gives one form for both orders`()
    throws
  {
    for text in [
      "9c1f7e52-3a40-4b8e-9d1c-5e0a77c4b210", "4c4c4544-0037-4710-8051-b7c04f583231",
      "080020ff-ffff-ffff-ffff-0010e0a1b2c3",
    ] {
      let uuid = try #require(HardwareUUID(Text(text)))
      #expect(uuid.junk() == nil)
      let swapped = Text(hexOf: HardwareUUID.swapped(uuid.bytes).span)
      #expect(try #require(HardwareUUID(swapped)).canonicalText == uuid.canonicalText)
    }
  }

  @Test(arguments: [
    ("01:80:c2:11:22:33", JunkReason.notPermanent), ("02:1a:2b:3c:4d:5e", .notPermanent),
    ("52:54:00:12:34:56", .notPermanent), ("08:00:27:91:a2:b3", .virtual),
    ("00:15:5d:01:02:03", .virtual), ("00:16:3e:0a:0b:0c", .virtual),
    ("74:74:74:74:74:01", .filler), ("00:88:ff:00:88:41", .filler),
    ("00:04:9f:be:ef:00", .filler), ("7c:b7:7b:00:00:00", .filler),
    ("7c:b7:7b:ff:ff:ff", .filler),
  ])
  func `refuses an address by rule`(text: String, reason: JunkReason) throws {
    let address = try #require(MACAddress(Text(text)))
    #expect(address.junk() == reason)
  }
}

/// Ways to write one value that a firmware, a kernel or a tool has.
enum Variant {
  static func ofSerial(_ value: String, _ generator: inout SeededGenerator) -> String {
    var text = recased(value, &generator)
    if Bool.random(using: &generator) {
      text = text.replacingOccurrences(of: " ", with: blank(&generator))
    }
    for _ in 0..<Int.random(in: 0...3, using: &generator) { text = blank(&generator) + text }
    text += pick([" ", "\n", "\r\n", "\t", "\0", "\0garbage", "   ", ""], &generator)
    return text
  }

  static func ofUUID(_ value: String, isSwapped: Bool, _ generator: inout SeededGenerator) -> String
  {
    var text = value
    if isSwapped {
      let digits = Array(value.replacingOccurrences(of: "-", with: ""))
      let pairs = (0..<16).map { String(digits[(2 * $0)...(2 * $0 + 1)]) }
      let order = [3, 2, 1, 0, 5, 4, 7, 6] + Array(8..<16)
      text = order.map { pairs[$0] }.joined()
    }
    if Bool.random(using: &generator) { text = text.replacingOccurrences(of: "-", with: "") }
    return blankOrNone(&generator).filter { $0 != "\0" } + recased(text, &generator)
      + blankOrNone(&generator)
  }

  static func ofAddress(_ value: String, _ generator: inout SeededGenerator) -> String {
    let text =
      Bool.random(using: &generator)
      ? value : value.replacingOccurrences(of: ":", with: "-")
    return blankOrNone(&generator).filter { $0 != "\0" } + recased(text, &generator)
      + blankOrNone(&generator)
  }

  private static func recased(_ text: String, _ generator: inout SeededGenerator) -> String {
    String(
      decoding: text.utf8.map { byte -> UInt8 in
        let isLetter = (0x41...0x5A).contains(byte & 0xDF)
        return isLetter && Bool.random(using: &generator) ? byte ^ 0x20 : byte
      }, as: UTF8.self)
  }

  private static func pick(_ choices: [String], _ generator: inout SeededGenerator) -> String {
    choices[Int.random(in: choices.indices, using: &generator)]
  }

  private static func blank(_ generator: inout SeededGenerator) -> String {
    pick([" ", "  ", "\t", " \t "], &generator)
  }

  private static func blankOrNone(_ generator: inout SeededGenerator) -> String {
    pick(["", " ", "\n", "\t", "\r\n", "\0"], &generator)
  }
}
