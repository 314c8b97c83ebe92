import Foundation
import TestSupport
import Testing

@testable import HandbackCore

/// What the readings of a device add up to, and that nothing else does.
@Suite struct EvidenceTests {
  private func anchor(_ device: DeviceUnderTest) throws -> HardwareReading {
    let evidence = device.evidence
    return evidence.readings[try IdentityDerivation.anchor(of: evidence)]
  }

  // MARK: Ranking

  @Test func `goes down the ranking as sources fall away`() throws {
    var device = DeviceUnderTest.server
    #expect(try anchor(device).source == .productSerial)
    device.productSerial = .text("To Be Filled By O.E.M.")
    #expect(try anchor(device).source == .boardSerial)
    device.boardSerial = .absent
    #expect(try anchor(device).source == .productUUID)
    device.uuid = .text("03000200-0400-0500-0006-000700080009")
    #expect(try anchor(device).source == .networkAddress)
    device.ports = []
    #expect(device.outcome == "no-good-source")
  }

  @Test func `never takes a chassis, a disk, a card or a machine ID`() {
    var device = DeviceUnderTest()
    device.chassisSerial = .text("7GQ4X21")
    device.disks = [.text("eui.00a0750112345abc")]
    device.cards = [.init(cid: .text("275048534431364760a1b2c3d4014a00"), attachment: .removable)]
    device.machineID = .text("4d2f1a90b7c84e5f9a3b6c7d8e9f0a1b\n")
    #expect(device.outcome == "no-good-source")
  }

  /// A virtual machine's parts are the hypervisor's, a container's its host's.
  @Test func `makes no ID of hardware where it may be somebody else's`() {
    var device = DeviceUnderTest.server
    device.isPlatformHidden = true
    #expect(device.outcome == "unreadable")
    device.isVirtual = true
    #expect(device.outcome == "unreadable")
    device.isContainer = true
    #expect(device.outcome == "container")
  }

  @Test func `takes no other machine ID where one can't be read`() throws {
    let text = DeviceUnderTest.Value.text("4d2f1a90b7c84e5f9a3b6c7d8e9f0a1b\n")
    func outcome(
      _ own: DeviceUnderTest.Value, _ dbus: DeviceUnderTest.Value,
      _ request: IdentityDerivation.Request
    ) -> String {
      var device = DeviceUnderTest()
      device.machineID = own
      device.dbusMachineID = dbus
      do throws(IdentityDerivation.Refusal) {
        return "\(try Outcome.record(device.evidence, by: request).id.text.bytes.count) bytes"
      } catch {
        if case .hidden(let file) = error { return "\(file)" }
        return "\(error.name)"
      }
    }
    #expect(outcome(.unreadable, text, .licensespring) == "/etc/machine-id")
    #expect(outcome(.absent, .unreadable, .licensespring) == "/var/lib/dbus/machine-id")
    #expect(outcome(text, .unreadable, .licensespring) == "64 bytes")
    #expect(outcome(text, .unreadable, .machineID) == "/var/lib/dbus/machine-id")
    #expect(outcome(.unreadable, .absent, .machineID) == "/etc/machine-id")
    #expect(outcome(.unreadable, text, .machineID) == "32 bytes")
    #expect(outcome(.absent, .text("\n"), .machineID) == "scheme-unavailable")
  }

  @Test func `takes the fuse before the device tree where they differ`() throws {
    var device = DeviceUnderTest()
    device.cpuinfo = .text("b2a7c94d11e06f38")
    device.deviceTree = .text("6f5e4d3c2b1a0918")
    #expect(try anchor(device).source == .cpuinfoSerial)
  }

  @Test func `does not take the device tree's word for a factory's default`() throws {
    var device = DeviceUnderTest()
    device.deviceTree = .text("c3d9b8674f4b94f6\0")
    #expect(device.outcome == "no-good-source")
  }

  @Test func `takes a device tree's serial that is an address or a card's for what it is`() throws {
    var device = DeviceUnderTest()
    device.ports = [.init(address: .text("7c:b7:7b:10:20:31"))]
    for serial in ["7c:b7:7b:10:20:31", "7cb77b102031", "7CB77B102031\0"] {
      device.deviceTree = .text(serial)
      #expect(try anchor(device).source == .networkAddress)
    }
    device.cards = [.init(cid: .absent, serial: "0x3f7c91d2\n", attachment: .removable)]
    for serial in ["3f7c91d2", "0x3F7C91D2"] {
      device.deviceTree = .text(serial)
      #expect(try anchor(device).source == .networkAddress)
    }
    device.deviceTree = .text("5f3c9a1be07d2468")
    device.compatible = "qcom,apq8016-sbc\0qcom,apq8016\0"
    #expect(try anchor(device).source == .networkAddress)
    // As 32-bit ARM's kernels show it a second time.
    device.cpuinfo = .text("5F3C9A1BE07D2468")
    #expect(try anchor(device).source == .networkAddress)
    device.compatible = ""
    for serial in ["7cb77b102031", "3f7c91d2"] {
      device.deviceTree = .text(serial)
      device.cpuinfo = .text(serial)
      #expect(try anchor(device).source == .networkAddress)
    }
    device.cpuinfo = .text("5f3c9a1be07d2468")
    #expect(try anchor(device).source == .cpuinfoSerial)
  }

  @Test func `reads one i.MX fuse in all its forms`() {
    var ids: Set<String> = []
    for serial in [
      "1A2B3C4D5E6F7081", "5e6f70811a2b3c4d", "9F8E7D6C5B4A39281A2B3C4D5E6F7081\n",
    ] {
      var device = DeviceUnderTest()
      device.socFamily = "Freescale i.MX\ni.MX8MP\n"
      device.soc = .text(serial)
      ids.insert(device.outcome)
      device.socFamily = ""
      device.soc = .absent
      device.compatible = "acme,box\0fsl,imx8mp\0"
      device.deviceTree = .text(serial)
      ids.insert(device.outcome)
    }
    #expect(ids.count == 1)
    #expect(ids.first?.hasPrefix("hb1-soc-") == true)
  }

  /// How a fuse is written hangs on what board it is.
  @Test func `reads no fuse while the board's name can't be read`() {
    for source in [\DeviceUnderTest.soc, \.cpuinfo, \.deviceTree] {
      var device = DeviceUnderTest()
      device.isCompatibleReadable = false
      device[keyPath: source] = .text("5f3c9a1be07d2468")
      #expect(device.outcome == "unreadable")
    }
  }

  /// A memory module's, on a bus that the firmware holds; TI's boards have a device tree.
  @Test func `an EEPROM that fails keeps no PC from its ID`() {
    var device = DeviceUnderTest.server
    device.eeprom = .unreadable
    #expect(device.outcome.hasPrefix("hb1-psn-"))
    device.isCompatibleReadable = false
    #expect(device.outcome == "unreadable")
    device = .server
    device.compatible = "ti,am335x-bone\0"
    device.eeprom = .unreadable
    #expect(device.outcome == "unreadable")
  }

  /// Its fuse has 128 bits, no half of which is known to differ by itself.
  @Test func `reads all of an i.MX9's fuse`() {
    var ids: Set<String> = []
    for serial in ["9F8E7D6C5B4A39281A2B3C4D5E6F7081", "8F8E7D6C5B4A39281A2B3C4D5E6F7081"] {
      var device = DeviceUnderTest()
      device.socFamily = "Freescale i.MX\ni.MX93\n"
      device.compatible = "fsl,imx93-11x11-evk\0fsl,imx93\0"
      device.soc = .text(serial)
      ids.insert(device.outcome)
    }
    #expect(ids.count == 2)
  }

  @Test func `leaves another maker's sixteen digits in their order`() {
    var one = DeviceUnderTest()
    one.soc = .text("1a2b3c4d5e6f7081")
    var other = one
    other.soc = .text("5e6f70811a2b3c4d")
    #expect(one.outcome != other.outcome)
  }

  @Test func `wants a maker's or a product's name beside a serial number`() {
    var device = DeviceUnderTest()
    device.productSerial = .text("7GQ4X21")
    #expect(device.outcome.hasPrefix("hb1-psn-"))
    device.maker = "To be filled by O.E.M."
    device.product = "Default string"
    #expect(device.outcome == "no-good-source")
  }

  @Test func `tells equal serials of two makers apart`() {
    var one = DeviceUnderTest()
    one.productSerial = .text("7GQ4X21")
    var other = one
    other.maker = "Globex"
    #expect(one.outcome != other.outcome)
  }

  @Test func `reads the board's name and number from a TI header, and nothing from others`() throws
  {
    func eeprom(_ head: [UInt8], _ serial: String) -> [UInt8] {
      head + Array("A335ACME0A5B".utf8) + Array(serial.utf8) + Array(repeating: 0xFF, count: 30)
    }
    func outcome(_ bytes: [UInt8]) -> String {
      let found = HardwareObservations()
      found.add(.boardEEPROM, .value(Text(bytes)))
      return Outcome.of(HardwareEvidence(found))
    }
    let head: [UInt8] = [0xAA, 0x55, 0x33, 0xEE]
    #expect(outcome(eeprom(head, "2517ACME0042")).hasPrefix("hb1-eep-"))
    #expect(outcome(eeprom([0x23, 0x10, 0x0C, 0x02], "2517ACME0042")) == "no-good-source")
    #expect(outcome(eeprom(head, "SSSSSSSSSSSS")) == "no-good-source")
    // The name of a cape, and of a board with typed records: all of one make have the same.
    let cape = Array("Acme Relay Cape 4x24V, isolated\0".utf8) + Array("00A2ACME 4x24V-R".utf8)
    #expect(outcome(head + Array("A0".utf8) + cape) == "no-good-source")
    #expect(outcome(head + Array("A1".utf8) + cape) == "no-good-source")
    let records: [UInt8] = [0x01, 0x37, 0x00, 0x10, 0x2E, 0x00]
    #expect(outcome(head + records + Array("ACMEPLAY-A0-42X1A2".utf8)) == "no-good-source")
    #expect(outcome(Array(repeating: 0xFF, count: 64)) == "no-good-source")
    #expect(outcome([]) == "no-good-source")
  }

  @Test func `leaves the checksum of a card out, and wants a number of its own in it`() {
    func outcome(_ cid: String) -> String {
      var device = DeviceUnderTest()
      device.cards = [.init(cid: .text(cid))]
      return device.outcome
    }
    let id = outcome("150100424a544434520a3f7c91d2e500\n")
    #expect(id.hasPrefix("hb1-mmc-"))
    #expect(outcome("150100424A544434520A3F7C91D2E5A7") == id)
    #expect(outcome("150100424a544434520a00000000e500") == "no-good-source")
    #expect(outcome("150100424a544434520affffffffe500") == "no-good-source")
    #expect(outcome("0000000000000000000000375600ea00") == "no-good-source")
    #expect(outcome("150100424a5444") == "no-good-source")
  }

  @Test func `prefers a wire, then the first place on the board`() throws {
    var device = DeviceUnderTest()
    device.ports = [
      .init(
        address: .text("7c:b7:7b:10:20:30"), label: "wlan0", path: "0000:01:00.0", isWireless: true),
      .init(address: .text("7c:b7:7b:10:20:31"), label: "eth1", path: "0000:03:00.0"),
      .init(address: .text("7c:b7:7b:10:20:39"), label: "eth0", path: "0000:02:00.0"),
    ]
    #expect(try anchor(device).label == Text("eth0"))
    device.ports.removeLast(2)
    #expect(try anchor(device).label == Text("wlan0"))
    for attachment: HardwareObservation.Attachment in [.removable, .virtual, .unknown] {
      device.ports[0].attachment = attachment
      #expect(device.outcome == "no-good-source")
    }
    device.ports[0].attachment = .soldered
    device.ports[0].isPermanent = false
    #expect(device.outcome == "no-good-source")
  }

  // MARK: Platforms

  @Test func `gives a container nothing`() {
    var device = DeviceUnderTest.server
    device.isContainer = true
    #expect(device.outcome == "container")
  }

  @Test func `gives a virtual machine an ID of its UUID and chance, and only then`() throws {
    var device = DeviceUnderTest.server
    device.isVirtual = true
    let evidence = device.evidence
    let record = try Outcome.record(evidence)
    #expect(record.idClass == .v)
    #expect(record.components.anchor?.source == .productUUID)
    let other = try IdentityDerivation.identify(
      evidence, by: .hb1, random: InlineArray(repeating: 1), epochSeconds: 0, reason: Text()
    )
    #expect(other.id.text != record.id.text)
    do throws(IdentityDerivation.Refusal) {
      _ = try IdentityDerivation.identify(
        evidence, by: .hb1, random: nil, epochSeconds: 0, reason: Text())
      Issue.record("an ID without a random part")
    } catch {
      #expect(error.name.description == "needs-enrolment")
    }
    device.uuid = .absent
    #expect(device.outcome == "no-good-source")
  }

  @Test(arguments: [
    ("QEMU", "Standard PC"), ("VMware, Inc.", "VMware7,1"), ("innotek GmbH", "VirtualBox"),
    ("Microsoft Corporation", "Virtual Machine"), ("Xen", "HVM domU"), ("Amazon EC2", "t3.micro"),
    ("Google", "Google Compute Engine"), ("Red Hat", "KVM"), ("VMware,Inc.", "x"),
  ])
  func `knows a hypervisor by its maker`(vendor: String, product: String) {
    let found = HardwareObservations()
    found.signs.systemVendor = Text(vendor)
    found.signs.productName = Text(product)
    #expect(HardwareEvidence(found).platform == .vm)
  }

  @Test(arguments: [
    ("Amazon EC2", "c5.metal"), ("Microsoft Corporation", "Surface Pro"), ("Dell Inc.", "R640"),
    ("Google", "Voxel"), ("", ""),
  ])
  func `knows metal of the same makers`(vendor: String, product: String) {
    let found = HardwareObservations()
    found.signs.systemVendor = Text(vendor)
    found.signs.productName = Text(product)
    #expect(HardwareEvidence(found).platform == .metal)
  }

  @Test func `knows a hypervisor by the processor's flag, but not in its control domain`() {
    let found = HardwareObservations()
    found.cpuinfo = CPUInfo(
      Array("processor\t: 0\nflags\t\t: fpu vme hypervisor lahf_lm\n".utf8).span)
    #expect(HardwareEvidence(found).platform == .vm)
    found.signs.isControlDomain = true
    #expect(HardwareEvidence(found).platform == .metal)
  }

  @Test func `reads cpuinfo's serial, whatever is around it`() {
    func serial(_ text: String) -> Text? { CPUInfo(Array(text.utf8).span).serial }
    #expect(serial("Hardware\t: X\nSerial\t\t: 0b1c\n")?.normalized() == Text("0b1c"))
    #expect(serial("Serial : 0b1c")?.normalized() == Text("0b1c"))
    #expect(serial("Serial Number: 1\nmy Serial: 2\n\n:\nSerial\n") == nil)
    #expect(serial("") == nil)
  }

  // MARK: Properties

  static let devices: [DeviceUnderTest] = [.server, .board, virtual, access, sensor, sealed]

  /// A TPM that was asked, on a server.
  static var sealed: DeviceUnderTest {
    var device = DeviceUnderTest.server
    device.tpm = .text(String(repeating: "5f3c9a1be07d2468", count: 4))
    return device
  }

  static var virtual: DeviceUnderTest {
    var device = DeviceUnderTest.server
    device.isVirtual = true
    return device
  }

  /// Two ports and nothing better.
  static var access: DeviceUnderTest {
    var device = DeviceUnderTest()
    device.compatible = "acme,ap\0"
    device.deviceTree = .text("7cb77b102031")
    device.ports = [
      .init(address: .text("7c:b7:7b:10:20:32"), label: "eth1", path: "/platform/b"),
      .init(address: .text("7c:b7:7b:10:20:31"), label: "eth0", path: "/platform/a"),
      .init(
        address: .text("7c:b7:7b:10:20:33"), label: "wlan0", path: "/platform/0", isWireless: true),
    ]
    return device
  }

  /// An eMMC, and a serial number that was made of it.
  static var sensor: DeviceUnderTest {
    var device = DeviceUnderTest()
    device.compatible = "acme,sensor\0"
    device.deviceTree = .text("3f7c91d2")
    device.cards = [.init(cid: .text("150100424a544434520a3f7c91d2e500"), serial: "0x3f7c91d2")]
    device.ports = [.init(address: .text("7c:b7:7b:10:20:31"))]
    return device
  }

  @Test(arguments: devices.indices)
  func `gives the same ID in any order of enumeration`(index: Int) {
    let device = Self.devices[index]
    let expected = device.outcome
    var generator = SeededGenerator(seed: UInt64(index))
    for _ in 0..<40 {
      let found = device.observations
      found.list.shuffle(using: &generator)
      #expect(Outcome.of(HardwareEvidence(found)) == expected)
    }
  }

  @Test(arguments: devices.indices)
  func `gives the same ID for any letter case, blanks, NULs and newlines`(index: Int) {
    let device = Self.devices[index]
    let expected = device.outcome
    var generator = SeededGenerator(seed: UInt64(index) + 99)
    for _ in 0..<40 {
      let found = device.observations
      for observation in found.list {
        guard case .value(let text) = observation.content, observation.source != .boardEEPROM else {
          continue
        }
        let varied = Variant.ofSerial(
          String(decoding: text.normalized().bytes, as: UTF8.self), &generator)
        observation.content = .value(Text(varied))
        let maker = observation.maker.string
        observation.maker = Text(Array(Variant.ofSerial(maker, &generator).utf8))
      }
      #expect(Outcome.of(HardwareEvidence(found)) == expected)
    }
  }

  /// Every subset of the sources that answer, late or unreadable in every mix of up to 2^7, and
  /// a random choice of mixes above: the same ID, or none.
  @Test(arguments: devices.indices)
  func `gives the same ID or none with any sources late or unreadable`(index: Int) {
    let device = Self.devices[index]
    let expected = device.outcome
    var generator = SeededGenerator(seed: UInt64(index) + 7)
    var outcomes: Set<String> = []
    let count = device.observations.list.count
    for _ in 0..<150 {
      let found = device.observations
      for place in 0..<count {
        guard case .value = found.list[place].content else { continue }
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: found.list[place].content = .late
        case 1: found.list[place].content = .unreadable
        default: break
        }
      }
      outcomes.insert(Outcome.of(HardwareEvidence(found)))
    }
    outcomes.subtract([expected, "unreadable", "not-ready"])
    #expect(outcomes.isEmpty)
  }

  /// What udev has not brought yet is not in the list at all: only its being busy tells.
  @Test(arguments: devices.indices)
  func `gives the same ID or none while udev is busy`(index: Int) {
    let device = Self.devices[index]
    let expected = device.outcome
    var generator = SeededGenerator(seed: UInt64(index) + 3)
    let lateSources: [HardwareIDSource] = [.socSerial, .boardEEPROM, .eMMC, .networkAddress]
    for _ in 0..<40 {
      let found = device.observations
      found.isSettled = false
      found.list.removeAll {
        lateSources.contains($0.source) && Bool.random(using: &generator)
      }
      // The one that is asked for by name says that it isn't there.
      for observation in found.list
      where observation.source == .tpmEndorsementKey && Bool.random(using: &generator) {
        observation.content = .absent
      }
      let outcome = Outcome.of(HardwareEvidence(found))
      #expect([expected, "not-ready"].contains(outcome))
    }
  }

  /// What files of mode 0400 and EEPROMs give a user: nothing.
  @Test(arguments: devices.indices)
  func `gives root and others the same ID, or others none`(index: Int) {
    var device = Self.devices[index]
    let expected = device.outcome
    for keyPath: WritableKeyPath<DeviceUnderTest, DeviceUnderTest.Value> in [
      \.productSerial, \.boardSerial, \.chassisSerial, \.uuid, \.eeprom,
    ] where device[keyPath: keyPath] != .absent { device[keyPath: keyPath] = .unreadable }
    #expect([expected, "unreadable"].contains(device.outcome))
  }

  @Test func `orders what it prints by rank, whatever the order of reading`() {
    var generator = SeededGenerator(seed: 12)
    let device = DeviceUnderTest.server
    let expected = device.evidence.readings.map { $0.source.name.description }
    for _ in 0..<20 {
      let found = device.observations
      found.list.shuffle(using: &generator)
      #expect(HardwareEvidence(found).readings.map { $0.source.name.description } == expected)
    }
  }

  // MARK: Bad input

  @Test(arguments: [
    [], [0], [0, 0, 0, 0], Array(repeating: 0x41, count: 65_536),
    Array(repeating: 0, count: 65_536),
    Array("5f3c9a1b\u{1}e07d2468".utf8), [0xFF, 0xFE, 0x00, 0x41], Array("\u{1B}[31mabcd1234".utf8),
    (0...255).map { UInt8($0) },
  ])
  func `has a clear state for any bytes in any source`(content: [UInt8]) {
    for source in HardwareIDSource.allCases {
      let found = HardwareObservations()
      let observation = found.add(source, .value(Text(content)))
      observation.maker = Text(content)
      found.compatible = Text(content)
      found.cpuinfo = CPUInfo(content.span)
      let evidence = HardwareEvidence(found)
      #expect(Outcome.of(evidence) == "no-good-source", "\(source.name)")
      #expect(!evidence.readings[0].isOK)
    }
  }

  @Test func `says what part each source has`() throws {
    var device = DeviceUnderTest.server
    device.boardSerial = .unreadable
    let explained = device.evidence.explained()
    func role(_ source: HardwareIDSource) -> String? {
      explained.first { $0.reading.source == source }?.role.name.description
    }
    #expect(role(.productSerial) == "anchor")
    #expect(role(.boardSerial) == "none")
    #expect(role(.productUUID) == "outranked")
    #expect(role(.disk) == "component")
    #expect(explained.filter { $0.reading.isOK }.allSatisfy { $0.mark.bytes.count == 4 })
    device.productSerial = .unreadable
    #expect(
      device.evidence.explained().first { $0.reading.source == .productSerial }?.role == .blocks)
  }
}
