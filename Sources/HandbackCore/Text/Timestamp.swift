/// Times for people and for JSON: RFC 3339 in UTC, `2026-11-23T13:02:11Z`.
public enum Timestamp {
  public static func text(epochSeconds: Int64) -> Text {
    let seconds = min(max(epochSeconds, 0), IMFFixdate.epochSecondsMax)
    let date = CivilDate(daysSinceEpoch: Int(seconds / 86_400))
    let second = Int(seconds % 86_400)
    var bytes: [UInt8] = []
    append(date.year, digits: 4, UInt8(ascii: "-"), to: &bytes)
    append(date.month, digits: 2, UInt8(ascii: "-"), to: &bytes)
    append(date.day, digits: 2, UInt8(ascii: "T"), to: &bytes)
    append(second / 3600, digits: 2, UInt8(ascii: ":"), to: &bytes)
    append(second / 60 % 60, digits: 2, UInt8(ascii: ":"), to: &bytes)
    append(second % 60, digits: 2, UInt8(ascii: "Z"), to: &bytes)
    return Text(bytes)
  }

  private static func append(
    _ value: Int, digits: Int, _ end: UInt8, to bytes: inout [UInt8]
  ) {
    var divisor = digits == 4 ? 1000 : 10
    while divisor > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
      divisor /= 10
    }
    bytes.append(end)
  }
}

/// Lengths of time for people: `850 ms`, `12 s`, `3 min`, `5 h`, rounded up.
public enum Duration {
  public static func text(milliseconds: Int64) -> Text {
    if milliseconds < 1000 { return "\(milliseconds) ms" }
    let seconds = (milliseconds + 999) / 1000
    if seconds < 120 { return "\(seconds) s" }
    if seconds < 7200 { return "\((seconds + 59) / 60) min" }
    return "\((seconds + 3599) / 3600) h"
  }
}
