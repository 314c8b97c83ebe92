/// A `Date` field value: IMF-fixdate, RFC 9110 section 5.6.7, `Thu, 17 Nov 2022 20:51:35 GMT`.
///
/// Always 29 bytes, always English and GMT, whatever the locale.
public struct IMFFixdate: Sendable {
  public static let byteCount = 29
  public let bytes: InlineArray<29, UInt8>

  /// The last second that four digits of a year can name, 9999-12-31 23:59:59.
  public static let epochSecondsMax: Int64 = 253_402_300_799

  /// Formats a time in seconds since 1970-01-01 00:00 UTC; one outside years 1970 to 9999 is
  /// taken to the nearer end, since a clock can be set to anything.
  public init(epochSeconds: Int64) {
    let seconds = min(max(epochSeconds, 0), Self.epochSecondsMax)
    let days = Int(seconds / 86_400)
    let second = Int(seconds % 86_400)
    let date = CivilDate(daysSinceEpoch: days)
    var text = InlineArray<29, UInt8>(repeating: UInt8(ascii: " "))
    // 1970-01-01 was a Thursday, the fifth name.
    Self.put(Self.weekdays, 3 * ((days + 4) % 7), 3, into: &text, at: 0)
    text[3] = UInt8(ascii: ",")
    Self.put(date.day, digits: 2, into: &text, at: 5)
    Self.put(Self.months, 3 * (date.month - 1), 3, into: &text, at: 8)
    Self.put(date.year, digits: 4, into: &text, at: 12)
    Self.put(second / 3600, digits: 2, into: &text, at: 17)
    text[19] = UInt8(ascii: ":")
    Self.put(second / 60 % 60, digits: 2, into: &text, at: 20)
    text[22] = UInt8(ascii: ":")
    Self.put(second % 60, digits: 2, into: &text, at: 23)
    Self.put("GMT", 0, 3, into: &text, at: 26)
    bytes = text
  }

  static let weekdays: Literal = "SunMonTueWedThuFriSat"
  static let months: Literal = "JanFebMarAprMayJunJulAugSepOctNovDec"

  private static func put(
    _ names: Literal, _ start: Int, _ count: Int,
    into text: inout InlineArray<29, UInt8>, at offset: Int
  ) {
    for index in 0..<count { text[offset + index] = unsafe names.start[start + index] }
  }

  private static func put(
    _ value: Int, digits: Int, into text: inout InlineArray<29, UInt8>, at offset: Int
  ) {
    var rest = value
    for index in stride(from: digits - 1, through: 0, by: -1) {
      text[offset + index] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    }
  }
}

/// A day of the Gregorian calendar.
///
/// The arithmetic is that of Howard Hinnant's `chrono`-compatible low-level date algorithms:
/// years begin in March, so that the leap day is the last of a year.
struct CivilDate {
  let year: Int
  let month: Int
  let day: Int

  init(daysSinceEpoch days: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// `nil` unless the day exists.
  init?(year: Int, month: Int, day: Int) {
    guard (1...12).contains(month), day >= 1 else { return nil }
    self.year = year
    self.month = month
    self.day = day
    let again = CivilDate(daysSinceEpoch: daysSinceEpoch)
    guard again.month == month, again.day == day else { return nil }
  }

  var daysSinceEpoch: Int {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}
