import HandbackCore

/// eMMC and SD cards. Only `type` tells what is soldered from what is in a slot.
enum MMCSource {
  private static let countMax = 64

  static func observe(_ system: borrowing HardwareSystem, into found: HardwareObservations) {
    let folder: Text = "/sys/bus/mmc/devices"
    var count = 0
    system.tree.eachName(in: folder) { name in
      let device = system.device(folder.joining(name))
      let kind = system.text("type", of: device).normalized()
      // SDIO is a radio or another function, and no storage.
      guard kind.isLine(of: "mmc\nsd\nsdcombo") else { return true }
      let observation = found.add(.eMMC, system.attribute("cid", of: device))
      observation.label = name
      observation.attachment = kind.isEqual(to: "mmc") ? .soldered : .removable
      observation.alias = system.text("serial", of: device)
      count += 1
      return count < countMax
    }
    if count == 0 { found.add(.eMMC, .absent) }
    if count == countMax { found.add(.eMMC, .unreadable) }
  }
}
