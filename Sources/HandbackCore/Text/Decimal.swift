/// Decimal integers in ASCII, without going through `String` or floating point.
public enum Decimal {
  public static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// Writes the number's digits, a minus sign before a negative one.
  @inline(never)
  public static func append(_ number: Int64, to bytes: inout [UInt8]) {
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    var rest = number.magnitude
    var divisor: UInt64 = 1
    while rest / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / divisor))
      rest %= divisor
      divisor /= 10
    }
  }

  /// The whole text as one integer, a minus sign allowed; `nil` if it is none or overflows.
  public static func integer(_ text: Span<UInt8>) -> Int64? {
    let isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
    let start = isNegative ? 1 : 0
    guard text.count > start else { return nil }
    var value: Int64 = 0
    for index in start..<text.count {
      guard isDigit(text[index]) else { return nil }
      let digit = Int64(text[index] - UInt8(ascii: "0"))
      let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
      // Built from the negative side, which reaches one further than the positive one.
      let (next, overflowAgain) = shifted.subtractingReportingOverflow(digit)
      if overflow || overflowAgain { return nil }
      value = next
    }
    if isNegative { return value }
    return value == .min ? nil : -value
  }
}

/// Whether `bytes` are the bytes of `text`.
public func matches(_ text: Literal, _ bytes: Span<UInt8>) -> Bool {
  guard bytes.count == text.byteCount else { return false }
  for index in bytes.indices where unsafe bytes[index] != text.start[index] {
    return false
  }
  return true
}

/// The same, with ASCII letters' case ignored, as HTTP field names want it (RFC 9110, 5.1).
public func matchesIgnoringCase(_ text: Literal, _ bytes: Span<UInt8>) -> Bool {
  guard bytes.count == text.byteCount else { return false }
  for index in bytes.indices
  where unsafe lowercased(bytes[index]) != lowercased(text.start[index]) {
    return false
  }
  return true
}

/// ASCII only.
public func lowercased(_ byte: UInt8) -> UInt8 {
  (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte + 32 : byte
}
