import HandbackCore

/// `serial-number` of the device tree: whatever the boot loader put there.
enum DeviceTreeSource {
  static func observe(_ system: borrowing HardwareSystem, into found: inout HardwareObservations) {
    let folder = HardwarePath("/proc/device-tree")
    if case .value(let compatible) = system.tree.read(folder.appending("compatible")) {
      found.compatible = compatible
    }
    found.list.append(
      HardwareObservation(
        .deviceTreeSerial, system.tree.read(folder.appending("serial-number"))))
    // A virtual machine's UUID on POWER and some ARM hosts.
    append("device-tree", system.tree.read(folder.appending("vm,uuid")), to: &found)
    append("hypervisor", system.tree.read(HardwarePath("/sys/hypervisor/uuid")), to: &found)
  }

  private static func append(
    _ label: StaticString, _ content: HardwareObservation.Content,
    to found: inout HardwareObservations
  ) {
    if case .absent = content { return }
    var observation = HardwareObservation(.productUUID, content)
    observation.label = HardwareText(label)
    found.list.append(observation)
  }
}
