/// An IEEE 802 address of 48 bits, and what it must not be to name a device.
struct MACAddress: Equatable {
  let octets: [UInt8]

  /// Takes six pairs of digits with colons or hyphens between them.
  init?(_ text: Text) {
    guard text.bytes.count == 17 else { return nil }
    for index in stride(from: 2, to: 17, by: 3)
    where text.bytes[index] != 0x3A && text.bytes[index] != 0x2D { return nil }
    guard let octets = text.hexBytes(skipping: ":-"), octets.count == 6 else { return nil }
    self.octets = octets
  }

  /// `nn:nn:nn:nn:nn:nn`, lower case.
  var text: Text {
    var text = Text()
    for octet in octets {
      if !text.isEmpty { text.append(0x3A) }
      text.append(Text.hexCharacter(octet >> 4))
      text.append(Text.hexCharacter(octet & 15))
    }
    return text
  }

  /// The address as the one number that the Python client sends.
  var number: UInt64 {
    var number: UInt64 = 0
    for octet in octets { number = number << 8 | UInt64(octet) }
    return number
  }

  /// Locally administered: not assigned to a maker (IEEE 802).
  var isLocal: Bool { octets[0] & 2 != 0 }
  var isGroup: Bool { octets[0] & 1 != 0 }

  /// `nil` for an address that a maker may have given to one device.
  func junk() -> JunkReason? {
    if isGroup || isLocal { return .notPermanent }
    let digits = Text(hexOf: octets.span)
    if digits.hasLinePrefix(of: Self.hypervisors) { return .virtual }
    if digits.hasLinePrefix(of: JunkLists.addressPrefixes) { return .filler }
    if hasFillerRun() || hasEmptyDevicePart() { return .filler }
    return digits.isLine(of: JunkLists.addresses) ? .listed : nil
  }

  /// VMware, VirtualBox, QEMU, Hyper-V, Xen, Parallels, Docker.
  private static let hypervisors: Literal = """
    000569
    000c29
    001c14
    005056
    080027
    525400
    00155d
    00163e
    001c42
    0242
    """

  /// Five equal octets, or five that are all of 00, 88 and ff.
  private func hasFillerRun() -> Bool {
    for start in 0...1 {
      var isEqual = true
      var isFiller = true
      for index in start..<(start + 5) {
        if octets[index] != octets[start] { isEqual = false }
        if octets[index] != 0, octets[index] != 0x88, octets[index] != 0xFF { isFiller = false }
      }
      if isEqual || isFiller { return true }
    }
    return false
  }

  /// The three octets that tell a maker's devices apart are all 00 or all ff, or the digits
  /// `beef` that someone typed, as NXP's boot environments do (`00:04:9f:be:ef:00` on the S32G).
  private func hasEmptyDevicePart() -> Bool {
    let last = (octets[3], octets[4], octets[5])
    if last == (0, 0, 0) || last == (0xFF, 0xFF, 0xFF) { return true }
    return octets[3] == 0xBE && octets[4] == 0xEF
  }
}
