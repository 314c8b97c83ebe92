/// What `/proc/cpuinfo` says about the device, beside the processor's kind.
public struct CPUInfo: Sendable {
  /// `Serial`: on 32-bit ARM the device tree's, on vendor kernels the fuse's. `nil` without one.
  public private(set) var serial: HardwareText?
  /// `Hardware`: the board family's name on ARM.
  public private(set) var hardware = HardwareText()
  /// x86: the processor says that a hypervisor is below (`hypervisor` in `flags`).
  public private(set) var hasHypervisorFlag = false

  public init() {}

  public init(_ text: Span<UInt8>) {
    var start = 0
    for index in 0...text.count where index == text.count || text[index] == 0x0A {
      readLine(text.extracting(start..<index))
      start = index + 1
    }
  }

  private mutating func readLine(_ line: Span<UInt8>) {
    var colon = 0
    while colon < line.count, line[colon] != 0x3A { colon += 1 }
    guard colon < line.count else { return }
    var nameEnd = colon
    while nameEnd > 0, line[nameEnd - 1] == 0x20 || line[nameEnd - 1] == 0x09 { nameEnd -= 1 }
    let name = line.extracting(0..<nameEnd)
    let value = line.extracting((colon + 1)..<line.count)
    if ("Serial" as StaticString).isEqual(to: name) {
      serial = Self.text(value)
    } else if ("Hardware" as StaticString).isEqual(to: name) {
      hardware = Self.text(value)
    } else if ("flags" as StaticString).isEqual(to: name) {
      if Self.text(value).contains("hypervisor") { hasHypervisorFlag = true }
    }
  }

  private static func text(_ value: Span<UInt8>) -> HardwareText {
    var bytes: [UInt8] = []
    for index in value.indices { bytes.append(value[index]) }
    return HardwareText(bytes)
  }
}
