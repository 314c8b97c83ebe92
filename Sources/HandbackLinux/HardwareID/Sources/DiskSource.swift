import HandbackCore

/// Disks: a component to compare by, never an anchor.
enum DiskSource {
  /// The first ones, by name; a server's hundred disks would only slow the hashing down.
  private static let countMax = 4

  static func observe(_ system: borrowing HardwareSystem, into found: HardwareObservations) {
    let folder: Text = "/sys/class/block"
    var first: [Text] = []
    system.tree.eachName(in: folder) { name in
      if name.hasPrefix("nvme") || name.hasPrefix("sd"),
        system.tree.exists(folder.joining(name).joining("partition")) != true
      {
        insert(name, into: &first)
      }
      return true
    }
    for name in first {
      let device = system.device(folder.joining(name))
      let identifier = identifier(system, device)
      if identifier.isEmpty { continue }
      let disk = found.add(.disk, .value(identifier))
      disk.label = name
      if device.isOnUSB { disk.attachment = .removable }
    }
  }

  private static func insert(_ name: Text, into first: inout [Text]) {
    var index = first.count
    while index > 0, name.precedes(first[index - 1]) { index -= 1 }
    first.insert(name, at: index)
    if first.count > countMax { first.removeLast() }
  }

  /// The kernel's `wwid`, else what udev read.
  private static func identifier(
    _ system: borrowing HardwareSystem, _ device: borrowing HardwareDevice
  ) -> Text {
    for name: Literal in ["wwid", "device/wwid"] {
      let text = system.text(name, of: device)
      if !text.isEmpty { return text }
    }
    let text = system.property("ID_WWN", of: device)
    return text.isEmpty ? system.property("ID_SERIAL_SHORT", of: device) : text
  }
}
