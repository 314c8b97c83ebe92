/// What `/proc/cpuinfo` says about the device, beside the processor's kind.
public struct CPUInfo: Sendable {
  /// `Serial`: on 32-bit ARM the device tree's, on vendor kernels the fuse's. `nil` without one.
  public private(set) var serial: Text?
  /// `Hardware`: the board family's name on ARM.
  public private(set) var hardware = Text()
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
    if matches("Serial", name) {
      serial = Text(value)
    } else if matches("Hardware", name) {
      hardware = Text(value)
    } else if matches("flags", name) {
      if Text(value).contains("hypervisor") { hasHypervisorFlag = true }
    }
  }
}
