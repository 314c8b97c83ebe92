import HandbackCore

/// The fuse of a system on a chip, as its kernel driver shows it.
enum SoCSource {
  static func observe(_ system: borrowing HardwareSystem, into found: HardwareObservations) {
    // The firmware's device (SMCCC SOC_ID) has no serial number, and may come before the driver's.
    for number: Literal in ["0", "1", "2", "3"] {
      let device = system.device("/sys/devices/soc\(number)")
      var content = system.attribute("serial_number", of: device)
      // The name that i.MX vendor kernels give it.
      if case .absent = content { content = system.attribute("soc_uid", of: device) }
      // Not kept where there is none.
      let observation = HardwareObservation(.socSerial, content)
      for name: Literal in ["family", "soc_id"] {
        found.socFamily += system.text(name, of: device, for: observation)
      }
      if case .absent = content { continue }
      found.add(.socSerial, observation.content)
      return
    }
    found.add(.socSerial, .absent)
  }
}
