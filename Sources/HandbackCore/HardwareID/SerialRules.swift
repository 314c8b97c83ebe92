/// What a serial number must not be. Lists hold what was seen; the rules hold what makes it so.
///
/// Changing either never changes an issued ID: the pinned record decides.
enum SerialRules {
  /// No serial seen has more than 40 characters.
  static let byteCountMax = 128

  /// `nil` for a value that may be a serial number; `serial` is normalized.
  static func junk(_ serial: Text) -> JunkReason? {
    if serial.isEmpty { return .empty }
    if serial.bytes.count > byteCountMax { return .malformed }
    for byte in serial.bytes where byte < 0x20 || byte >= 0x7F { return .malformed }
    if MACAddress(serial) != nil { return .networkAddress }
    let core = serial.squeezed()
    // Punctuation only: "-----", "?", "***".
    if core.isEmpty { return .filler }
    if core.bytes.count < 4 { return .tooShort }
    if isRepeated(core) || isNearlyZero(core) || isRisingDigits(core) { return .filler }
    if isFillerText(core) || isNothing(serial, core) || isFieldName(core) { return .filler }
    if isTemplate(serial) || endsLikeVersion(serial) { return .filler }
    return core.isLine(of: JunkLists.serials) ? .listed : nil
  }

  /// `0000`, `xxxx`: one character for every position.
  private static func isRepeated(_ core: Text) -> Bool {
    for byte in core.bytes where byte != core.bytes[0] { return false }
    return true
  }

  /// Zeros and ones only, as long as that is short or has one single 1. GLPI refuses any length,
  /// but a fuse of 16 binary digits with more than one 1 is thinkable.
  private static func isNearlyZero(_ core: Text) -> Bool {
    var ones = 0
    for byte in core.bytes {
      if byte == 0x31 { ones += 1 } else if byte != 0x30 { return false }
    }
    return core.bytes.count < 8 || ones <= 1
  }

  /// The whole value counts up from 0, 1 or 2.
  private static func isRisingDigits(_ core: Text) -> Bool {
    guard (0x30...0x32).contains(core.bytes[0]) else { return false }
    for index in 1..<core.bytes.count {
      let expected = core.bytes[index - 1] == 0x39 ? 0x30 : core.bytes[index - 1] + 1
      if core.bytes[index] != expected { return false }
    }
    return true
  }

  /// What firmware is delivered with, what decoders print, and digits that count to nine.
  private static func isFillerText(_ core: Text) -> Bool {
    core.containsWord(
      of: """
        tobefilled filledbyo tbdby defaultstring oemserial badindex outofspec serialnumberx \
        123456789 987654321
        """)
  }

  /// Words for nothing, also as the beginning of a longer text.
  private static func isNothing(_ serial: Text, _ core: Text) -> Bool {
    let words: Literal = """
      none
      null
      unknow
      uknown
      unkn
      undefined
      unspecified
      invalid
      error
      empty
      reserved
      nostring
      noasset
      noserial
      defaultserial
      notspec
      notappl
      notavail
      notpres
      notset
      notinst
      notdef
      """
    return serial.hasPrefix("not ") || core.hasLinePrefix(of: words)
  }

  /// The name of the field in its own place: "System Serial Number", "Board Version".
  private static func isFieldName(_ core: Text) -> Bool {
    if core.isEqual(to: "serial") || core.hasLinePrefix(of: "serialn\nsernum") { return true }
    if core.hasPrefix("asset"), core.contains("num") { return true }
    let subjects = Text("system baseboard board chassis product mb pca asset part")
    for subject in subjects.split(at: 0x20) where core.hasPrefix(subject) {
      let rest = core.suffix(from: subject.bytes.count)
      if rest.hasLinePrefix(of: "product\nserial\nsku\nvendor\nversion\nmanufactur") {
        return true
      }
    }
    return false
  }

  /// AMI's template: "Type2 - Board Serial Number".
  private static func isTemplate(_ serial: Text) -> Bool {
    guard serial.hasPrefix("type") else { return false }
    var index = 4
    if serial.has(" ", at: index) { index += 1 }
    guard index < serial.bytes.count, Decimal.isDigit(serial.bytes[index]) else { return false }
    index += 1
    if serial.has(" ", at: index) { index += 1 }
    return serial.has("-", at: index)
  }

  /// "1.2" or "3.0.1" at the end: a version number, as VirtualBox and some Intel boards have it.
  private static func endsLikeVersion(_ serial: Text) -> Bool {
    let count = serial.bytes.count
    guard count >= 3 else { return false }
    return Decimal.isDigit(serial.bytes[count - 1]) && serial.bytes[count - 2] == 0x2E
      && Decimal.isDigit(serial.bytes[count - 3])
  }
}
