@testable import HandbackCore

/// A device made up for a test: observations that a survey might have gathered.
struct DeviceUnderTest {
  var maker = "Acme Industrial"
  var product = "Gate 7"
  var productSerial: Value = .absent
  var boardSerial: Value = .absent
  var chassisSerial: Value = .absent
  var uuid: Value = .absent
  var soc: Value = .absent
  var socFamily = ""
  var cpuinfo: Value = .absent
  var deviceTree: Value = .absent
  var compatible = ""
  var isCompatibleReadable = true
  var eeprom: Value = .absent
  var cards: [Card] = []
  var ports: [Port] = []
  var disks: [Value] = []
  var generation: Value = .absent
  /// `nil` where it isn't asked.
  var tpm: Value?
  var machineID: Value = .absent
  var isVirtual = false
  var isContainer = false
  var isPlatformHidden = false
  var dbusMachineID: Value = .absent
  var isSettled = true

  /// What a source answers.
  enum Value: Equatable {
    case text(String)
    case absent, unreadable, late

    var content: HardwareObservation.Content {
      switch self {
      case .text(let text): .value(Text(text))
      case .absent: .absent
      case .unreadable: .unreadable
      case .late: .late
      }
    }
  }

  struct Card {
    var cid: Value
    var serial = ""
    var attachment = HardwareObservation.Attachment.soldered
  }

  struct Port {
    var address: Value
    var label = "eth0"
    var path = "0000:01:00.0"
    var attachment = HardwareObservation.Attachment.soldered
    var isWireless = false
    var isPermanent = true
  }

  var observations: HardwareObservations {
    let found = HardwareObservations()
    found.compatible = Text(compatible)
    found.isCompatibleReadable = isCompatibleReadable
    found.socFamily = Text(socFamily)
    found.isSettled = isSettled
    found.machineID = machineID.content
    found.dbusMachineID = dbusMachineID.content
    found.signs.isHidden = isPlatformHidden
    found.signs.hasHypervisorMark = isVirtual
    found.signs.hasContainerMark = isContainer
    if let tpm { found.add(.tpmEndorsementKey, tpm.content) }
    found.add(.socSerial, soc.content)
    found.add(.cpuinfoSerial, cpuinfo.content)
    found.add(.deviceTreeSerial, deviceTree.content)
    found.add(.boardEEPROM, eeprom.content)
    let first = found.add(.productSerial, productSerial.content)
    first.maker = Text(maker)
    first.product = Text(product)
    let second = found.add(.boardSerial, boardSerial.content)
    second.maker = Text(maker)
    second.product = Text(Array("Mainboard 3".utf8))
    found.add(.chassisSerial, chassisSerial.content)
    found.add(.productUUID, uuid.content)
    for card in cards {
      let observation = found.add(.eMMC, card.cid.content)
      observation.alias = Text(card.serial)
      observation.attachment = card.attachment
    }
    for port in ports {
      let observation = found.add(.networkAddress, port.address.content)
      observation.label = Text(port.label)
      observation.path = Text(port.path)
      observation.attachment = port.attachment
      observation.isWireless = port.isWireless
      observation.isPermanent = port.isPermanent
    }
    for disk in disks { found.add(.disk, disk.content) }
    found.add(.vmGeneration, generation.content)
    return found
  }

  var evidence: HardwareEvidence { HardwareEvidence(observations) }

  var outcome: String { Outcome.of(evidence) }

  /// A server with every kind of source that x86 has.
  static var server: DeviceUnderTest {
    var device = DeviceUnderTest()
    device.productSerial = .text("7GQ4X21\n")
    device.boardSerial = .text(".7GQ4X21.CN0417263500A1.\n")
    device.chassisSerial = .text("7GQ4X21\n")
    device.uuid = .text("9c1f7e52-3a40-4b8e-9d1c-5e0a77c4b210\n")
    device.ports = [
      Port(address: .text("48:df:37:1a:2b:3c\n"), label: "eno1", path: "0000:18:00.0"),
      Port(address: .text("48:df:37:1a:2b:3d\n"), label: "eno2", path: "0000:18:00.1"),
    ]
    device.disks = [.text("eui.00a0750112345abc\n")]
    return device
  }

  /// A board with a fuse, an eMMC and a network port.
  static var board: DeviceUnderTest {
    var device = DeviceUnderTest()
    device.compatible = "acme,gate-7\0rockchip,rk3399\0"
    device.cpuinfo = .text("5f3c9a1be07d2468")
    device.deviceTree = .text("5f3c9a1be07d2468\0")
    device.cards = [Card(cid: .text("150100424a544434520a3f7c91d2e500\n"), serial: "0x3f7c91d2\n")]
    device.ports = [
      Port(address: .text("7c:b7:7b:10:20:31\n"), path: "/devices/platform/fe300000.ethernet")
    ]
    return device
  }
}

enum Outcome {
  /// What the ID would be made of, or the name of the refusal. The hash on top of it is slow by
  /// design, and the golden vectors test it.
  static func of(_ evidence: HardwareEvidence) -> String {
    do throws(IdentityDerivation.Refusal) {
      let reading = evidence.readings[try IdentityDerivation.anchor(of: evidence)]
      let idClass = evidence.platform == .vm ? .v : reading.source.anchorClass
      let fields = reading.fields.map { $0.string }
      return "hb1-\(idClass?.name.description ?? "none")-\(fields.joined(separator: "|"))"
    } catch {
      return error.name.description
    }
  }

  static func record(
    _ evidence: HardwareEvidence, by request: IdentityDerivation.Request = .hb1
  ) throws(IdentityDerivation.Refusal) -> IdentityRecord {
    try IdentityDerivation.identify(
      evidence, by: request, random: InlineArray(repeating: 0x5A), epochSeconds: 1_700_000_000,
      reason: Text("test"))
  }
}
