internal import CLibc
import HandbackCore

extension PlatformSigns {
  /// What was just read, nothing where there is nothing. What can't be read may be a sign; where it is
  /// refused, as some are to users, the others have to do.
  func text(_ content: HardwareObservation.Content) -> Text {
    if case .value(let text) = content { return text }
    if case .unreadable = content, clibc_is_refused(clibc_errno()) == 0 { isHidden = true }
    return Text()
  }

  func isSeen(_ exists: Bool?) -> Bool {
    if exists == nil { isHidden = true }
    return exists ?? false
  }
}

/// Signs of a container or a hypervisor that are not in a source of its own; systemd's
/// `src/basic/virt.c` is where they are from.
enum PlatformSource {
  static func observe(_ system: borrowing HardwareSystem, into found: HardwareObservations) {
    let signs = found.signs
    if system.isDeviceTreeHidden { signs.isHidden = true }
    signs.hasContainerMark = isContainer(system, signs)
    signs.isControlDomain = holds("control_d", "/proc/xen/capabilities", system, signs)
    signs.hasHypervisorMark = isVirtualMachine(system, found.compatible, signs)
    found.machineID = system.tree.read("/etc/machine-id")
    found.dbusMachineID = system.tree.read("/var/lib/dbus/machine-id")
  }

  private static func isContainer(
    _ system: borrowing HardwareSystem, _ signs: PlatformSigns
  ) -> Bool {
    let marks = Text("/.dockerenv /run/.containerenv /run/systemd/container")
    for path in marks.split(at: 0x20) where signs.isSeen(system.tree.exists(path)) { return true }
    // LXD's agent makes the socket in its virtual machines too, and works in this folder there.
    if signs.isSeen(system.tree.exists("/dev/lxd/sock")),
      !signs.isSeen(system.tree.exists("/run/lxd_agent"))
    {
      return true
    }
    for line in signs.text(system.tree.read("/proc/1/environ")).split(at: 0)
    where line.hasPrefix("container=") { return true }
    // OpenVZ: `/proc/vz` everywhere, `/proc/bc` on the host only.
    if signs.isSeen(system.tree.exists("/proc/vz")), !signs.isSeen(system.tree.exists("/proc/bc")) {
      return true
    }
    // Of process 1, never of this one: a host's /proc that is mounted in a container shows the
    // container's own processes too, and there the host was named on purpose.
    let isDump = !system.tree.isRunningSystem && !signs.isSeen(system.tree.exists("/proc/1/cgroup"))
    let groups = Text(isDump ? "/proc/self/cgroup" : "/proc/1/cgroup")
    if signs.text(system.tree.read(groups)).containsWord(
      of: "/docker /lxc /kubepods /libpod /machine.slice/")
    {
      return true
    }
    // cgroup v2 hides its path in a container; the mount of `/`, or LXC's over /proc, doesn't.
    for line in signs.text(system.tree.read("/proc/1/mountinfo")).split(at: 0x0A)
    where line.contains(" / / ") || line.contains(" /proc/") {
      if line.containsWord(
        of: """
          lowerdir=/var/lib/docker fuse.lxcfs /io.containerd.snapshotter \
          /containers/storage/overlay
          """)
      {
        return true
      }
    }
    return false
  }

  private static func isVirtualMachine(
    _ system: borrowing HardwareSystem, _ compatible: Text, _ signs: PlatformSigns
  ) -> Bool {
    if compatible.contains("linux,dummy-virt") { return true }
    let node = system.deviceTree.joining("hypervisor/compatible")
    if signs.isSeen(system.tree.exists(node)) { return true }
    // The folder itself comes with the driver, `rev` with the device.
    if signs.isSeen(system.tree.exists("/sys/firmware/qemu_fw_cfg/rev")) { return true }
    if holds("xen", "/sys/hypervisor/type", system, signs) { return true }
    var hasFirmwareDevice = false
    let isWhole = system.tree.eachName(in: system.deviceTree) { name in
      hasFirmwareDevice = name.hasPrefix("fw-cfg@")
      return !hasFirmwareDevice
    }
    if hasFirmwareDevice { return true }
    if !isWhole, clibc_is_refused(clibc_errno()) == 0 { signs.isHidden = true }
    // SMBIOS type 0, extension byte 2, bit 4: "the SMBIOS table describes a virtual machine".
    let table = signs.text(system.tree.read("/sys/firmware/dmi/entries/0-0/raw"))
    return table.bytes.count > 0x13 && table.bytes[1] > 0x13 && table.bytes[0x13] & 0x10 != 0
  }

  private static func holds(
    _ text: Literal, _ path: Literal, _ system: borrowing HardwareSystem, _ signs: PlatformSigns
  ) -> Bool {
    signs.text(system.tree.read(path)).contains(text)
  }
}
