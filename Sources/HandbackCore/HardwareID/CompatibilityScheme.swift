/// The IDs of LicenseSpring's own clients, for devices that one of them activated.
enum CompatibilityScheme {
  static func id(
    _ scheme: HardwareIDScheme, _ evidence: HardwareEvidence
  ) throws(IdentityDerivation.Refusal) -> HardwareID {
    let text: Text?
    switch scheme {
    case .licensespring: text = try hashedMachineID(evidence)
    case .machineID: text = try machineID(evidence)
    case .macDecimal:
      // One that can't be read now may be the one.
      for reading in evidence.readings where reading.source == .networkAddress {
        if case .late = reading.state { throw .notReady(.networkAddress) }
        if case .unreadable = reading.state { throw .unreadable(.networkAddress) }
      }
      text = addressNumber(evidence)
    case .hb1, .random, .value: text = nil
    }
    guard let text, let id = HardwareID(utf8: text.bytes.span) else {
      throw .schemeUnavailable(scheme)
    }
    return id
  }

  /// SHA-256, lower-case hexadecimal, of the first line of `/etc/machine-id`, else of the D-Bus
  /// file's: the bytes up to LF, untrimmed, since that is what was activated with.
  private static func hashedMachineID(
    _ evidence: HardwareEvidence
  ) throws(IdentityDerivation.Refusal) -> Text? {
    var line = try firstLine(evidence.machineID, Self.file)
    if line.isEmpty { line = try firstLine(evidence.dbusMachineID, Self.dbusFile) }
    return line.isEmpty || isShared(line) ? nil : line.hashed()
  }

  private static let file: Literal = "/etc/machine-id"
  private static let dbusFile: Literal = "/var/lib/dbus/machine-id"

  /// A file's content, nothing if there is none; one that can't be read now may be another one.
  private static func text(
    _ content: HardwareObservation.Content, _ file: Literal
  ) throws(IdentityDerivation.Refusal) -> Text {
    if case .unreadable = content { throw .hidden(file) }
    guard case .value(let text) = content else { return Text() }
    return text
  }

  /// The machine ID itself, trimmed; the D-Bus file first.
  private static func machineID(
    _ evidence: HardwareEvidence
  ) throws(IdentityDerivation.Refusal) -> Text? {
    var line = try trimmed(evidence.dbusMachineID, Self.dbusFile)
    if line.isEmpty { line = try trimmed(evidence.machineID, Self.file) }
    return line.isEmpty || isShared(line) ? nil : line
  }

  private static func trimmed(
    _ content: HardwareObservation.Content, _ file: Literal
  ) throws(IdentityDerivation.Refusal) -> Text {
    let text = try text(content, file)
    var start = 0
    var end = text.bytes.count
    while start < end, Text.isBlank(text.bytes[start]) { start += 1 }
    while end > start, Text.isBlank(text.bytes[end - 1]) { end -= 1 }
    return text.slice(start..<end)
  }

  /// The address that an ID of class `mac` would be made of, as a decimal number. The Python
  /// client takes whichever its library finds first; with one network port it is the same, and
  /// where it isn't, `value:` says which.
  private static func addressNumber(_ evidence: HardwareEvidence) -> Text? {
    for reading in evidence.readings
    where reading.source == .networkAddress && reading.isOK && reading.canAnchor {
      guard let address = MACAddress(reading.value) else { return nil }
      var digits: [UInt8] = []
      var rest = address.number
      repeat {
        digits.insert(0x30 + UInt8(rest % 10), at: 0)
        rest /= 10
      } while rest > 0
      return Text(digits)
    }
    return nil
  }

  private static func firstLine(
    _ content: HardwareObservation.Content, _ file: Literal
  ) throws(IdentityDerivation.Refusal) -> Text {
    let text = try text(content, file)
    var end = 0
    while end < text.bytes.count, text.bytes[end] != 0x0A { end += 1 }
    return text.prefix(end)
  }

  /// A machine ID that many devices have: an image's, the first-boot marker, zeros. Hashing it
  /// as the clients do would let one device take another's license; `value:` is the way to send
  /// it all the same.
  private static func isShared(_ text: Text) -> Bool {
    let core = text.squeezed()
    if core.isLine(of: JunkLists.machineIDs) { return true }
    for byte in core.bytes where byte != core.bytes[0] { return false }
    return true
  }
}
