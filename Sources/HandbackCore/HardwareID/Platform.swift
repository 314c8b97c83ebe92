/// What the system runs on. Raw values are stored in the journal: never reuse one.
public enum Platform: UInt8, CaseIterable, Sendable {
  case metal = 1
  /// A virtual machine: its hardware is a file, and files are copied.
  case vm = 2
  /// A container: the hardware that shows through is the host's.
  case container = 3

  public var name: Literal {
    switch self {
    case .metal: "metal"
    case .vm: "vm"
    case .container: "container"
    }
  }
}
