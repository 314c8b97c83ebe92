import HandbackCore

/// eMMC and SD cards. Only `type` tells what is soldered from what is in a slot.
enum MMCSource {
  private static let countMax = 64

  static func observe(_ system: borrowing HardwareSystem, into found: HardwareObservations) {
    let folder: Text = "/sys/bus/mmc/devices"
    var count = 0
    let isWhole = system.tree.eachName(in: folder) { name in
      let device = system.device(folder.joining(name))
      let type = system.attribute("type", of: device)
      if case .unreadable = type {
        // It may be soldered.
        found.add(.eMMC, .unreadable).label = name
        count += 1
      }
      // SDIO is a radio or another function, and no storage.
      guard case .value(let text) = type, text.normalized().isLine(of: "mmc\nsd\nsdcombo") else {
        return count < countMax
      }
      let observation = found.add(.eMMC, system.attribute("cid", of: device))
      observation.label = name
      observation.attachment = text.normalized().isEqual(to: "mmc") ? .soldered : .removable
      observation.alias = system.text("serial", of: device, for: observation)
      count += 1
      return count < countMax
    }
    found.end(.eMMC, count: count, isWhole: isWhole && count < countMax)
  }
}
