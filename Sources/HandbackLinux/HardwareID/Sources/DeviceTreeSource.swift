import HandbackCore

/// `serial-number` of the device tree: whatever the boot loader put there.
enum DeviceTreeSource {
  static func observe(_ system: borrowing HardwareSystem, into found: HardwareObservations) {
    // What /proc/device-tree links to is there for who has /sys alone.
    let root = Text(
      system.tree.exists("/proc/device-tree")
        ? "/proc/device-tree" : "/sys/firmware/devicetree/base")
    let compatible = system.tree.read(root.joining("compatible"))
    if case .value(let text) = compatible { found.compatible = text }
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
