import HandbackCore

/// The fuse of a system on a chip, as its kernel driver shows it.
enum SoCSource {
  static func observe(_ system: borrowing HardwareSystem, into found: inout HardwareObservations) {
    let device = system.device(HardwarePath("/sys/devices/soc0"))
    if case .value(let family) = system.attribute("family", of: device) {
      found.socFamily = family
    }
    var content = system.attribute("serial_number", of: device)
    // The name that i.MX vendor kernels give it.
    if case .absent = content { content = system.attribute("soc_uid", of: device) }
    found.list.append(HardwareObservation(.socSerial, content))
  }
}
