/// The IDs of LicenseSpring's own clients, for devices that one of them activated.
enum CompatibilityScheme {
  static func id(
    _ scheme: HardwareIDScheme, _ evidence: HardwareEvidence
  ) throws(IdentityDerivation.Refusal) -> HardwareID {
    let text: HardwareText?
    switch scheme {
    case .licensespring: text = hashedMachineID(evidence)
    case .machineID: text = machineID(evidence)
    case .macDecimal: text = addressNumber(evidence)
    case .hb1, .random, .value: text = nil
    }
    guard let text, let id = HardwareID(utf8: text.bytes.span) else {
      throw .schemeUnavailable(scheme)
    }
    return id
  }

  /// SHA-256, lower-case hexadecimal, of the first line of `/etc/machine-id`, else of the D-Bus
  /// file's: the bytes up to LF, untrimmed, since that is what was activated with.
  private static func hashedMachineID(_ evidence: HardwareEvidence) -> HardwareText? {
    guard let line = firstLine(evidence.machineID) ?? firstLine(evidence.dbusMachineID),
      !isShared(line)
    else { return nil }
    var hasher = SHA256()
    hasher.update(line.bytes.span)
    let digest = hasher.finalize()
    var bytes: [UInt8] = []
    for index in digest.indices { bytes.append(digest[index]) }
    return HardwareText(hexOf: bytes)
  }

  /// The machine ID itself, trimmed; the D-Bus file first.
  private static func machineID(_ evidence: HardwareEvidence) -> HardwareText? {
    for content in [evidence.dbusMachineID, evidence.machineID] {
      guard case .value(let text) = content else { continue }
      var start = 0
      var end = text.byteCount
      while start < end, isBlank(text.bytes[start]) { start += 1 }
      while end > start, isBlank(text.bytes[end - 1]) { end -= 1 }
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
  private static func addressNumber(_ evidence: HardwareEvidence) -> HardwareText? {
    for reading in evidence.readings
    where reading.source == .networkAddress && reading.isOK && reading.canAnchor {
      guard let address = MACAddress(reading.value) else { return nil }
      var digits: [UInt8] = []
      var rest = address.number
      repeat {
        digits.insert(0x30 + UInt8(rest % 10), at: 0)
        rest /= 10
      } while rest > 0
      return HardwareText(digits)
    }
    return nil
  }

  private static func firstLine(_ content: HardwareObservation.Content) -> HardwareText? {
    guard case .value(let text) = content else { return nil }
    var end = 0
    while end < text.byteCount, text.bytes[end] != 0x0A { end += 1 }
    return end == 0 ? nil : text.slice(0..<end)
  }

  /// A machine ID that many devices have: an image's, the first-boot marker, zeros. Hashing it
  /// as the clients do would let one device take another's license; `value:` is the way to send
  /// it all the same.
  private static func isShared(_ text: HardwareText) -> Bool {
    let core = text.squeezed()
    if core.isLine(of: JunkLists.machineIDs) { return true }
    for byte in core.bytes where byte != core.bytes[0] { return false }
    return true
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
  }
}
