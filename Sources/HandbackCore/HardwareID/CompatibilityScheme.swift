/// The IDs of LicenseSpring's own clients, for devices that one of them activated.
enum CompatibilityScheme {
  static func id(
    _ scheme: HardwareIDScheme, _ evidence: HardwareEvidence
  ) throws(IdentityDerivation.Refusal) -> HardwareID {
    let text: Text?
    switch scheme {
    case .licensespring: text = hashedMachineID(evidence)
    case .machineID: text = machineID(evidence)
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
  private static func hashedMachineID(_ evidence: HardwareEvidence) -> Text? {
    if case .unreadable = evidence.machineID { return nil }
    guard let line = firstLine(evidence.machineID) ?? firstLine(evidence.dbusMachineID),
      !isShared(line)
    else { return nil }
    return line.hashed()
  }

  /// The machine ID itself, trimmed; the D-Bus file first.
  private static func machineID(_ evidence: HardwareEvidence) -> Text? {
    for content in [evidence.dbusMachineID, evidence.machineID] {
      // One that can't be read now may be another one.
      if case .unreadable = content { return nil }
      guard case .value(let text) = content else { continue }
      var start = 0
      var end = text.bytes.count
      while start < end, Text.isBlank(text.bytes[start]) { start += 1 }
      while end > start, Text.isBlank(text.bytes[end - 1]) { end -= 1 }
      if start < end {
        let trimmed = text.slice(start..<end)
        return isShared(trimmed) ? nil : trimmed
      }
    }
    return nil
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

  private static func firstLine(_ content: HardwareObservation.Content) -> Text? {
    guard case .value(let text) = content else { return nil }
    var end = 0
    while end < text.bytes.count, text.bytes[end] != 0x0A { end += 1 }
    return end == 0 ? nil : text.prefix(end)
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
