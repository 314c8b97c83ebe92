/// Reads a date of HTTP in any of the three forms that RFC 9110, section 5.6.7, makes a
/// recipient accept: IMF-fixdate, RFC 850's with a two-digit year, and asctime's.
public enum HTTPDate {
  /// Seconds since 1970-01-01 UTC, or `nil`. A leap second, `:60`, counts as the next one.
  ///
  /// > Recipients of a timestamp value in rfc850-date format, which uses a two-digit year, MUST
  /// > interpret a timestamp that appears to be more than 50 years in the future as representing
  /// > the most recent year in the past that had the same last two digits.
  ///
  /// The years 1970 to 2069 are near enough to that for a clock that may itself be wrong.
  public static func parse(_ text: Span<UInt8>) -> Int64? {
    var reader = Reader(text: text.count)
    guard let first = reader.word(text), first.count >= 3 else { return nil }
    if reader.take(UInt8(ascii: ","), text) {
      guard reader.take(0x20, text), let day = reader.number(text, digits: 2) else { return nil }
      let separator: UInt8 = reader.take(UInt8(ascii: "-"), text) ? UInt8(ascii: "-") : 0x20
      guard separator == UInt8(ascii: "-") || reader.take(0x20, text),
        let month = reader.month(text), reader.take(separator, text)
      else { return nil }
      let isShort = separator == UInt8(ascii: "-")
      guard var year = reader.number(text, digits: isShort ? 2 : 4), reader.take(0x20, text) else {
        return nil
      }
      if isShort { year += year < 70 ? 2000 : 1900 }
      guard let second = reader.time(text), reader.take(0x20, text), reader.zone(text),
        reader.isAtEnd
      else { return nil }
      return seconds(year: year, month: month, day: day, secondOfDay: second)
    }
    // asctime: "Sun Nov  6 08:49:37 1994".
    guard first.count == 3, reader.take(0x20, text), let month = reader.month(text),
      reader.take(0x20, text)
    else { return nil }
    let isPadded = reader.take(0x20, text)
    guard let day = reader.number(text, digits: isPadded ? 1 : 2), reader.take(0x20, text),
      let second = reader.time(text), reader.take(0x20, text),
      let year = reader.number(text, digits: 4), reader.isAtEnd
    else { return nil }
    return seconds(year: year, month: month, day: day, secondOfDay: second)
  }

  /// Seconds since 1970-01-01 UTC of a day of the calendar; `nil` if there is no such day, or if
  /// it is before that.
  public static func seconds(year: Int, month: Int, day: Int, secondOfDay: Int) -> Int64? {
    guard year >= 1970, let date = CivilDate(year: year, month: month, day: day) else {
      return nil
    }
    // The last leap second of 9999 would be the year 10000's first.
    return min(
      Int64(date.daysSinceEpoch) * 86_400 + Int64(secondOfDay), IMFFixdate.epochSecondsMax)
  }

  /// Moves through a date; every method takes what it names, or leaves and says no.
  private struct Reader {
    private var index = 0
    private let count: Int

    init(text count: Int) { self.count = count }

    var isAtEnd: Bool { index == count }

    mutating func take(_ byte: UInt8, _ text: Span<UInt8>) -> Bool {
      guard index < count, text[index] == byte else { return false }
      index += 1
      return true
    }

    mutating func word(_ text: Span<UInt8>) -> Range<Int>? {
      let start = index
      while index < count,
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lowercased(text[index]))
      {
        index += 1
      }
      return index > start ? start..<index : nil
    }

    mutating func number(_ text: Span<UInt8>, digits: Int) -> Int? {
      // A sign is no digit: "-0" would be read as 0.
      guard index + digits <= count, Decimal.isDigit(text[index]),
        let value = Decimal.integer(text.extracting(index..<(index + digits)))
      else { return nil }
      index += digits
      return Int(value)
    }

    mutating func month(_ text: Span<UInt8>) -> Int? {
      guard let range = word(text), range.count == 3 else { return nil }
      for month in 0..<12 {
        var isEqual = true
        for offset in 0..<3 {
          let name = unsafe IMFFixdate.months.start[3 * month + offset]
          if text[range.lowerBound + offset] != name { isEqual = false }
        }
        if isEqual { return month + 1 }
      }
      return nil
    }

    /// `hh:mm:ss`, as seconds of the day.
    mutating func time(_ text: Span<UInt8>) -> Int? {
      guard let hour = number(text, digits: 2), hour < 24, take(UInt8(ascii: ":"), text),
        let minute = number(text, digits: 2), minute < 60, take(UInt8(ascii: ":"), text),
        let second = number(text, digits: 2), second <= 60
      else { return nil }
      return hour * 3600 + minute * 60 + second
    }

    mutating func zone(_ text: Span<UInt8>) -> Bool {
      guard let range = word(text) else { return false }
      return matches("GMT", text.extracting(range))
    }
  }
}
