/// Times for people and for JSON: RFC 3339 in UTC, `2026-11-23T13:02:11Z`.
public enum Timestamp {
  public static func text(epochSeconds: Int64) -> String {
    let seconds = min(max(epochSeconds, 0), IMFFixdate.epochSecondsMax)
    let date = CivilDate(daysSinceEpoch: Int(seconds / 86_400))
    let second = Int(seconds % 86_400)
    return padded(date.year, 4) + "-" + padded(date.month, 2) + "-" + padded(date.day, 2) + "T"
      + padded(second / 3600, 2) + ":" + padded(second / 60 % 60, 2) + ":"
      + padded(second % 60, 2) + "Z"
  }

  private static func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(width - digits.utf8.count, 0)) + digits
  }
}

/// Lengths of time for people: `850 ms`, `12 s`, `3 min`, `5 h`, rounded up.
public enum Duration {
  public static func text(milliseconds: Int64) -> String {
    if milliseconds < 1000 { return "\(milliseconds) ms" }
    let seconds = (milliseconds + 999) / 1000
    if seconds < 120 { return "\(seconds) s" }
    if seconds < 7200 { return "\((seconds + 59) / 60) min" }
    return "\((seconds + 3599) / 3600) h"
  }
}
