import HandbackCore

/// Disks: a component to compare by, never an anchor.
enum DiskSource {
  private static let countMax = 4096
  /// The first ones, by name; a server's hundred disks would only slow the hashing down.
  private static let diskCountMax = 4

  static func observe(_ system: borrowing HardwareSystem, into found: inout HardwareObservations) {
    let folder = HardwarePath("/sys/class/block")
    var count = 0
    for name in system.tree.names(in: folder, countMax: countMax) ?? []
    where isDisk(name) && count < diskCountMax {
      let path = folder.appending(name)
      if system.tree.exists(path.appending("partition")) { continue }
      let device = system.device(path)
      guard let identifier = identifier(system, device) else { continue }
      var observation = HardwareObservation(.disk, .value(identifier))
      observation.label = HardwareText(name)
      observation.attachment = contains("/usb", device.devicePath) ? .removable : .soldered
      found.list.append(observation)
      count += 1
    }
    if count == 0 { found.list.append(HardwareObservation(.disk, .absent)) }
  }

  private static func isDisk(_ name: [UInt8]) -> Bool {
    name.starts(with: HardwareText("nvme").bytes) || name.starts(with: HardwareText("sd").bytes)
  }

  /// The kernel's `wwid`, else what udev read.
  private static func identifier(
    _ system: borrowing HardwareSystem, _ device: borrowing HardwareDevice
  ) -> HardwareText? {
    for name: StaticString in ["wwid", "device/wwid"] {
      if case .value(let text) = system.attribute(name, of: device), !text.isEmpty { return text }
    }
    for name: StaticString in ["ID_WWN", "ID_SERIAL_SHORT"] {
      if let text = system.property(name, of: device), !text.isEmpty { return HardwareText(text) }
    }
    return nil
  }
}
