import HandbackCore

/// The generation of a virtual machine, which its hypervisor changes when it is cloned or set
/// back. Only QEMU lets a guest read it as a file, as it was at boot; elsewhere the kernel keeps
/// it to itself and sends an event.
enum VMGenerationSource {
  /// QEMU's `VMGENID_GUID_OFFSET`: the GUID follows the head of an ACPI table of its own.
  private static let offset = 40

  static func observe(_ system: borrowing HardwareSystem, into found: HardwareObservations) {
    let content = system.tree.read("/sys/firmware/qemu_fw_cfg/by_name/etc/vmgenid_guid/raw")
    guard case .value(let raw) = content else {
      found.add(.vmGeneration, content)
      return
    }
    if raw.bytes.count < offset + 16 {
      found.add(.vmGeneration, .absent)
    } else {
      let guid = Text(hexOf: raw.bytes.span.extracting(offset..<(offset + 16)))
      found.add(.vmGeneration, .value(guid))
    }
  }
}
