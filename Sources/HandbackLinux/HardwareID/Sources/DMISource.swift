import HandbackCore

/// Strings of the firmware's DMI table, which the kernel keeps as attributes of one device.
///
/// Serials and UUID are readable by root only; a field that the table lacks has no file.
enum DMISource {
  static func observe(_ system: borrowing HardwareSystem, into found: inout HardwareObservations) {
    let device = system.device(HardwarePath("/sys/class/dmi/id"))
    found.signs.systemVendor = text("sys_vendor", device, system)
    found.signs.productName = text("product_name", device, system)
    found.signs.productVersion = text("product_version", device, system)
    found.signs.boardVendor = text("board_vendor", device, system)
    found.signs.biosVendor = text("bios_vendor", device, system)

    var product = HardwareObservation(
      .productSerial, system.attribute("product_serial", of: device))
    product.maker = found.signs.systemVendor
    product.product = found.signs.productName
    found.list.append(product)

    var board = HardwareObservation(.boardSerial, system.attribute("board_serial", of: device))
    board.maker = found.signs.boardVendor
    board.product = text("board_name", device, system)
    found.list.append(board)

    found.list.append(
      HardwareObservation(.chassisSerial, system.attribute("chassis_serial", of: device)))
    found.list.append(
      HardwareObservation(.productUUID, system.attribute("product_uuid", of: device)))
  }

  private static func text(
    _ name: StaticString, _ device: borrowing HardwareDevice, _ system: borrowing HardwareSystem
  ) -> HardwareText {
    guard case .value(let text) = system.attribute(name, of: device) else { return HardwareText() }
    return text
  }
}
