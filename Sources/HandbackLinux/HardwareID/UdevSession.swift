internal import CLibc
internal import CUdev
import HandbackCore

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
  func device(_ path: Text) -> UdevDevice? {
    guard let device = unsafe udev_device_new_from_syspath(context, path.cString) else {
      return nil
    }
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
    unsafe access(("/run/udev/control" as Literal).cString, F_OK) == 0
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

  /// `nil` if it has none of that name.
  @inline(never)
  func property(_ name: Literal) -> Text? {
    guard let value = unsafe udev_device_get_property_value(device, name.cString) else {
      return nil
    }
    return unsafe Text(cString: value)
  }

  /// The attribute's value. `nil` if libudev has none to give, for whatever reason: eudev does
  /// not always say.
  @inline(never)
  func attribute(_ name: Literal) -> Text? {
    guard let value = unsafe udev_device_get_sysattr_value(device, name.cString) else {
      return nil
    }
    return unsafe Text(cString: value)
  }
}
