import Foundation
import TestSupport
import Testing

@testable import HandbackCore

struct IMFFixdateTests {
  @Test(
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
      (1, "Thu, 01 Jan 1970 00:00:01 GMT"),
      (86_399, "Thu, 01 Jan 1970 23:59:59 GMT"),
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
      (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
      (1_307_479_895, "Tue, 07 Jun 2011 20:51:35 GMT"),
      (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
      (2_147_483_647, "Tue, 19 Jan 2038 03:14:07 GMT"),
      (2_147_483_648, "Tue, 19 Jan 2038 03:14:08 GMT"),
      (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
      (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
      (4_294_967_296, "Sun, 07 Feb 2106 06:28:16 GMT"),
      (13_574_563_200, "Tue, 29 Feb 2400 00:00:00 GMT"),
      (IMFFixdate.epochSecondsMax, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ] as [(Int64, String)])
  func `formats a second`(seconds: Int64, text: String) {
    #expect(IMFFixdate(epochSeconds: seconds).text == text)
    #expect(HTTPDate.parse(Array(text.utf8).span) == seconds)
  }

  @Test(arguments: [-1, Int64.min, IMFFixdate.epochSecondsMax + 1, Int64.max])
  func `takes a time out of range to the nearer end`(seconds: Int64) {
    let text = IMFFixdate(epochSeconds: seconds).text
    #expect(
      text == (seconds < 0 ? "Thu, 01 Jan 1970 00:00:00 GMT" : "Fri, 31 Dec 9999 23:59:59 GMT"))
  }

  /// Foundation's calendar is the judge; a time of day that changes goes along.
  @Test func `agrees with the calendar on every day from 1970 to 2106`() throws {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
    let weekdays = ["", "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = [
      "", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    var failures = 0
    for day in 0...49_709 {
      let second = day * 7919 % 86_400
      let epoch = day * 86_400 + second
      let parts = calendar.dateComponents(
        [.year, .month, .day, .weekday], from: Date(timeIntervalSince1970: TimeInterval(epoch)))
      guard let year = parts.year, let month = parts.month, let dayOfMonth = parts.day,
        let weekday = parts.weekday
      else {
        failures += 1
        continue
      }
      let expected =
        "\(weekdays[weekday]), \(padded(dayOfMonth)) \(months[month]) \(year) "
        + "\(padded(second / 3600)):\(padded(second / 60 % 60)):\(padded(second % 60)) GMT"
      let text = IMFFixdate(epochSeconds: Int64(epoch)).text
      let isSame = text == expected && HTTPDate.parse(Array(text.utf8).span) == Int64(epoch)
      if !isSame { failures += 1 }
    }
    #expect(failures == 0)
  }

  @Test func `counts the days of every year up to 9999`() {
    var days = 0
    for year in 1970...9999 {
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      let first = CivilDate(daysSinceEpoch: days)
      let isFirst = first.year == year && first.month == 1 && first.day == 1
      let isKnown = CivilDate(year: year, month: 2, day: 29) != nil
      if !isFirst || isKnown != isLeap { Issue.record("year \(year)") }
      days += isLeap ? 366 : 365
    }
    #expect(Int64(days) * 86_400 == IMFFixdate.epochSecondsMax + 1)
  }
}
