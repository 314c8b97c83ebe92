/// Bytes that a source gave: a serial number, an address, a maker's name.
///
/// Raw values never leave the process, so this is not `CustomStringConvertible`: it can't be
/// interpolated into a message by mistake.
public struct HardwareText: Equatable, Sendable {
  /// Longer than any identifier; a source that gives more is cut here, and the rules refuse it.
  public static let byteCountMax = 4096

  public private(set) var bytes: [UInt8]

  public init() { bytes = [] }

  public init(_ bytes: [UInt8]) {
    self.bytes = bytes.count <= Self.byteCountMax ? bytes : Array(bytes[..<Self.byteCountMax])
  }

  public init(_ text: StaticString) {
    bytes = []
    bytes.reserveCapacity(text.utf8CodeUnitCount)
    for index in 0..<text.utf8CodeUnitCount { bytes.append(text.byte(at: index)) }
  }

  public var isEmpty: Bool { bytes.isEmpty }
  public var byteCount: Int { bytes.count }

  mutating func append(_ byte: UInt8) { bytes.append(byte) }

  func isEqual(to text: StaticString) -> Bool { text.isEqual(to: bytes.span) }

  func hasPrefix(_ text: StaticString) -> Bool { has(text, at: 0) }

  func contains(_ text: StaticString) -> Bool { firstIndex(of: text) != nil }

  /// Where `text` begins first, at or after `start`.
  func firstIndex(of text: StaticString, from start: Int = 0) -> Int? {
    var index = start
    while index + text.utf8CodeUnitCount <= bytes.count {
      if has(text, at: index) { return index }
      index += 1
    }
    return nil
  }

  func has(_ text: StaticString, at start: Int) -> Bool {
    guard start + text.utf8CodeUnitCount <= bytes.count else { return false }
    for index in 0..<text.utf8CodeUnitCount where bytes[start + index] != text.byte(at: index) {
      return false
    }
    return true
  }

  /// Whether this is one of the lines of `list`.
  func isLine(of list: StaticString) -> Bool {
    var start = 0
    for index in 0...list.utf8CodeUnitCount
    where index == list.utf8CodeUnitCount || list.byte(at: index) == 0x0A {
      if index - start == bytes.count {
        var offset = 0
        while offset < bytes.count, bytes[offset] == list.byte(at: start + offset) { offset += 1 }
        if offset == bytes.count { return true }
      }
      start = index + 1
    }
    return false
  }

  func slice(_ range: Range<Int>) -> HardwareText { HardwareText(Array(bytes[range])) }

  /// Byte order, for choices that must not depend on the order of enumeration.
  func precedes(_ other: HardwareText) -> Bool {
    for index in 0..<min(bytes.count, other.bytes.count) where bytes[index] != other.bytes[index] {
      return bytes[index] < other.bytes[index]
    }
    return bytes.count < other.bytes.count
  }

  // MARK: Normalising

  /// Cut at NUL, trimmed, blanks collapsed to one space, ASCII letters in lower case: what a
  /// firmware update may change without meaning another device.
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
