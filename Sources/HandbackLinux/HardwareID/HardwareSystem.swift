internal import CLibc
import HandbackCore

/// Where sources read: files, and devices with attributes and properties.
///
/// On the running system devices are libudev's; below a folder they are read the way libudev
/// reads them, from `sys` and `run/udev/data`.
struct HardwareSystem: ~Copyable {
  let tree: HardwareTree
  /// The device tree's root: what `/proc/device-tree` links to is there for who has `/sys` alone.
  let deviceTree: Text
  /// Whether it may be the other one: a look failed.
  let isDeviceTreeHidden: Bool
  private let udev: UdevSession?

  init(tree: consuming HardwareTree) {
    udev = tree.isRunningSystem ? UdevSession() : nil
    let isInProc = tree.exists("/proc/device-tree")
    isDeviceTreeHidden = isInProc == nil
    deviceTree = Text(
      isInProc ?? true ? "/proc/device-tree" : "/sys/firmware/devicetree/base")
    self.tree = tree
  }

  /// Waits until udev has worked off its events, at most this long; `false` at the deadline.
  func waitUntilSettled(deadlineMilliseconds: Int) -> Bool {
    let pauseMilliseconds = 50
    var waited = 0
    while isBusy {
      guard waited < deadlineMilliseconds else { return false }
      clibc_pause_milliseconds(Int32(pauseMilliseconds))
      waited += pauseMilliseconds
    }
    return true
  }

  /// Below a folder too: it may be the running host's, seen from a container.
  private var isBusy: Bool {
    if tree.isRunningSystem { return udev?.isBusy() ?? false }
    return tree.exists("/run/udev/control") == true && tree.exists("/run/udev/queue") == true
  }

  /// The device at a path such as `/sys/class/net/eth0`.
  @inline(never)
  func device(_ path: Text) -> HardwareDevice {
    var position = Text()
    let target = tree.linkTarget(path)
    let isHidden = target == nil && HardwareTree.hidesLink
    if let target {
      // `../../devices/…`: what is above does not matter.
      for component in target.split(at: 0x2F) where !component.isEqual(to: "..") {
        position = position.joining(component)
      }
    }
    return HardwareDevice(
      path: path, position: position, isPositionHidden: isHidden, udev: udev?.device(path),
      isUdevRunning: udev?.isRunning() ?? false)
  }

  /// An attribute, blanks and newlines and all: the rules trim.
  @inline(never)
  func attribute(_ name: Literal, of device: borrowing HardwareDevice)
    -> HardwareObservation.Content
  {
    if let text = device.udevAttribute(name) { return .value(text) }
    // The file says whether it is missing or can't be read.
    return tree.read(device.path.joining(name))
  }

  /// The same, nothing where there is none. What can't be read makes `observation` unreadable, which
  /// can't be told without it, and hides what it may be of `signs`.
  @inline(never)
  func text(
    _ name: Literal, of device: borrowing HardwareDevice,
    for observation: HardwareObservation? = nil, _ signs: PlatformSigns? = nil
  ) -> Text {
    let content = attribute(name, of: device)
    if case .value(let text) = content { return text }
    _ = signs?.text(content)
    if case .unreadable = content, let observation, case .value = observation.content {
      observation.content = .unreadable
    }
    return Text()
  }

  /// A property that udev's rules or the kernel gave the device; empty without one.
  @inline(never)
  func property(_ name: Literal, of device: borrowing HardwareDevice) -> Text {
    if tree.isRunningSystem { return device.udevProperty(name) ?? Text() }
    let head: Text = "\(name)="
    // The kernel's own properties, then the database's.
    if let value = Self.value(of: head, in: tree.text(device.path.joining("uevent"))) {
      return value
    }
    return Self.value(of: "E:\(head)", in: databaseEntry(of: device)) ?? Text()
  }

  /// udev names a network device's entry by its index and a block device's by its number.
  private func databaseEntry(of device: borrowing HardwareDevice) -> Text {
    var kind: Literal = "n"
    var key = tree.text(device.path.joining("ifindex")).normalized()
    if key.isEmpty {
      kind = "b"
      key = tree.text(device.path.joining("dev")).normalized()
    }
    return tree.text("/run/udev/data/\(kind)\(key)", byteCountMax: 16_384)
  }

  /// The rest of the first line that begins with `head`.
  private static func value(of head: Text, in text: Text) -> Text? {
    for line in text.split(at: 0x0A) where line.hasPrefix(head) {
      return line.suffix(from: head.bytes.count)
    }
    return nil
  }
}

/// A device by its path, with libudev's handle on the running system.
struct HardwareDevice: ~Copyable {
  let path: Text
  /// Where the device really is, `/devices/…`, from its link; empty without a link.
  let position: Text
  /// Whether there may be one that can't be read.
  let isPositionHidden: Bool
  private let udev: UdevDevice?
  /// Whether udev runs and has not yet handled this device.
  let isPending: Bool

  init(
    path: Text, position: Text, isPositionHidden: Bool, udev: consuming UdevDevice?,
    isUdevRunning: Bool
  ) {
    self.path = path
    self.position = position
    self.isPositionHidden = isPositionHidden
    isPending = isUdevRunning && !(udev?.isInitialized ?? true)
    self.udev = udev
  }

  var isOnUSB: Bool { position.contains("/usb") }

  func udevAttribute(_ name: Literal) -> Text? { udev?.attribute(name) ?? nil }

  func udevProperty(_ name: Literal) -> Text? { udev?.property(name) ?? nil }
}
