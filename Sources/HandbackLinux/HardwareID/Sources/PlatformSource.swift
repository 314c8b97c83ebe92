import HandbackCore

/// Signs of a container or a hypervisor that are not in a source of its own; systemd's
/// `src/basic/virt.c` is where they are from.
enum PlatformSource {
  static func observe(_ system: borrowing HardwareSystem, into found: inout HardwareObservations) {
    found.signs.hasContainerMark = isContainer(system)
    found.signs.isControlDomain = holds(
      "control_d", system.tree.read(HardwarePath("/proc/xen/capabilities")))
    found.signs.hasHypervisorMark = isVirtualMachine(system, found.compatible)
    found.machineID = system.tree.read(HardwarePath("/etc/machine-id"))
    found.dbusMachineID = system.tree.read(HardwarePath("/var/lib/dbus/machine-id"))
  }

  private static func isContainer(_ system: borrowing HardwareSystem) -> Bool {
    for path: StaticString in [
      "/.dockerenv", "/run/.containerenv", "/run/systemd/container", "/dev/lxd/sock",
    ] where system.tree.exists(HardwarePath(path)) { return true }
    if case .value(let environment) = system.tree.read(HardwarePath("/proc/1/environ")) {
      for line in environment.bytes.split(separator: 0)
      where line.starts(with: HardwareText("container=").bytes) { return true }
    }
    // OpenVZ: `/proc/vz` everywhere, `/proc/bc` on the host only.
    if system.tree.exists(HardwarePath("/proc/vz")),
      !system.tree.exists(HardwarePath("/proc/bc"))
    {
      return true
    }
    // Of process 1, never of this one: a host's /proc that is mounted in a container shows the
    // container's own processes too, and there the host was named on purpose.
    var groups = system.tree.read(HardwarePath("/proc/1/cgroup"))
    if case .absent = groups, !system.tree.isRunningSystem {
      groups = system.tree.read(HardwarePath("/proc/self/cgroup"))
    }
    for mark: StaticString in ["/docker", "/lxc", "/kubepods", "/libpod", "/machine.slice/"]
    where holds(mark, groups) { return true }
    // cgroup v2 hides its path in a container; the mounts don't.
    let mounts = system.tree.read(HardwarePath("/proc/1/mountinfo"))
    for mark: StaticString in [
      " / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker", " - fuse.lxcfs ",
      "/containerd/io.containerd.snapshotter", "/containers/storage/overlay",
    ] where holds(mark, mounts) { return true }
    return false
  }

  private static func isVirtualMachine(
    _ system: borrowing HardwareSystem, _ compatible: HardwareText
  ) -> Bool {
    if system.tree.exists(HardwarePath("/proc/device-tree/hypervisor/compatible")) { return true }
    if contains("linux,dummy-virt", compatible.bytes) { return true }
    if system.tree.exists(HardwarePath("/sys/firmware/qemu_fw_cfg")) { return true }
    if holds("xen", system.tree.read(HardwarePath("/sys/hypervisor/type"))) { return true }
    for name in system.tree.names(in: HardwarePath("/proc/device-tree"), countMax: 1024) ?? []
    where name.starts(with: HardwareText("fw-cfg@").bytes) { return true }
    // SMBIOS type 0, extension byte 2, bit 4: "the SMBIOS table describes a virtual machine".
    let entry = HardwarePath("/sys/firmware/dmi/entries/0-0/raw")
    if case .value(let raw) = system.tree.read(entry), raw.byteCount > 0x13,
      raw.bytes[1] > 0x13, raw.bytes[0x13] & 0x10 != 0
    {
      return true
    }
    return false
  }

  private static func holds(_ text: StaticString, _ content: HardwareObservation.Content) -> Bool {
    guard case .value(let value) = content else { return false }
    return contains(text, value.bytes)
  }
}
