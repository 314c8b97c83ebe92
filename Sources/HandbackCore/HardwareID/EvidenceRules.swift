/// From what was read to what it is worth, source by source.
struct EvidenceRules {
  private let observations: HardwareObservations

  init(_ observations: HardwareObservations) { self.observations = observations }

  /// Sources whose drivers may be modules. On x86 the SoC and the EEPROM are not among them, as
  /// DMI decides there and is in the kernel from the start.
  var sourcesThatMayComeLate: [HardwareIDSource] {
    var sources: [HardwareIDSource] =
      observations.compatible.isEmpty
      ? [.eMMC, .networkAddress] : [.socSerial, .boardEEPROM, .eMMC, .networkAddress]
    for observation in observations.list where observation.source == .tpmEndorsementKey {
      sources.append(.tpmEndorsementKey)
    }
    return sources
  }

  func reading(of observation: HardwareObservation) -> HardwareReading {
    switch observation.content {
    case .absent: return HardwareReading(observation, .absent)
    case .unreadable:
      // TI's layout is on boards with a device tree; memory modules have EEPROMs too.
      let isOther =
        observation.source == .boardEEPROM && observations.compatible.isEmpty
        && observations.isCompatibleReadable
      return HardwareReading(observation, isOther ? .absent : .unreadable)
    case .late: return HardwareReading(observation, .late)
    case .value(let text): return reading(of: observation, text)
    }
  }

  private func reading(of observation: HardwareObservation, _ text: Text)
    -> HardwareReading
  {
    switch observation.source {
    case .socSerial, .cpuinfoSerial, .deviceTreeSerial:
      if !observations.isCompatibleReadable { return HardwareReading(observation, .unreadable) }
    default: break
    }
    switch observation.source {
    case .socSerial: return soc(observation, text)
    case .cpuinfoSerial:
      // On 32-bit ARM the kernel copies the device tree's (arch/arm/kernel/setup.c).
      return isDeviceTrees(text.normalized())
        ? deviceTree(observation, text) : soc(observation, text)
    case .deviceTreeSerial: return deviceTree(observation, text)
    case .boardEEPROM: return eeprom(observation, text)
    case .productSerial, .boardSerial: return dmiSerial(observation, text)
    case .chassisSerial: return plain(observation, text.normalized())
    case .productUUID: return uuid(observation, text)
    case .eMMC: return card(observation, text)
    case .networkAddress: return network(observation, text)
    case .disk: return disk(observation, text)
    case .tpmEndorsementKey, .vmGeneration: return digest(observation, text)
    }
  }

  // MARK: Per source

  private func soc(_ observation: HardwareObservation, _ text: Text) -> HardwareReading {
    let value = canonicalFuse(text.normalized())
    if let reason = SerialRules.junk(value) {
      return HardwareReading(observation, .junk(reason), value)
    }
    return HardwareReading(observation, .ok, value)
  }

  /// i.MX: U-Boot writes the low word first, the kernel the high one, so the smaller of both
  /// orders stands for the fuse; the i.MX8M Plus kernel went from 16 digits to 32, the old ones
  /// last. Only there: elsewhere 16 digits are in one order, and swapping could join two devices.
  /// The i.MX9's always had 32, and no half of them is known to differ by itself.
  private func canonicalFuse(_ value: Text) -> Text {
    guard observations.isIMX, value.hexBytes() != nil,
      value.bytes.count == 16 || (value.bytes.count == 32 && observations.isIMX8M)
    else { return value }
    let last = value.suffix(from: value.bytes.count - 16)
    var swapped = last.slice(8..<16)
    swapped += last.prefix(8)
    return last.precedes(swapped) ? last : swapped
  }

  private func deviceTree(_ observation: HardwareObservation, _ text: Text)
    -> HardwareReading
  {
    if observations.takesSerialFromStorage {
      return HardwareReading(observation, .junk(.fromStorage))
    }
    let serial = text.normalized()
    // What other parts say decides here, so while one can't be read, this isn't known either.
    if let digits = serial.hexBytes(), digits.count == 6 {
      switch part(.networkAddress, named: serial) {
      case .value: return HardwareReading(observation, .junk(.networkAddress))
      case .late: return HardwareReading(observation, .late)
      case .unreadable: return HardwareReading(observation, .unreadable)
      case .absent: break
      }
    }
    if serial.bytes.count <= 10 {
      switch part(.eMMC, named: serial) {
      case .value: return HardwareReading(observation, .junk(.fromStorage))
      case .late: return HardwareReading(observation, .late)
      case .unreadable: return HardwareReading(observation, .unreadable)
      case .absent: break
      }
    }
    return soc(observation, text)
  }

  private func isDeviceTrees(_ serial: Text) -> Bool {
    for observation in observations.list where observation.source == .deviceTreeSerial {
      if case .value(let text) = observation.content, text.normalized() == serial { return true }
    }
    return false
  }

  /// Whether a part of that kind bears this name, or can't be asked.
  private func part(_ source: HardwareIDSource, named name: Text)
    -> HardwareObservation.Content
  {
    var answer = HardwareObservation.Content.absent
    for observation in observations.list where observation.source == source {
      switch observation.content {
      case .value(let text):
        if Self.isSameNumber(observation.alias, name)
          || (source == .networkAddress && Self.isSameNumber(text, name))
        {
          return .value(name)
        }
      case .late: answer = .late
      case .unreadable: if case .absent = answer { answer = .unreadable }
      case .absent:
        if Self.isSameNumber(observation.alias, name) { return .value(name) }
      }
    }
    if case .absent = answer, !observations.isSettled { return .late }
    return answer
  }

  /// Two texts of hexadecimal digits with one value, whatever stands before or between.
  private static func isSameNumber(_ one: Text, _ other: Text) -> Bool {
    let first = significantDigits(one)
    return !first.isEmpty && first == significantDigits(other)
  }

  private static func significantDigits(_ text: Text) -> Text {
    var digits = Text()
    let normalized = text.normalized()
    let start = normalized.hasPrefix("0x") ? 2 : 0
    for index in start..<normalized.bytes.count {
      let byte = normalized.bytes[index]
      if Text.hexDigit(byte) == nil || (digits.isEmpty && byte == 0x30) { continue }
      digits.append(byte)
    }
    return digits
  }

  /// TI's layout, on BeagleBones and their kin: header AA 55 33 EE, board name at 4, serial
  /// number at 16. Memory modules' and displays' EEPROMs on the same buses have another header.
  ///
  /// The other layouts are left alone, two of which have this header: a cape's, which has its
  /// format, `A0` or `A1`, and a long name at 4; and TI's newer one, of typed records, the first
  /// one's type being 1, with the filler `SSSS` for a serial number on the board that was seen
  /// (BeaglePlay). What would be the serial number is a part of the name in both. RISC-V boards'
  /// boot loaders copy theirs to the device tree.
  private func eeprom(_ observation: HardwareObservation, _ text: Text)
    -> HardwareReading
  {
    let bytes = text.bytes
    guard bytes.count >= 28, bytes[0] == 0xAA, bytes[1] == 0x55, bytes[2] == 0x33, bytes[3] == 0xEE
    else { return HardwareReading(observation, .absent) }
    let isCape = bytes[4] == 0x41 && (bytes[5] == 0x30 || bytes[5] == 0x31)
    if isCape || bytes[4] == 1 { return HardwareReading(observation, .absent) }
    observation.product = text.slice(4..<12)
    return plain(observation, text.slice(16..<28).normalized())
  }

  private func dmiSerial(_ observation: HardwareObservation, _ text: Text)
    -> HardwareReading
  {
    let serial = text.normalized()
    if let reason = SerialRules.junk(serial) {
      return HardwareReading(observation, .junk(reason), serial)
    }
    if !Self.isName(observation.maker), !Self.isName(observation.product) {
      return HardwareReading(observation, .junk(.nameless), serial)
    }
    return HardwareReading(observation, .ok, serial)
  }

  private func plain(_ observation: HardwareObservation, _ serial: Text)
    -> HardwareReading
  {
    if let reason = SerialRules.junk(serial) {
      return HardwareReading(observation, .junk(reason), serial)
    }
    return HardwareReading(observation, .ok, serial)
  }

  private func uuid(_ observation: HardwareObservation, _ text: Text) -> HardwareReading {
    let normalized = text.normalized()
    if normalized.isEmpty { return HardwareReading(observation, .junk(.empty)) }
    guard let uuid = HardwareUUID(normalized) else {
      return HardwareReading(observation, .junk(.malformed))
    }
    let value = uuid.canonicalText
    if let reason = uuid.junk() { return HardwareReading(observation, .junk(reason), value) }
    return HardwareReading(observation, .ok, value)
  }

  /// Without the last byte: it is a checksum, which some kernels and cards leave 00.
  private func card(_ observation: HardwareObservation, _ text: Text) -> HardwareReading {
    if observation.attachment == .removable { return HardwareReading(observation, .removable) }
    let identification = text.normalized()
    guard let bytes = identification.hexBytes(), bytes.count == 16 else {
      return HardwareReading(observation, .junk(identification.isEmpty ? .empty : .malformed))
    }
    // The card's own serial number, bytes 10 to 13, is all that tells two of one make apart.
    let value = identification.prefix(30)
    if Self.isFiller(bytes, 10..<14) {
      return HardwareReading(observation, .junk(.filler), value)
    }
    if SerialRules.junk(identification) != nil {
      return HardwareReading(observation, .junk(.listed), value)
    }
    return HardwareReading(observation, .ok, value)
  }

  private func network(_ observation: HardwareObservation, _ text: Text)
    -> HardwareReading
  {
    guard let address = MACAddress(text.normalized()) else {
      return HardwareReading(observation, .junk(text.normalized().isEmpty ? .empty : .malformed))
    }
    // systemd names some ports by their address (`enx…`), and labels are shown.
    if observation.label.squeezed().contains(Text(hexOf: address.octets.span)) {
      observation.label = observation.label.prefix(3)
    }
    if observation.attachment == .virtual { return HardwareReading(observation, .junk(.virtual)) }
    if !observation.isPermanent { return HardwareReading(observation, .junk(.notPermanent)) }
    if let reason = address.junk() {
      return HardwareReading(observation, .junk(reason), address.text)
    }
    if observation.attachment == .removable { return HardwareReading(observation, .removable) }
    return HardwareReading(observation, .ok, address.text)
  }

  private func disk(_ observation: HardwareObservation, _ text: Text) -> HardwareReading {
    if observation.attachment == .removable { return HardwareReading(observation, .removable) }
    return plain(observation, text.normalized())
  }

  /// A digest or a GUID, in hexadecimal: only nothing and zeros are wrong with it.
  private func digest(_ observation: HardwareObservation, _ text: Text) -> HardwareReading {
    let value = text.normalized()
    guard let bytes = value.hexBytes(), bytes.count == 16 || bytes.count == 32 else {
      return HardwareReading(observation, .junk(value.isEmpty ? .empty : .malformed))
    }
    if Self.isFiller(bytes, bytes.indices) { return HardwareReading(observation, .junk(.filler)) }
    return HardwareReading(observation, .ok, value)
  }

  /// Zeros, or ones.
  private static func isFiller(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
    for index in range where bytes[index] != bytes[range.lowerBound] { return false }
    return bytes[range.lowerBound] == 0 || bytes[range.lowerBound] == 0xFF
  }

  // MARK: Names

  /// Whether a maker's or product's name is one. What is hashed is the name as it stands: a list
  /// that grows must not change the components of records that exist.
  private static func isName(_ text: Text) -> Bool {
    switch SerialRules.junk(text.normalized()) {
    case nil, .tooShort: true
    default: false
    }
  }
}
