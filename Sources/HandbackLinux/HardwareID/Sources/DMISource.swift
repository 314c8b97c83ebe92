import HandbackCore

/// Strings of the firmware's DMI table, which the kernel keeps as attributes of one device.
///
/// Serials and UUID are readable by root only; a field that the table lacks has no file.
enum DMISource {
  static func observe(_ system: borrowing HardwareSystem, into found: HardwareObservations) {
    let device = system.device("/sys/class/dmi/id")
    let signs = found.signs
    let product = found.add(.productSerial, system.attribute("product_serial", of: device))
    product.maker = system.text("sys_vendor", of: device, for: product, signs)
    product.product = system.text("product_name", of: device, for: product, signs)

    let board = found.add(.boardSerial, system.attribute("board_serial", of: device))
    board.maker = system.text("board_vendor", of: device, for: board, signs)
    board.product = system.text("board_name", of: device, for: board)

    signs.systemVendor = product.maker
    signs.productName = product.product
    signs.productVersion = system.text("product_version", of: device, for: nil, signs)
    signs.boardVendor = board.maker
    signs.biosVendor = system.text("bios_vendor", of: device, for: nil, signs)
    found.add(.chassisSerial, system.attribute("chassis_serial", of: device))
    found.add(.productUUID, system.attribute("product_uuid", of: device))
  }
}
