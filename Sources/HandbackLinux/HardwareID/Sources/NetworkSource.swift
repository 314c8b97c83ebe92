import HandbackCore

/// Addresses of network ports.
enum NetworkSource {
  /// More interfaces than a router with a VLAN for every number has; beyond, the choice would
  /// depend on the order of the folder.
  private static let countMax = 16_384
  /// More ports than a board has; what is left out is counted neither as anchor nor component.
  private static let portCountMax = 64

  static func observe(_ system: borrowing HardwareSystem, into found: inout HardwareObservations) {
    let folder = HardwarePath("/sys/class/net")
    guard let names = system.tree.names(in: folder, countMax: countMax) else {
      found.list.append(HardwareObservation(.networkAddress, .unreadable))
      return
    }
    var count = 0
    for name in names where count < portCountMax {
      let path = folder.appending(name)
      // Bridges, tunnels and containers' ends have no hardware, and there may be thousands.
      if contains("devices/virtual/", system.tree.linkTarget(path) ?? []) { continue }
      let device = system.device(path)
      guard isEthernet(system, device) else { continue }
      found.list.append(observation(system, device, name))
      count += 1
    }
    if count == 0 { found.list.append(HardwareObservation(.networkAddress, .absent)) }
  }

  private static func observation(
    _ system: borrowing HardwareSystem, _ device: borrowing HardwareDevice, _ name: [UInt8]
  ) -> HardwareObservation {
    var observation = HardwareObservation(
      .networkAddress,
      device.isPending ? .late : system.attribute("address", of: device))
    observation.label = HardwareText(name)
    if case .value(let kind) = system.attribute("addr_assign_type", of: device) {
      observation.isPermanent = kind.normalized() == HardwareText("0")
    } else {
      observation.isPermanent = false
    }
    observation.isWireless =
      system.property("DEVTYPE", of: device) == HardwareText("wlan").bytes
      || system.tree.exists(device.path.appending("phy80211"))
      || system.tree.exists(device.path.appending("wireless"))
    observation.attachment = attachment(system, device)
    observation.path = HardwareText(position(device.devicePath))
    return observation
  }

  /// ARPHRD_ETHER, also of wireless ports; an attribute that is missing in a dump says nothing.
  private static func isEthernet(
    _ system: borrowing HardwareSystem, _ device: borrowing HardwareDevice
  ) -> Bool {
    guard case .value(let type) = system.attribute("type", of: device) else {
      return !device.path.bytes.elementsEqual(HardwareText("/sys/class/net/lo").bytes)
    }
    return type.normalized() == HardwareText("1")
  }

  private static func attachment(
    _ system: borrowing HardwareSystem, _ device: borrowing HardwareDevice
  ) -> HardwareObservation.Attachment {
    if device.devicePath.isEmpty { return .unknown }
    guard contains("/usb", device.devicePath) else { return .soldered }
    return isOnboardUSB(system, device) ? .soldered : .removable
  }

  /// Raspberry Pi 1 to 3 and others of their time have Ethernet behind USB, soldered: SMSC's
  /// LAN9512/9514 (0424:ec00) and LAN7515 (0424:7800) on the SoC's own USB port.
  private static func isOnboardUSB(
    _ system: borrowing HardwareSystem, _ device: borrowing HardwareDevice
  ) -> Bool {
    guard device.devicePath.starts(with: HardwareText("devices/platform/").bytes) else {
      return false
    }
    // …/1-1.1/1-1.1:1.0/net/eth0: `device` is the interface, the USB device is above it.
    let parent = device.path.appending("device/..")
    let maker = usbNumber(system, device, parent.appending("idVendor"), "ID_VENDOR_ID")
    let product = usbNumber(system, device, parent.appending("idProduct"), "ID_MODEL_ID")
    return maker == HardwareText("0424")
      && (product == HardwareText("ec00") || product == HardwareText("7800"))
  }

  private static func usbNumber(
    _ system: borrowing HardwareSystem, _ device: borrowing HardwareDevice, _ path: HardwarePath,
    _ property: StaticString
  ) -> HardwareText {
    if case .value(let number) = system.tree.read(path) { return number.normalized() }
    return HardwareText(system.property(property, of: device) ?? []).normalized()
  }

  /// Where the port sits: the last PCI address on its way, else all of its path without its
  /// name. This is what udev makes ID_PATH of, taken from the kernel, so that a missing or
  /// broken udev database can't change the order.
  private static func position(_ devicePath: [UInt8]) -> [UInt8] {
    var last: [UInt8] = []
    var all: [UInt8] = []
    for component in devicePath.split(separator: 0x2F) {
      if Self.isPCIAddress(component) { last = Array(component) }
      if component.elementsEqual(HardwareText("net").bytes) { break }
      all.append(0x2F)
      all += component
    }
    return last.isEmpty ? all : HardwareText("pci-").bytes + last
  }

  /// `0000:18:00.0`
  private static func isPCIAddress(_ text: ArraySlice<UInt8>) -> Bool {
    let bytes = Array(text)
    return bytes.count >= 12 && bytes[bytes.count - 2] == 0x2E && bytes[bytes.count - 5] == 0x3A
      && bytes[bytes.count - 8] == 0x3A
  }
}

/// Whether `text` is somewhere in `bytes`.
func contains(_ text: StaticString, _ bytes: [UInt8]) -> Bool {
  let pattern = HardwareText(text).bytes
  guard bytes.count >= pattern.count else { return false }
  for start in 0...(bytes.count - pattern.count) {
    if bytes[start..<(start + pattern.count)].elementsEqual(pattern) { return true }
  }
  return false
}
