/// Why a value is not taken for an identity.
public enum JunkReason: UInt8, CaseIterable, Sendable {
  case empty
  /// On the list of values that makers, emulators and images repeat.
  case listed
  /// By a rule: one character repeated, rising digits, a field's name, a decoder's error text.
  case filler
  case tooShort
  /// Control characters, bytes outside of ASCII, too long, or not of the form it must have.
  case malformed
  /// A network address in a serial's or a UUID's place: it goes where the network part goes.
  case networkAddress
  /// All of a UUID's bytes are text: a serial in disguise, cut short by some firmware.
  case serialInDisguise
  /// A serial number of nobody: neither maker nor product is named.
  case nameless
  /// The boot loader took it from a memory card or an eMMC.
  case fromStorage
  /// A local or group address, or one that the system chose.
  case notPermanent
  /// A hypervisor's or container runtime's address.
  case virtual

  public var name: Literal { Self.names[Int(rawValue)] }

  static var names: Literals {
    """
    empty\0listed\0filler\0too short\0malformed\0a network address\0a serial in disguise\0\
    without maker and product\0taken from storage\0not permanent\0virtual
    """
  }
}
