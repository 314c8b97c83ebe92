/// The forms that identifiers are brought to before they are judged and compared.
extension Text {
  /// Cut at NUL, trimmed, blanks collapsed to one space, ASCII letters in lower case: what a
  /// firmware update may change without meaning another device.
  @inline(never)
  public func normalized() -> Text {
    var text = Text()
    var isBlankPending = false
    for byte in bytes {
      if byte == 0 { break }
      if Self.isBlank(byte) {
        isBlankPending = !text.isEmpty
        continue
      }
      if isBlankPending {
        text.append(0x20)
        isBlankPending = false
      }
      text.append(lowercased(byte))
    }
    return text
  }

  /// Letters and digits only, in lower case: what filler is compared by, however punctuated.
  @inline(never)
  func squeezed() -> Text {
    var text = Text()
    for byte in bytes {
      if byte == 0 { break }
      let lower = lowercased(byte)
      if Decimal.isDigit(lower) || (0x61...0x7A).contains(lower) || lower >= 0x80 {
        text.append(lower)
      }
    }
    return text
  }

  /// The bytes that a text of hexadecimal digits stands for, those in `separators` skipped; `nil`
  /// if anything else is in it or a digit lacks its pair.
  @inline(never)
  public func hexBytes(skipping separators: Literal = "") -> [UInt8]? {
    var result: [UInt8] = []
    var high: UInt8?
    for byte in bytes {
      guard let digit = Self.hexDigit(byte) else {
        if high == nil, Text(separators).firstIndex(of: byte) != nil { continue }
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
  public init(hexOf bytes: Span<UInt8>) {
    self.init()
    for index in bytes.indices {
      append(Self.hexCharacter(bytes[index] >> 4))
      append(Self.hexCharacter(bytes[index] & 15))
    }
  }

  /// The SHA-256 of the bytes, in lower-case hexadecimal digits.
  public func hashed() -> Text {
    var hasher = SHA256()
    hasher.update(bytes.span)
    return Text(hexOf: hasher.finalize().span)
  }

  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

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
