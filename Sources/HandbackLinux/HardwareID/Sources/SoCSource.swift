import HandbackCore

/// The fuse of a system on a chip, as its kernel driver shows it.
enum SoCSource {
  static func observe(_ system: borrowing HardwareSystem, into found: HardwareObservations) {
    // Its name may be what tells how the fuse is read.
    var isHidden = false
    // The firmware's device (SMCCC SOC_ID) has no serial number, and may come before the driver's.
    for number: Literal in ["0", "1", "2", "3"] {
      let device = system.device("/sys/devices/soc\(number)")
      var content = system.attribute("serial_number", of: device)
      // The name that i.MX vendor kernels give it.
      if case .absent = content { content = system.attribute("soc_uid", of: device) }
      for name: Literal in ["family", "soc_id"] {
        switch system.attribute(name, of: device) {
        case .value(let text): found.socFamily += text
        case .unreadable: isHidden = true
        default: break
        }
      }
      if case .absent = content { continue }
      found.add(.socSerial, isHidden ? .unreadable : content)
      return
    }
    found.add(.socSerial, .absent)
  }
}
