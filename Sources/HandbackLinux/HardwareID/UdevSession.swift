internal import CLibc
internal import CUdev

/// libudev's view of the running system.
@safe
struct UdevSession: ~Copyable {
  private let context: OpaquePointer

  /// `nil` if libudev gives none: out of memory.
  init?() {
    guard let context = unsafe udev_new() else { return nil }
    unsafe self.context = context
  }

  deinit {
    _ = unsafe udev_unref(context)
  }

  /// The device at a path below `/sys`.
  func device(_ path: HardwarePath) -> UdevDevice? {
    guard
      let device = unsafe path.withCString({ unsafe udev_device_new_from_syspath(context, $0) })
    else { return nil }
    return unsafe UdevDevice(owning: device)
  }

  /// Whether udev runs here and still has events to work off.
  func isBusy() -> Bool {
    guard isRunning(), let queue = unsafe udev_queue_new(context) else { return false }
    defer { _ = unsafe udev_queue_unref(queue) }
    return unsafe udev_queue_get_queue_is_empty(queue) == 0
  }

  /// Without udev, as on systems with mdev alone, there is nothing to wait for.
  func isRunning() -> Bool {
    unsafe HardwarePath("/run/udev/control").withCString { unsafe access($0, F_OK) } == 0
  }
}

/// One device of libudev's.
@safe
struct UdevDevice: ~Copyable {
  private let device: OpaquePointer

  init(owning device: OpaquePointer) {
    unsafe self.device = device
  }

  deinit {
    _ = unsafe udev_device_unref(device)
  }

  /// Whether udev has handled the device's arrival; its properties are incomplete before.
  var isInitialized: Bool { unsafe udev_device_get_is_initialized(device) != 0 }

  func property(_ name: StaticString) -> [UInt8]? {
    guard
      let value = unsafe HardwarePath(name).withCString({
        unsafe udev_device_get_property_value(device, $0)
      })
    else { return nil }
    return unsafe bytes(of: value, byteCountMax: 4096)
  }

  /// The attribute's value, or the error code that reading it left.
  func attribute(_ name: StaticString) -> Result<[UInt8], HardwareTree.ErrorCode> {
    var code: Int32 = 0
    guard
      let value = unsafe HardwarePath(name).withCString({
        unsafe cudev_attribute(device, $0, &code)
      })
    else { return .failure(HardwareTree.ErrorCode(code: code)) }
    return .success(unsafe bytes(of: value, byteCountMax: 4096))
  }
}
