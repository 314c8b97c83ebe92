internal import CLibc
import HandbackCore

/// Where sources read: files, and devices with attributes and properties.
///
/// On the running system devices are libudev's; below a folder they are read the way libudev
/// reads them, from `sys` and `run/udev/data`.
struct HardwareSystem: ~Copyable {
  let tree: HardwareTree
  private let udev: UdevSession?

  init(tree: consuming HardwareTree) {
    udev = tree.isRunningSystem ? UdevSession() : nil
    self.tree = tree
  }

  /// Waits until udev has worked off its events, at most this long; `false` at the deadline.
  func waitUntilSettled(deadlineMilliseconds: Int) -> Bool {
    let pauseMilliseconds = 50
    var waited = 0
    while udev?.isBusy() ?? false {
      guard waited < deadlineMilliseconds else { return false }
      clibc_pause_milliseconds(Int32(pauseMilliseconds))
      waited += pauseMilliseconds
    }
    return true
  }

  /// The device at a path such as `/sys/class/net/eth0`.
  @inline(never)
  func device(_ path: HardwareText) -> HardwareDevice {
    var position = HardwareText()
    if let target = tree.linkTarget(path) {
      // `../../devices/…`: what is above does not matter.
      for component in target.split(at: 0x2F) where !component.isEqual(to: "..") {
        position.append(0x2F)
        position.append(component)
      }
    }
    return HardwareDevice(
      path: path, position: position, udev: udev?.device(path),
      isUdevRunning: udev?.isRunning() ?? false)
  }

  /// An attribute, blanks and newlines and all: the rules trim.
  @inline(never)
  func attribute(_ name: StaticString, of device: borrowing HardwareDevice)
    -> HardwareObservation.Content
  {
    if let text = device.udevAttribute(HardwareText(name)) { return .value(text) }
    // The file says whether it is missing or can't be read.
    return tree.read(device.path.joining(name))
  }

  /// The same where no decision hangs on why there is none.
  @inline(never)
  func text(_ name: StaticString, of device: borrowing HardwareDevice) -> HardwareText {
    guard case .value(let text) = attribute(name, of: device) else { return HardwareText() }
    return text
  }

  /// A property that udev's rules or the kernel gave the device; empty without one.
  @inline(never)
  func property(_ name: StaticString, of device: borrowing HardwareDevice) -> HardwareText {
    var head = HardwareText(name)
    if tree.isRunningSystem { return device.udevProperty(head) ?? HardwareText() }
    head.append(0x3D)
    // The kernel's own properties, then the database's.
    if let value = Self.value(of: head, in: tree.text(device.path.joining("uevent"))) {
      return value
    }
    var line = HardwareText("E:")
    line.append(head)
    return Self.value(of: line, in: databaseEntry(of: device)) ?? HardwareText()
  }

  /// udev names a network device's entry by its index and a block device's by its number.
  private func databaseEntry(of device: borrowing HardwareDevice) -> HardwareText {
    var name = HardwareText("n")
    var key = tree.text(device.path.joining("ifindex")).normalized()
    if key.isEmpty {
      name = HardwareText("b")
      key = tree.text(device.path.joining("dev")).normalized()
    }
    name.append(key)
    return tree.text(HardwareText("/run/udev/data").joining(name), byteCountMax: 16_384)
  }

  /// The rest of the first line that begins with `head`.
  private static func value(of head: HardwareText, in text: HardwareText) -> HardwareText? {
    for line in text.split(at: 0x0A) where line.hasPrefix(head) {
      return line.slice(head.byteCount..<line.byteCount)
    }
    return nil
  }
}

/// A device by its path, with libudev's handle on the running system.
struct HardwareDevice: ~Copyable {
  let path: HardwareText
  /// Where the device really is, `/devices/…`, from its link; empty without a link.
  let position: HardwareText
  private let udev: UdevDevice?
  /// Whether udev runs and has not yet handled this device.
  let isPending: Bool

  init(
    path: HardwareText, position: HardwareText, udev: consuming UdevDevice?, isUdevRunning: Bool
  ) {
    self.path = path
    self.position = position
    isPending = isUdevRunning && !(udev?.isInitialized ?? true)
    self.udev = udev
  }

  var isOnUSB: Bool { position.contains("/usb") }

  func udevAttribute(_ name: HardwareText) -> HardwareText? { udev?.attribute(name) ?? nil }

  func udevProperty(_ name: HardwareText) -> HardwareText? { udev?.property(name) ?? nil }
}
