import HandbackCore

/// Small EEPROMs on the board's I²C buses; the core knows which of them names the board.
enum BoardEEPROMSource {
  /// Reading goes over a slow bus, and the header is all that is wanted.
  private static let byteCountMax = 64
  private static let countMax = 256

  static func observe(_ system: borrowing HardwareSystem, into found: HardwareObservations) {
    let folder: Text = "/sys/bus/i2c/devices"
    var count = 0
    let isWhole = system.tree.eachName(in: folder) { name in
      let path = folder.joining(name).joining("eeprom")
      let content = system.tree.read(path, byteCountMax: byteCountMax)
      if case .absent = content { return true }
      found.add(.boardEEPROM, content).label = name
      count += 1
      return count < countMax
    }
    found.end(.boardEEPROM, count: count, isWhole: isWhole && count < countMax)
  }
}
