/// A DMI UUID, and what it must not be to name a device.
///
/// The same 16 bytes are printed in two orders: SMBIOS 2.6 swapped the first three fields, and a
/// kernel or BIOS update may go from one to the other. So both are looked at, and the smaller of
/// the two stands for the device.
struct HardwareUUID {
  /// As printed.
  let bytes: [UInt8]

  /// Takes 32 digits, with hyphens or without.
  init?(_ text: Text) {
    guard text.bytes.count == 32 || text.bytes.count == 36 else { return nil }
    guard let bytes = text.hexBytes(skipping: "-"), bytes.count == 16 else { return nil }
    self.bytes = bytes
  }

  /// The first three fields with their bytes in the other order.
  static func swapped(_ bytes: [UInt8]) -> [UInt8] {
    var result = bytes
    let order: InlineArray<8, Int> = [3, 2, 1, 0, 5, 4, 7, 6]
    for index in 0..<8 { result[index] = bytes[order[index]] }
    return result
  }

  /// min(u, byteswap(u)), 8-4-4-4-12.
  var canonicalText: Text {
    let digits = canonicalDigits.bytes
    var text = Text()
    for index in digits.indices {
      if index == 8 || index == 12 || index == 16 || index == 20 { text.append(0x2D) }
      text.append(digits[index])
    }
    return text
  }

  private var canonicalDigits: Text {
    let printed = Text(hexOf: bytes.span)
    let other = Text(hexOf: Self.swapped(bytes).span)
    return printed.precedes(other) ? printed : other
  }

  /// `nil` for a UUID that may belong to one device.
  func junk() -> JunkReason? {
    if let reason = Self.junk(bytes) ?? Self.junk(Self.swapped(bytes)) { return reason }
    return canonicalDigits.isLine(of: JunkLists.uuids) ? .listed : nil
  }

  private static func junk(_ bytes: [UInt8]) -> JunkReason? {
    if isRepeated(bytes) || isCounter(bytes) || isRising(bytes) { return .filler }
    if isAll(bytes, 8..<16, 0xFF) || isAll(bytes, 0..<10, 0) { return .filler }
    // ASRock: the address first or last, the rest zero.
    if isAll(bytes, 4..<10, 0) || isAll(bytes, 6..<16, 0) { return .networkAddress }
    if isDellWithoutTag(bytes) { return .filler }
    if isText(bytes) { return .serialInDisguise }
    return nil
  }

  private static func isAll(_ bytes: [UInt8], _ range: Range<Int>, _ value: UInt8) -> Bool {
    for index in range where bytes[index] != value { return false }
    return true
  }

  /// One byte 16 times; one nibble 32 times is a case of it.
  private static func isRepeated(_ bytes: [UInt8]) -> Bool { isAll(bytes, 1..<16, bytes[0]) }

  /// Nothing above 16: `03000200-0400-0500-0006-000700080009` and its kin.
  private static func isCounter(_ bytes: [UInt8]) -> Bool {
    for byte in bytes where byte > 0x10 { return false }
    return true
  }

  private static func isRising(_ bytes: [UInt8]) -> Bool {
    let digits = Text(hexOf: bytes.span)
    return digits.hasPrefix("00010203040506070809") || digits.hasPrefix("0102030405060708090a")
      || digits.hasPrefix("123456781234") || digits.hasPrefix("0123456789abcdef")
  }

  /// Dell writes "DELL" and the service tag into it, the tag's high bits set here and there.
  private static func isDellWithoutTag(_ bytes: [UInt8]) -> Bool {
    guard bytes[0] == 0x4C, bytes[1] == 0x4C, bytes[2] == 0x45, bytes[3] == 0x44 else {
      return false
    }
    let places: InlineArray<7, Int> = [5, 6, 9, 10, 13, 14, 15]
    for index in places.indices {
      let character = bytes[places[index]] & 0x7F
      if character != 0, character != 0x20 { return false }
    }
    return true
  }

  /// HP writes product number and serial into it, U-Boot 15 characters of `serial#`: sixteen
  /// boards with a serial of sixteen digits then share one UUID.
  private static func isText(_ bytes: [UInt8]) -> Bool {
    for byte in bytes where byte != 0 && !(0x20...0x7E).contains(byte) { return false }
    return true
  }
}
