/// What kind of thing an ID is made of: the second part of an `hb1` ID, so a support person
/// sees at a glance how much it is worth.
///
/// Raw values are stored in the journal: never reuse one.
public enum HardwareIDClass: UInt8, CaseIterable, Sendable {
  /// The endorsement key of a TPM.
  case tpm = 1
  /// A serial number fused into the system on a chip.
  case soc = 2
  /// A serial number in the board's EEPROM.
  case eep = 3
  /// The product's serial number in DMI.
  case psn = 4
  /// The mainboard's serial number in DMI.
  case bsn = 5
  /// The product's UUID in DMI.
  case uuid = 6
  /// A soldered eMMC's card identification.
  case mmc = 7
  /// An onboard network port's address.
  case mac = 8
  /// A virtual machine: its UUID and a random part.
  case v = 9
  /// A random, enrolled ID: nothing of the hardware is in it.
  case r = 10
  /// A value chosen outside of our scheme; the record's components alone tie it to the device.
  case given = 11

  public var name: Literal { Self.names[Int(rawValue) - 1] }

  static var names: Literals {
    """
    tpm\0soc\0eep\0psn\0bsn\0uuid\0mmc\0mac\0v\0r\0given
    """
  }

  /// How far an ID of this class can be relied on to name one device and to stay.
  public var confidence: HardwareIDConfidence {
    switch self {
    case .tpm, .soc, .eep, .psn, .bsn: .high
    case .uuid, .mmc: .medium
    case .mac, .v: .low
    case .r, .given: .unverified
    }
  }

  /// What would make a new derivation give another ID; the pinned one stays until `--repin`.
  public var changesWith: Literal { Self.whatChanges[Int(rawValue) - 1] }

  static var whatChanges: Literals {
    """
    the TPM, or clearing its endorsement hierarchy\0\
    the board\0\
    the board, or writing its EEPROM\0\
    the device, or a firmware that writes another serial number\0\
    the mainboard, or a firmware that writes another serial number\0\
    the mainboard, or a firmware that writes another UUID\0\
    the soldered eMMC, which comes with the board\0\
    the network port, or setting its address anew\0\
    the virtual machine: a clone, or going back to a snapshot\0\
    nothing: it is random\0\
    nothing: it was given
    """
  }

  init?(utf8 text: Span<UInt8>) {
    for candidate in Self.allCases where matches(candidate.name, text) {
      self = candidate
      return
    }
    return nil
  }
}

/// How far an ID can be relied on.
public enum HardwareIDConfidence: UInt8, Sendable {
  /// Set at the factory, in a part that makes the device what it is.
  case high
  /// Likely unique, but copied or rewritten on some boards.
  case medium
  /// Goes with a part that may be replaced, or with a virtual machine that may be cloned.
  case low
  /// Nothing in the hardware vouches for it.
  case unverified

  public var name: Literal {
    switch self {
    case .high: "high"
    case .medium: "medium"
    case .low: "low"
    case .unverified: "unverified"
    }
  }
}
