import HandbackCore

/// The fuse of a system on a chip, as its kernel driver shows it.
enum SoCSource {
  static func observe(_ system: borrowing HardwareSystem, into found: HardwareObservations) {
    let device = system.device("/sys/devices/soc0")
    found.socFamily = system.text("family", of: device)
    var content = system.attribute("serial_number", of: device)
    // The name that i.MX vendor kernels give it.
    if case .absent = content { content = system.attribute("soc_uid", of: device) }
    found.add(.socSerial, content)
  }
}
