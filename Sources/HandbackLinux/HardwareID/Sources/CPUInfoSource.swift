import HandbackCore

/// `Serial` of `/proc/cpuinfo`: on 32-bit ARM the device tree's, on vendor kernels the fuse's.
enum CPUInfoSource {
  /// 512 KiB hold 256 x86 processors; ARM's serial comes last, of fewer and shorter blocks.
  private static let byteCountMax = 524_288

  static func observe(_ system: borrowing HardwareSystem, into found: inout HardwareObservations) {
    switch system.tree.readBytes(HardwarePath("/proc/cpuinfo"), byteCountMax: byteCountMax) {
    case .success(let text):
      found.cpuinfo = CPUInfo(text.span)
      if let serial = found.cpuinfo.serial {
        found.list.append(HardwareObservation(.cpuinfoSerial, .value(serial)))
      } else {
        found.list.append(HardwareObservation(.cpuinfoSerial, .absent))
      }
    case .failure(let reason):
      found.list.append(HardwareObservation(.cpuinfoSerial, HardwareTree.content(reason.code)))
    }
  }
}
