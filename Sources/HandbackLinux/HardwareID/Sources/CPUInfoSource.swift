import HandbackCore

/// `Serial` of `/proc/cpuinfo`: on 32-bit ARM the device tree's, on vendor kernels the fuse's.
enum CPUInfoSource {
  /// 512 KiB hold 256 x86 processors; ARM's serial comes last, of fewer and shorter blocks.
  private static let byteCountMax = 524_288

  static func observe(_ system: borrowing HardwareSystem, into found: HardwareObservations) {
    let path: Text = "/proc/cpuinfo"
    let content = system.tree.read(path, byteCountMax: byteCountMax)
    guard case .value(let text) = content else {
      // Linux has the file: where it isn't to be seen (ProcSubset=pid), more is hidden.
      let isHidden = system.tree.isRunningSystem
      found.add(.cpuinfoSerial, isHidden ? .unreadable : content)
      return
    }
    found.cpuinfo = CPUInfo(text.bytes.span)
    if let serial = found.cpuinfo.serial {
      found.add(.cpuinfoSerial, .value(serial))
    } else {
      found.add(.cpuinfoSerial, .absent)
    }
  }
}
