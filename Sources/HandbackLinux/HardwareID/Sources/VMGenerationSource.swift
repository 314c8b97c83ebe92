import HandbackCore

/// The generation of a virtual machine, which its hypervisor changes when it is cloned or set
/// back. Only QEMU lets a guest read it as a file, as it was at boot; elsewhere the kernel keeps
/// it to itself and sends an event.
enum VMGenerationSource {
  /// QEMU's `VMGENID_GUID_OFFSET`: the GUID follows the head of an ACPI table of its own.
  private static let offset = 40

  static func observe(_ system: borrowing HardwareSystem, into found: inout HardwareObservations) {
    let path = HardwarePath("/sys/firmware/qemu_fw_cfg/by_name/etc/vmgenid_guid/raw")
    var content = system.tree.read(path)
    if case .value(let raw) = content {
      let bytes = raw.bytes
      content =
        bytes.count >= offset + 16
        ? .value(HardwareText(hexOf: Array(bytes[offset..<(offset + 16)]))) : .absent
    }
    found.list.append(HardwareObservation(.vmGeneration, content))
  }
}
