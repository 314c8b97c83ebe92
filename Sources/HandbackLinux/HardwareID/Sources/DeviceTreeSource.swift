import HandbackCore

/// `serial-number` of the device tree: whatever the boot loader put there.
enum DeviceTreeSource {
  static func observe(_ system: borrowing HardwareSystem, into found: HardwareObservations) {
    found.compatible = system.tree.text("/proc/device-tree/compatible")
    found.add(.deviceTreeSerial, system.tree.read("/proc/device-tree/serial-number"))
    // A virtual machine's UUID on POWER and ARM hosts, and on Xen.
    for path: Literal in ["/proc/device-tree/vm,uuid", "/sys/hypervisor/uuid"] {
      let content = system.tree.read(path)
      if case .absent = content { continue }
      found.add(.productUUID, content).label = Text(path)
    }
  }
}
