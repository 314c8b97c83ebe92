/// What speaks for a container or a virtual machine, gathered by the survey.
///
/// A class, though it is a value by nature: copies of five texts cost more code than this.
public final class PlatformSigns {
  /// `/.dockerenv`, `/run/.containerenv`, `container=` of process 1, a runtime's cgroup or mount.
  public var hasContainerMark = false
  /// A hypervisor node in the device tree, QEMU's firmware device, SMBIOS's own bit.
  public var hasHypervisorMark = false
  /// Xen's control domain: the hypervisor is there, yet this is the metal's own system.
  public var isControlDomain = false
  /// Whether there may be one that can't be read.
  public var isHidden = false
  /// DMI `sys_vendor`, `product_name`, `product_version`, `board_vendor`, `bios_vendor`.
  public var systemVendor = Text()
  public var productName = Text()
  public var productVersion = Text()
  public var boardVendor = Text()
  public var biosVendor = Text()

  public init() {}

  func platform(cpuHasHypervisorFlag: Bool) -> Platform {
    if hasContainerMark { return .container }
    if isControlDomain { return .metal }
    // Amazon's bare-metal instances name the same maker as its virtual ones.
    if systemVendor.normalized().isEqual(to: "amazon ec2"),
      productName.normalized().contains(".metal")
    {
      return .metal
    }
    if hasHypervisorMark || cpuHasHypervisorFlag { return .vm }
    for text in [systemVendor, productName, productVersion, boardVendor, biosVendor]
    where Self.namesHypervisor(text.squeezed()) { return .vm }
    // Hyper-V's maker makes tablets too: only the two names together tell.
    if systemVendor.squeezed().isEqual(to: "microsoftcorporation"),
      productName.squeezed().isEqual(to: "virtualmachine")
    {
      return .vm
    }
    return .metal
  }

  /// The table of systemd's `src/basic/virt.c`, `dmi_vendor_table`, and the cloud providers'
  /// names; without blanks, since dumps made of udev's MODALIAS have none.
  private static func namesHypervisor(_ text: Text) -> Bool {
    text.hasLinePrefix(
      of: """
        kvm
        openstack
        kubevirt
        amazonec2
        qemu
        vmware
        vmw
        innotekgmbh
        virtualbox
        oraclevm
        xen
        bochs
        parallels
        bhyve
        hyperv
        applevirtualization
        googlecomputeengine
        digitalocean
        alibabacloud
        rhev
        ovirt
        """)
  }
}
