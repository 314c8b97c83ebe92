import HandbackCore

/// eMMC and SD cards. Only `type` tells what is soldered from what is in a slot.
enum MMCSource {
  private static let countMax = 64

  static func observe(_ system: borrowing HardwareSystem, into found: inout HardwareObservations) {
    let folder = HardwarePath("/sys/bus/mmc/devices")
    guard let names = system.tree.names(in: folder, countMax: countMax) else {
      found.list.append(HardwareObservation(.eMMC, .unreadable))
      return
    }
    var isFound = false
    for name in names {
      let device = system.device(folder.appending(name))
      guard case .value(let type) = system.attribute("type", of: device) else { continue }
      let kind = type.normalized()
      let isSoldered = kind == HardwareText("mmc")
      // SDIO is a radio or another function, and no storage.
      guard isSoldered || kind == HardwareText("sd") || kind == HardwareText("sdcombo") else {
        continue
      }
      var observation = HardwareObservation(.eMMC, system.attribute("cid", of: device))
      observation.label = HardwareText(name)
      observation.attachment = isSoldered ? .soldered : .removable
      if case .value(let serial) = system.attribute("serial", of: device) {
        observation.alias = serial
      }
      found.list.append(observation)
      isFound = true
    }
    if !isFound { found.list.append(HardwareObservation(.eMMC, .absent)) }
  }
}
