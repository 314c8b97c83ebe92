import HandbackCore

/// `serial-number` of the device tree: whatever the boot loader put there.
enum DeviceTreeSource {
  static func observe(_ system: borrowing HardwareSystem, into found: HardwareObservations) {
    let root = system.deviceTree
    let compatible = system.tree.read(root.joining("compatible"))
    // It names some virtual machines, too.
    found.compatible = found.signs.text(compatible)
    if case .unreadable = compatible { found.isCompatibleReadable = false }
    found.add(.deviceTreeSerial, system.tree.read(root.joining("serial-number")))
    // A virtual machine's UUID on POWER and ARM hosts, and on Xen.
    for path in [root.joining("vm,uuid"), "/sys/hypervisor/uuid"] {
      let content = system.tree.read(path)
      if case .absent = content { continue }
      found.add(.productUUID, content).label = path
    }
  }
}
