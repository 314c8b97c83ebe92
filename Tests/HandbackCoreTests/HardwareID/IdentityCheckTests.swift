import Testing

@testable import HandbackCore

/// A record on the hardware it was made on, on changed hardware, and on another's.
@Suite struct IdentityCheckTests {
  private func verdict(_ before: DeviceUnderTest, _ now: DeviceUnderTest) throws -> String {
    try verdict(Outcome.record(before.evidence), now)
  }

  /// The server's record is made once: its hashes are slow.
  private static let serverRecord = try? Outcome.record(DeviceUnderTest.server.evidence)

  private func verdict(now: DeviceUnderTest) throws -> String {
    try verdict(#require(Self.serverRecord), now)
  }

  private func verdict(_ record: IdentityRecord, _ now: DeviceUnderTest) throws -> String {
    let check = IdentityCheck(record, with: now.evidence)
    if case .different(let cause) = check.verdict { return "different: \(cause.name)" }
    return check.verdict.name.description
  }

  private func changed(_ change: (inout DeviceUnderTest) -> Void) -> DeviceUnderTest {
    var device = DeviceUnderTest.server
    change(&device)
    return device
  }

  private let server = DeviceUnderTest.server

  @Test func `is the same on the same hardware, whatever the kernel makes of it`() throws {
    #expect(try verdict(now: server) == "same")
    let swapped = changed { $0.uuid = .text("527e1f9c-403a-8e4b-9d1c-5e0a77c4b210") }
    #expect(try verdict(now: swapped) == "same")
    let better = changed { $0.soc = .text("77aa12bc90de34f1") }
    #expect(try verdict(now: better) == "same")
  }

  @Test func `is the same with changes while the anchor stands`() throws {
    let now = changed {
      $0.ports = [.init(address: .text("0c:42:a1:77:10:02"))]
      $0.disks = [.text("eui.00a07501aaaa0001")]
      $0.uuid = .absent
    }
    #expect(try verdict(now: now) == "same-with-changes")
    let check = try IdentityCheck(#require(Self.serverRecord), with: now.evidence)
    let changes = check.components.map { "\($0.token.source.name) \($0.change.name)" }
    #expect(changes.contains("product-uuid lost"))
    #expect(changes.contains("network-address changed"))
    #expect(changes.contains("disk changed"))
    #expect(changes.contains("network-address appeared"))
  }

  @Test func `keeps a record whose anchor is lost while two others agree`() throws {
    let lost = changed { $0.productSerial = .text("Default string") }
    #expect(try verdict(now: lost) == "same-with-changes")
    // And the other way round: a serial that is filled in later does not replace the anchor.
    #expect(try verdict(lost, server) == "same")
  }

  @Test func `does not keep it when fewer agree, or a strong one differs`() throws {
    let alone = changed {
      $0.productSerial = .absent
      $0.boardSerial = .absent
      $0.chassisSerial = .absent
      $0.ports = []
    }
    #expect(try verdict(now: alone) == "different: too-little-agrees")
    let other = changed {
      $0.productSerial = .absent
      $0.boardSerial = .text(".8HR5Y32.CN0417263500B7.")
    }
    #expect(try verdict(now: other) == "different: component")
  }

  @Test func `does not count the disk that carries the record`() throws {
    let moved = changed {
      $0.productSerial = .text("To be filled")
      $0.boardSerial = .text("To be filled")
      $0.chassisSerial = .text("To be filled")
      $0.uuid = .text("03000200-0400-0500-0006-000700080009")
    }
    // The disk and one network card moved along: one witness, and that is too little.
    #expect(try verdict(now: moved) == "different: too-little-agrees")
  }

  @Test func `is different on a sibling, and on a replaced board`() throws {
    let sibling = changed {
      $0.productSerial = .text("7GQ4X22")
      $0.boardSerial = .text(".7GQ4X22.CN0417263500A9.")
      $0.uuid = .text("9c1f7e52-3a40-4b8e-9d1c-5e0a77c4b211")
    }
    #expect(try verdict(now: sibling) == "different: anchor")
  }

  @Test func `waits for what can't be read, and says which`() throws {
    #expect(try verdict(now: changed { $0.productSerial = .unreadable }) == "unreadable")
    #expect(try verdict(now: changed { $0.boardSerial = .unreadable }) == "same")
    #expect(try verdict(now: changed { $0.productSerial = .late }) == "not-ready")
    let hidden = changed {
      $0.productSerial = .absent
      $0.boardSerial = .unreadable
      $0.uuid = .unreadable
      $0.chassisSerial = .unreadable
    }
    #expect(try verdict(now: hidden) == "unreadable")
    // A board that can be read is another's, whatever the anchor would say.
    let other = changed {
      $0.productSerial = .unreadable
      $0.boardSerial = .text(".8HR5Y32.CN0417263500B7.")
    }
    #expect(try verdict(now: other) == "different: component")
  }

  @Test func `tells one replaced port from another device`() throws {
    var gateway = DeviceUnderTest()
    gateway.ports = [
      .init(address: .text("7c:b7:7b:10:20:31"), path: "a"),
      .init(address: .text("7c:b7:7b:10:20:32"), path: "b"),
    ]
    gateway.chassisSerial = .text("7GQ4X21")
    var now = gateway
    now.ports[0].address = .text("0c:42:a1:77:10:02")
    #expect(try verdict(gateway, now) == "same-with-changes")
    now.ports[1].address = .text("0c:42:a1:77:10:03")
    #expect(try verdict(gateway, now) == "different: anchor")
  }

  @Test func `takes a fuse for the same in whichever place the kernel shows it`() throws {
    var before = DeviceUnderTest()
    before.cpuinfo = .text("5f3c9a1be07d2468")
    var now = DeviceUnderTest()
    now.soc = .text("5F3C9A1BE07D2468")
    #expect(try verdict(before, now) == "same")
    now.soc = .text("77aa12bc90de34f1")
    #expect(try verdict(before, now) != "same")
    // The old place still says the old value, a new one says another: the record stands.
    now.cpuinfo = .text("5f3c9a1be07d2468")
    #expect(try verdict(before, now) == "same")
  }

  @Test func `does not take a TPM that wasn't asked for a lost one`() throws {
    let key = String(repeating: "5f3c9a1be07d2468", count: 4)
    let record = try Outcome.record(changed { $0.tpm = .text(key) }.evidence)
    #expect(record.idClass == .tpm)
    #expect(try verdict(record, changed { $0.tpm = .text(key) }) == "same")
    #expect(try verdict(record, server) == "unreadable")
    #expect(try verdict(record, changed { $0.tpm = .unreadable }) == "unreadable")
    // Gone indeed, and the rest of the board stands.
    #expect(try verdict(record, changed { $0.tpm = .absent }) == "same-with-changes")
    let other = String(repeating: "0421620033915abc", count: 4)
    #expect(try verdict(record, changed { $0.tpm = .text(other) }) == "different: anchor")
    // A TPM's driver may be late like any other.
    #expect(
      changed {
        $0.tpm = .absent; $0.isSettled = false
      }.outcome == "not-ready")
    #expect(
      try verdict(
        record,
        changed {
          $0.tpm = .absent; $0.isSettled = false
        }) == "not-ready")
  }

  @Test func `notices a clone of a virtual machine by its generation and its UUID`() throws {
    let machine = changed {
      $0.isVirtual = true
      $0.generation = .text("a1b2c3d4e5f60718293a4b5c6d7e8f90")
    }
    #expect(try verdict(machine, machine) == "same")
    var clone = machine
    clone.generation = .text("b1b2c3d4e5f60718293a4b5c6d7e8f91")
    #expect(try verdict(machine, clone) == "different: cloned")
    clone = machine
    clone.uuid = .text("0f4e7e52-3a40-4b8e-9d1c-5e0a77c4b299")
    #expect(try verdict(machine, clone) == "different: anchor")
  }

  @Test func `confirms nothing in a container`() throws {
    let inside = changed { $0.isContainer = true }
    #expect(try verdict(now: inside) == "different: container")
  }

  @Test func `leaves a random ID of a junk device unverified, and notices another device`() throws {
    let junk = DeviceUnderTest()
    let record = try Outcome.record(junk.evidence, by: .random)
    #expect(IdentityCheck(record, with: junk.evidence).verdict.name.description == "unverified")
    var stick = DeviceUnderTest()
    stick.ports = [.init(address: .text("7c:b7:7b:10:20:31"), attachment: .unknown)]
    let tied = try Outcome.record(stick.evidence, by: .random)
    #expect(IdentityCheck(tied, with: stick.evidence).verdict.name.description == "same")
    stick.ports[0].address = .text("7c:b7:7b:10:20:99")
    #expect(IdentityCheck(tied, with: stick.evidence).verdict.name.description == "different")
  }

  /// The value of a record that older rules took, though today's refuse it: nothing has changed.
  @Test func `keeps a record whose value got on a list later`() throws {
    let value = Text("default string")
    let found = HardwareObservations()
    let observation = found.add(.productSerial, .value(value))
    observation.maker = Text("acme industrial")
    let evidence = HardwareEvidence(found)
    #expect(!evidence.readings[0].isOK)
    var components = ComponentTokens()
    components.tokens = [ComponentToken(evidence.readings[0])]
    components.anchorIndex = 0
    let old = try #require(Self.serverRecord)
    let record = IdentityRecord(
      id: old.id, scheme: .hb1, idClass: .psn, platform: .metal, rulesDate: 20_200_101,
      components: components, pinnedAtEpochSeconds: 0, reason: Text())
    #expect(IdentityCheck(record, with: evidence).verdict.name.description == "same")
  }

  // MARK: Components as text

  @Test func `writes components as text and reads them back`() throws {
    let components = try #require(Self.serverRecord).components
    let text = components.encoded()
    let read = ComponentTokens(encoded: text.bytes.span)
    let again = try #require(read)
    #expect(again.encoded() == text)
    #expect(again.anchorIndex == components.anchorIndex)
    let none: [UInt8] = []
    let empty = ComponentTokens(encoded: none.span)
    #expect(empty?.encoded() == Text())
  }

  @Test(arguments: [
    "x", "=", "product-serial=", "product-serial=0123456789abcde",
    "product-serial=0123456789abcdeu",
    "product-serial=0123456789abcdef ", " product-serial=0123456789abcdef",
    "*disk=0123456789abcdef *emmc=0123456789abcdef", "**disk=0123456789abcdef",
    "serial=0123456789abcdef", "disk=0123456789ABCDEF", "disk=0123456789abcdef0",
  ])
  func `reads nothing else`(text: String) {
    let read = ComponentTokens(encoded: Array(text.utf8).span)
    #expect(read == nil)
  }

  @Test func `never shows a value`() throws {
    let device = DeviceUnderTest.server
    let record = try #require(Self.serverRecord)
    var shown = record.components.encoded().string + record.id.text.string
    for explained in device.evidence.explained() {
      shown += explained.mark.string
    }
    for raw in ["7gq4x21", "7GQ4X21", "9c1f7e52", "48:df:37", "48df37", "0112345abc"] {
      #expect(!shown.contains(raw))
    }
  }
}
