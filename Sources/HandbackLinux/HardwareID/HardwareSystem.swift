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
  func device(_ path: HardwarePath) -> HardwareDevice {
    let target = tree.linkTarget(path)
    return HardwareDevice(
      path: path, target: target, udev: udev?.device(path),
      isUdevRunning: udev?.isRunning() ?? false)
  }

  // MARK: One device

  /// An attribute, trailing newline and all: the rules trim.
  func attribute(_ name: StaticString, of device: borrowing HardwareDevice)
    -> HardwareObservation.Content
  {
    if let result = device.udevAttribute(name) {
      switch result {
      case .success(let bytes): return .value(HardwareText(bytes))
      // Of an attribute that is there libudev may say nothing (eudev) or only that it failed:
      // the file says which.
      case .failure: break
      }
    }
    return tree.read(device.path.appending(name))
  }

  /// A property that udev's rules or the kernel gave the device.
  func property(_ name: StaticString, of device: borrowing HardwareDevice) -> [UInt8]? {
    if tree.isRunningSystem { return device.udevProperty(name) }
    // The kernel's own properties, then the database's.
    return Self.line(name, separator: 0x3D, prefix: "", in: text(device.path.appending("uevent")))
      ?? databaseProperty(name, of: device)
  }

  private func databaseProperty(_ name: StaticString, of device: borrowing HardwareDevice)
    -> [UInt8]?
  {
    // udev names a network device's file by its index and a block device's by its number.
    var file: [UInt8] = []
    if case .value(let index) = tree.read(device.path.appending("ifindex")) {
      file = [0x6E] + index.normalized().bytes
    } else if case .value(let number) = tree.read(device.path.appending("dev")) {
      file = [0x62] + number.normalized().bytes
    }
    guard file.count > 1, !file.contains(0x2F) else { return nil }
    let text = text(HardwarePath("/run/udev/data").appending(file))
    return Self.line(name, separator: 0x3D, prefix: "E:", in: text)
  }

  private func text(_ path: HardwarePath) -> [UInt8] {
    switch tree.readBytes(path, byteCountMax: 16_384) {
    case .success(let bytes): bytes
    case .failure: []
    }
  }

  /// The rest of the first line that begins with prefix, name and separator.
  private static func line(
    _ name: StaticString, separator: UInt8, prefix: StaticString, in text: [UInt8]
  ) -> [UInt8]? {
    var head = HardwareText(prefix).bytes
    head += HardwareText(name).bytes
    head.append(separator)
    for line in text.split(separator: 0x0A) where line.starts(with: head) {
      return Array(line.dropFirst(head.count))
    }
    return nil
  }
}

/// A device by its path, with libudev's handle on the running system.
struct HardwareDevice: ~Copyable {
  let path: HardwarePath
  /// Where the device really is, below `/sys`, from its link; empty if the link is not there.
  let devicePath: [UInt8]
  private let udev: UdevDevice?
  /// Whether udev runs and has not yet handled this device.
  let isPending: Bool

  init(path: HardwarePath, target: [UInt8]?, udev: consuming UdevDevice?, isUdevRunning: Bool) {
    self.path = path
    // `../../devices/…`: what is above does not matter.
    var devicePath: [UInt8] = []
    if let target {
      devicePath = target
      while devicePath.starts(with: [0x2E, 0x2E, 0x2F]) { devicePath.removeFirst(3) }
    }
    self.devicePath = devicePath
    isPending = isUdevRunning && !(udev?.isInitialized ?? true)
    self.udev = udev
  }

  func udevAttribute(_ name: StaticString) -> Result<[UInt8], HardwareTree.ErrorCode>? {
    udev?.attribute(name)
  }

  func udevProperty(_ name: StaticString) -> [UInt8]? { udev?.property(name) ?? nil }
}
