import HandbackCore

/// Small EEPROMs on the board's I²C buses; the core knows which of them names the board.
enum BoardEEPROMSource {
  /// Reading goes over a slow bus, and the header is all that is wanted.
  private static let byteCountMax = 64
  private static let countMax = 256

  static func observe(_ system: borrowing HardwareSystem, into found: inout HardwareObservations) {
    let folder = HardwarePath("/sys/bus/i2c/devices")
    guard let names = system.tree.names(in: folder, countMax: countMax) else {
      found.list.append(HardwareObservation(.boardEEPROM, .unreadable))
      return
    }
    var isFound = false
    for name in names {
      let path = folder.appending(name).appending("eeprom")
      let content = system.tree.read(path, byteCountMax: byteCountMax)
      if case .absent = content { continue }
      var observation = HardwareObservation(.boardEEPROM, content)
      observation.label = HardwareText(name)
      found.list.append(observation)
      isFound = true
    }
    if !isFound { found.list.append(HardwareObservation(.boardEEPROM, .absent)) }
  }
}
