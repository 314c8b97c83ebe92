internal import CLibc
import HandbackCore

/// Addresses of network ports.
enum NetworkSource {
  /// More names than a router with a VLAN for every number has, and more ports than a switch.
  private static let nameCountMax = 16_384
  private static let portCountMax = 512

  static func observe(_ system: borrowing HardwareSystem, into found: HardwareObservations) {
    let folder: Text = "/sys/class/net"
    var nameCount = 0
    var portCount = 0
    let isWhole = system.tree.eachName(in: folder) { name in
      nameCount += 1
      let path = folder.joining(name)
      // Bridges, tunnels and containers' ends have no hardware, and there may be thousands.
      if !(system.tree.linkTarget(path)?.contains("devices/virtual/") ?? false),
        observePort(system, name, path, found)
      {
        portCount += 1
      }
      return nameCount < nameCountMax && portCount < portCountMax
    }
    found.end(
      .networkAddress, count: portCount,
      isWhole: isWhole && nameCount < nameCountMax && portCount < portCountMax)
  }

  /// `false` for what is no Ethernet port, wireless ones being such too.
  private static func observePort(
    _ system: borrowing HardwareSystem, _ name: Text, _ path: Text,
    _ found: HardwareObservations
  ) -> Bool {
    let device = system.device(path)
    if device.position.contains("devices/virtual/") { return false }
    // ARPHRD_ETHER; a dump that lacks the attribute still has the loop's well-known name.
    let type = system.text("type", of: device).normalized()
    guard type.isEqual(to: "1") || (type.isEmpty && !name.isEqual(to: "lo")) else { return false }
    let port = found.add(.networkAddress, .late)
    port.label = name
    if !device.isPending {
      port.content = system.attribute("address", of: device)
      setPermanence(of: port, system, device)
    }
    port.isWireless = system.property("DEVTYPE", of: device).isEqual(to: "wlan")
    for name: Literal in ["phy80211", "wireless"] where !port.isWireless {
      guard let isThere = system.tree.exists(path.joining(name)) else {
        port.content = .unreadable
        continue
      }
      port.isWireless = isThere
    }
    if device.isPositionHidden {
      port.content = .unreadable
    } else if device.position.isEmpty {
      port.attachment = .unknown
    } else if device.isOnUSB, !isOnboardUSB(system, device, port) {
      port.attachment = .removable
    }
    port.path = position(device.position)
    return true
  }

  /// An address that was set, as bonding and some managers of wireless networks do, hides the one
  /// that the port came with. The kernel still knows it.
  private static func setPermanence(
    of port: HardwareObservation, _ system: borrowing HardwareSystem,
    _ device: borrowing HardwareDevice
  ) {
    let assigned = system.attribute("addr_assign_type", of: device)
    if case .unreadable = assigned { port.content = .unreadable }
    guard case .value(let text) = assigned else { return port.isPermanent = false }
    // NET_ADDR_PERM, NET_ADDR_SET
    let type = text.normalized()
    port.isPermanent = type.isEqual(to: "0")
    guard type.isEqual(to: "3"), system.tree.isRunningSystem else { return }
    var address = [UInt8](repeating: 0, count: 18)
    guard unsafe clibc_permanent_address(port.label.cString, &address) == 1 else { return }
    port.content = .value(Text(address.span.extracting(0..<17)))
    port.isPermanent = true
  }

  /// Raspberry Pi 1 to 3 and others of their time have Ethernet behind USB, soldered: SMSC's
  /// LAN9512/9514 (0424:ec00) and LAN7515 (0424:7800) on the SoC's own USB port.
  private static func isOnboardUSB(
    _ system: borrowing HardwareSystem, _ device: borrowing HardwareDevice,
    _ port: HardwareObservation
  ) -> Bool {
    guard device.position.hasPrefix("/devices/platform/") else { return false }
    // …/1-1.1/1-1.1:1.0/net/eth0: `device` is the interface, the USB device is above it.
    let parent = device.path.joining("device/..")
    let maker = name("idVendor", of: parent, or: "ID_VENDOR_ID", system, device)
    let product = name("idProduct", of: parent, or: "ID_MODEL_ID", system, device)
    guard let maker, let product else {
      // It may be soldered, and the one that counts.
      port.content = .unreadable
      return true
    }
    return maker.isEqual(to: "0424") && product.isLine(of: "ec00\n7800")
  }

  /// What the kernel or udev says of the USB device; `nil` if it can't be read.
  private static func name(
    _ attribute: Literal, of parent: Text, or property: Literal,
    _ system: borrowing HardwareSystem, _ device: borrowing HardwareDevice
  ) -> Text? {
    let content = system.tree.read(parent.joining(attribute))
    if case .value(let text) = content { return text.normalized() }
    let text = system.property(property, of: device)
    if case .unreadable = content, text.isEmpty { return nil }
    return text
  }

  /// Where the port sits: the last PCI address on its way, else all of its path without its
  /// name. This is what udev makes ID_PATH of, taken from the kernel, so that a missing or
  /// broken udev database can't change the order.
  private static func position(_ path: Text) -> Text {
    var address: Text?
    var all = Text()
    for component in path.split(at: 0x2F) {
      if component.isEqual(to: "net") { break }
      if isPCIAddress(component) { address = component }
      all = all.joining(component)
    }
    return address ?? all
  }

  /// `0000:18:00.0`
  private static func isPCIAddress(_ text: Text) -> Bool {
    let count = text.bytes.count
    return count >= 12 && text.bytes[count - 2] == 0x2E && text.bytes[count - 5] == 0x3A
      && text.bytes[count - 8] == 0x3A
  }
}
