/// What one source gave, as it was read: before any rule.
///
/// A class, though it is a value by nature: copying six texts at each use cost 10 KB of code.
public final class HardwareObservation {
  public enum Content: Sendable {
    case value(Text)
    case absent
    /// It exists, and reading it was refused (EACCES, EPERM) or failed (EIO).
    case unreadable
    /// It exists or may yet appear: its driver was not ready at the deadline.
    case late
  }

  /// How a part hangs on the board.
  public enum Attachment: UInt8, Sendable {
    case soldered
    /// A card, a stick, a USB adapter: it leaves with its owner.
    case removable
    /// No hardware at all: a bridge, a tunnel.
    case virtual
    /// Not known, as in a dump without links: good for a token, never for an anchor.
    case unknown
  }

  public let source: HardwareIDSource
  /// Which of several: `eth0`, `mmc0:0001`. Shown to people.
  public var label = Text()
  public var content: Content
  /// The maker's and the product's name, without which a serial number is not unique.
  public var maker = Text()
  public var product = Text()
  /// The same part by another name: a card's serial number beside its CID.
  public var alias = Text()
  public var attachment = Attachment.soldered
  public var isWireless = false
  /// An address that the network driver calls permanent (`addr_assign_type` 0).
  public var isPermanent = true
  /// Where it sits on the board; orders parts of one kind.
  public var path = Text()

  public init(_ source: HardwareIDSource, _ content: Content) {
    self.source = source
    self.content = content
  }
}

/// All that was read in one survey, which fills it source by source.
public final class HardwareObservations {
  public var list: [HardwareObservation] = []
  public let signs = PlatformSigns()
  /// `compatible` of the device tree's root, NUL between its parts; empty without a device tree.
  public var compatible = Text()
  /// Without it nobody knows how a fuse is to be read.
  public var isCompatibleReadable = true
  /// `family` and `soc_id` of the SoC's devices, one after the other.
  public var socFamily = Text()
  public var cpuinfo = CPUInfo()
  /// Whether udev had finished by the deadline.
  public var isSettled = true
  /// `/etc/machine-id` and `/var/lib/dbus/machine-id`, for the compatibility schemes only.
  public var machineID = HardwareObservation.Content.absent
  public var dbusMachineID = HardwareObservation.Content.absent

  public init() {}

  /// Notes what a source gave; the observation can be told more.
  @discardableResult
  public func add(_ source: HardwareIDSource, _ content: HardwareObservation.Content)
    -> HardwareObservation
  {
    let observation = HardwareObservation(source, content)
    list.append(observation)
    return observation
  }

  /// Ends a source that may find several parts. Where it didn't see them all, the choice among them
  /// would depend on the folder's order, so there is none.
  public func end(_ source: HardwareIDSource, count: Int, isWhole: Bool) {
    if !isWhole {
      add(source, .unreadable)
    } else if count == 0 {
      add(source, .absent)
    }
  }

  /// Freescale's and NXP's i.MX write one fuse in several forms.
  var isIMX: Bool {
    if socFamily.normalized().contains("i.mx") { return true }
    return compatible.normalizedList().contains("fsl,imx")
      || cpuinfo.hardware.normalized().contains("i.mx")
  }

  var isIMX8M: Bool {
    socFamily.normalized().contains("i.mx8m")
      || compatible.normalizedList().contains("fsl,imx8m")
  }

  /// Boards whose boot loader makes `serial-number` of the first memory device's CID: U-Boot's
  /// `board/qualcomm/dragonboard410c`.
  var takesSerialFromStorage: Bool {
    compatible.normalizedList().contains("qcom,apq8016-sbc")
  }
}

extension Text {
  /// A device tree's string list with blanks for its NULs, in lower case.
  func normalizedList() -> Text {
    var list = Text()
    for byte in bytes { list.append(byte == 0 ? 0x20 : byte) }
    return list.normalized()
  }
}
