/// A place where hardware may say who it is, best first: **this order is the ranking**.
///
/// To add a source: a case here at its rank with a new, never used raw value (it is stored in
/// the journal), and a type in `HandbackLinux/HardwareID/Sources/` that reads it.
public enum HardwareIDSource: UInt8, CaseIterable, Sendable {
  case tpmEndorsementKey = 1
  case socSerial = 2
  case cpuinfoSerial = 3
  case deviceTreeSerial = 4
  case boardEEPROM = 5
  case productSerial = 6
  case boardSerial = 7
  case productUUID = 8
  case eMMC = 9
  case networkAddress = 10
  // The rest is never an anchor: a chassis outlives its board, a disk moves with the record.
  case chassisSerial = 11
  case disk = 12
  case vmGeneration = 13

  public var name: Literal { Self.names[Int(rawValue) - 1] }

  static var names: Literals {
    """
    tpm-ek\0soc-serial\0cpuinfo-serial\0device-tree-serial\0board-eeprom\0product-serial\0\
    board-serial\0product-uuid\0emmc\0network-address\0chassis-serial\0disk\0vm-generation
    """
  }

  /// What an ID anchored here is called; `nil` for what is never an anchor on metal.
  ///
  /// The three ways to read a SoC's fuse share a class: kernels differ in which they offer.
  public var anchorClass: HardwareIDClass? {
    switch self {
    case .tpmEndorsementKey: .tpm
    case .socSerial, .cpuinfoSerial, .deviceTreeSerial: .soc
    case .boardEEPROM: .eep
    case .productSerial: .psn
    case .boardSerial: .bsn
    case .productUUID: .uuid
    case .eMMC: .mmc
    case .networkAddress: .mac
    case .chassisSerial, .disk, .vmGeneration: nil
    }
  }

  /// Sources that read one and the same thing go by the first of them.
  var family: HardwareIDSource {
    switch self {
    case .cpuinfoSerial, .deviceTreeSerial: .socSerial
    default: self
    }
  }

  /// The name that a component token is labelled with: sources of one family give one token for
  /// one value.
  var group: Literal { family == .socSerial ? "soc" : name }

  /// Whether this source, differing from the record, says "another device" by itself.
  ///
  /// Not an address or a disk: parts that are replaced. Not the chassis: boards move into others.
  var isStrong: Bool {
    switch self {
    case .tpmEndorsementKey, .socSerial, .cpuinfoSerial, .deviceTreeSerial, .boardEEPROM,
      .productSerial, .boardSerial, .productUUID, .eMMC:
      true
    case .networkAddress, .chassisSerial, .disk, .vmGeneration: false
    }
  }

  /// Whether agreement counts when the anchor is lost. A disk's or an eMMC module's does not: the
  /// record lies on it, and both move to the next board together.
  var countsAsWitness: Bool {
    switch self {
    case .disk, .eMMC, .vmGeneration: false
    default: true
    }
  }

  public init?(utf8 text: Span<UInt8>) {
    for candidate in Self.allCases where matches(candidate.name, text) {
      self = candidate
      return
    }
    return nil
  }
}
