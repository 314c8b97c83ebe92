/// How the hardware ID is made. Raw values are stored in the journal: never reuse one.
public enum HardwareIDScheme: UInt8, CaseIterable, Sendable {
  /// Our own, frozen; a change of rules that changes IDs would be `hb2`.
  case hb1 = 1
  /// The official clients' documented Linux way: SHA-256 of the machine ID's first line.
  case licensespring = 2
  /// The Python client's "platform" provider: the machine ID itself.
  case machineID = 3
  /// The Python client's default: the MAC address as a decimal number.
  case macDecimal = 4
  /// Random, enrolled; nothing of the hardware is in it.
  case random = 5
  /// The very string that the device was activated with.
  case value = 6

  public var name: Literal {
    switch self {
    case .hb1: "hb1"
    case .licensespring: "licensespring"
    case .machineID: "machine-id"
    case .macDecimal: "mac-decimal"
    case .random: "random"
    case .value: "value"
    }
  }

  /// Takes a name as `--scheme` has it; `value` is written `value:STRING` there, so the caller
  /// cuts the string off first.
  public init?(utf8 text: Span<UInt8>) {
    for candidate in Self.allCases where matches(candidate.name, text) {
      self = candidate
      return
    }
    return nil
  }
}
