/// Bytes that a source gave: a serial number, an address, a maker's name.
///
/// Raw values never leave the process, so this is not `CustomStringConvertible`: it can't be
/// interpolated into a message by mistake.
///
/// Its functions are kept out of line: they are small and called from everywhere, and copies of
/// them made a fifth of the code.
public struct HardwareText: Equatable, Sendable {
  /// Longer than any identifier; sources read no more, and the rules refuse a text of this length.
  public static let byteCountMax = 4096

  public private(set) var bytes: [UInt8]

  @inline(never)
  public init() { bytes = [] }

  @inline(never)
  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  @inline(never)
  public init(_ text: StaticString) {
    bytes = []
    append(text)
  }

  public var isEmpty: Bool { bytes.isEmpty }
  public var byteCount: Int { bytes.count }

  @inline(never)
  public mutating func append(_ byte: UInt8) { bytes.append(byte) }

  @inline(never)
  public mutating func append(_ text: StaticString) {
    for index in 0..<text.utf8CodeUnitCount { append(text.byte(at: index)) }
  }

  @inline(never)
  public mutating func append(_ other: HardwareText) {
    for byte in other.bytes { append(byte) }
  }

  /// This text as a folder's path, and a name below it.
  @inline(never)
  public func joining(_ name: StaticString) -> HardwareText {
    var path = self
    path.append(0x2F)
    path.append(name)
    return path
  }

  @inline(never)
  public func joining(_ name: HardwareText) -> HardwareText {
    var path = self
    path.append(0x2F)
    path.append(name)
    return path
  }

  // MARK: Comparing

  @inline(never)
  public static func == (one: HardwareText, other: HardwareText) -> Bool {
    one.byteCount == other.byteCount && one.has(other, at: 0)
  }

  @inline(never)
  public func isEqual(to text: StaticString) -> Bool {
    byteCount == text.utf8CodeUnitCount && has(text, at: 0)
  }

  public func hasPrefix(_ text: StaticString) -> Bool { has(text, at: 0) }

  public func hasPrefix(_ text: HardwareText) -> Bool { has(text, at: 0) }

  @inline(never)
  public func contains(_ text: StaticString) -> Bool {
    for start in bytes.indices where has(text, at: start) { return true }
    return false
  }

  /// Whether one of the words of `list`, with blanks between them, is somewhere in this.
  @inline(never)
  public func containsWord(of list: StaticString) -> Bool {
    for word in HardwareText(list).split(at: 0x20) where contains(word) { return true }
    return false
  }

  @inline(never)
  func contains(_ text: HardwareText) -> Bool {
    for start in bytes.indices where has(text, at: start) { return true }
    return false
  }

  @inline(never)
  func has(_ text: StaticString, at start: Int) -> Bool {
    guard start + text.utf8CodeUnitCount <= bytes.count else { return false }
    for index in 0..<text.utf8CodeUnitCount where bytes[start + index] != text.byte(at: index) {
      return false
    }
    return true
  }

  @inline(never)
  private func has(_ text: HardwareText, at start: Int) -> Bool {
    guard start + text.byteCount <= bytes.count else { return false }
    for index in text.bytes.indices where bytes[start + index] != text.bytes[index] {
      return false
    }
    return true
  }

  /// Whether this is one of the lines of `list`.
  public func isLine(of list: StaticString) -> Bool { compare(with: list) { $0 == self.byteCount } }

  /// Whether this begins with one of the lines of `list`.
  func hasLinePrefix(of list: StaticString) -> Bool { compare(with: list) { $0 > 0 } }

  /// Whether a line of `list` is what this begins with, and `isLongEnough` for its length.
  @inline(never)
  private func compare(with list: StaticString, _ isLongEnough: (Int) -> Bool) -> Bool {
    var offset = 0
    var isEqual = true
    for index in 0...list.utf8CodeUnitCount {
      if index == list.utf8CodeUnitCount || list.byte(at: index) == 0x0A {
        if isEqual, isLongEnough(offset) { return true }
        offset = 0
        isEqual = true
      } else {
        if offset >= bytes.count || bytes[offset] != list.byte(at: index) { isEqual = false }
        offset += 1
      }
    }
    return false
  }

  @inline(never)
  public func slice(_ range: Range<Int>) -> HardwareText {
    var text = HardwareText()
    for index in range { text.append(bytes[index]) }
    return text
  }

  /// The parts between `separator`, empty ones left out.
  @inline(never)
  public func split(at separator: UInt8) -> [HardwareText] {
    var parts: [HardwareText] = []
    var start = 0
    for index in 0...bytes.count where index == bytes.count || bytes[index] == separator {
      if index > start { parts.append(slice(start..<index)) }
      start = index + 1
    }
    return parts
  }

  /// Byte order, for choices that must not depend on the order of enumeration.
  @inline(never)
  public func precedes(_ other: HardwareText) -> Bool {
    for index in 0..<min(bytes.count, other.bytes.count) where bytes[index] != other.bytes[index] {
      return bytes[index] < other.bytes[index]
    }
    return bytes.count < other.bytes.count
  }

  // MARK: Normalising

  /// Cut at NUL, trimmed, blanks collapsed to one space, ASCII letters in lower case: what a
  /// firmware update may change without meaning another device.
  @inline(never)
  public func normalized() -> HardwareText {
    var text = HardwareText()
    var isBlankPending = false
    for byte in bytes {
      if byte == 0 { break }
      if byte == 0x20 || (0x09...0x0D).contains(byte) {
        isBlankPending = !text.isEmpty
        continue
      }
      if isBlankPending {
        text.append(0x20)
        isBlankPending = false
      }
      text.append(Self.lowercase(byte))
    }
    return text
  }

  /// Letters and digits only, in lower case: what filler is compared by, however punctuated.
  @inline(never)
  func squeezed() -> HardwareText {
    var text = HardwareText()
    for byte in bytes {
      if byte == 0 { break }
      let lower = Self.lowercase(byte)
      if Self.isDigit(lower) || (0x61...0x7A).contains(lower) || lower >= 0x80 {
        text.append(lower)
      }
    }
    return text
  }

  /// The bytes that a text of hexadecimal digits stands for, `separators` skipped; `nil` if
  /// anything else is in it or a digit lacks its pair.
  @inline(never)
  func hexBytes(skipping separators: StaticString = "") -> [UInt8]? {
    var result: [UInt8] = []
    var high: UInt8?
    for byte in bytes {
      guard let digit = Self.hexDigit(byte) else {
        var isSeparator = false
        for index in 0..<separators.utf8CodeUnitCount where separators.byte(at: index) == byte {
          isSeparator = true
        }
        if isSeparator, high == nil { continue }
        return nil
      }
      if let first = high {
        result.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return high == nil ? result : nil
  }

  /// Lower-case hexadecimal digits of `bytes`.
  @inline(never)
  public init(hexOf bytes: [UInt8]) {
    self.bytes = []
    self.bytes.reserveCapacity(bytes.count * 2)
    for byte in bytes {
      self.bytes.append(Self.hexCharacter(byte >> 4))
      self.bytes.append(Self.hexCharacter(byte & 15))
    }
  }

  static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  static func lowercase(_ byte: UInt8) -> UInt8 {
    (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
  }

  static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }

  static func hexCharacter(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? 0x30 + nibble : 0x61 + nibble - 10
  }
}
