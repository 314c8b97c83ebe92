import HandbackCore
import TestSupport
import Testing

struct HTTPDateTests {
  private static func parse(_ text: String) -> Int64? { HTTPDate.parse(Array(text.utf8).span) }

  /// RFC 9110, section 5.6.7, has one moment in all three forms.
  @Test(arguments: [
    "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
  ])
  func `reads the RFC's three examples`(text: String) {
    #expect(Self.parse(text) == 784_111_777)
  }

  @Test(
    arguments: [
      ("Tuesday, 19-Jan-38 03:14:08 GMT", 2_147_483_648),
      ("Thursday, 01-Jan-70 00:00:00 GMT", 0),
      ("Tuesday, 31-Dec-69 23:59:59 GMT", 3_155_759_999),
      ("Friday, 31-Dec-99 23:59:59 GMT", 946_684_799),
      ("Tue Jan 19 03:14:08 2038", 2_147_483_648),
      ("Thu Jan  1 00:00:00 1970", 0),
      ("Mon Feb 29 00:00:00 2016", 1_456_704_000),
      // A leap second counts as the next one; its weekday isn't compared with the date.
      ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
      ("Fri, 31 Dec 9999 23:59:60 GMT", 253_402_300_799),
      ("Mon, 17 Nov 2022 20:51:35 GMT", 1_668_718_295),
    ] as [(String, Int64)])
  func `reads a date`(text: String, seconds: Int64) {
    #expect(Self.parse(text) == seconds)
  }

  @Test func `reads every day of a century in the other two forms`() {
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    for day in stride(from: 0, to: 36_524, by: 3) {
      let seconds = Int64(day) * 86_400 + 45_296
      let fixdate = IMFFixdate(epochSeconds: seconds).text.split(separator: " ")
      let number = String(fixdate[1])
      let year = String(fixdate[3])
      let padded = number.hasPrefix("0") ? " \(number.dropFirst())" : number
      let isKnownMonth = months.contains(String(fixdate[2]))
      let short = "Anyday, \(number)-\(fixdate[2])-\(year.suffix(2)) 12:34:56 GMT"
      let asctime = "Any \(fixdate[2]) \(padded) 12:34:56 \(year)"
      let isRead = Self.parse(short) == seconds && Self.parse(asctime) == seconds
      if !isKnownMonth || !isRead { Issue.record("\(short) · \(asctime)") }
    }
  }

  @Test(arguments: [
    "Tue, 29 Feb 2100 00:00:00 GMT", "Wed, 29 Feb 2023 00:00:00 GMT",
    "Thu, 30 Feb 2024 00:00:00 GMT", "Thu, 31 Apr 2025 00:00:00 GMT",
    "Thu, 00 Jan 2026 00:00:00 GMT", "Thu, 32 Jan 2026 00:00:00 GMT",
    "Thu, 01 Jan 2026 24:00:00 GMT", "Thu, 01 Jan 2026 23:60:00 GMT",
    "Thu, 01 Jan 2026 23:59:61 GMT", "Wed, 31 Dec 1969 23:59:59 GMT",
    "Sat, 01 Jan 0000 00:00:00 GMT", "Wed Feb 29 00:00:00 2023",
  ])
  func `refuses a date that doesn't exist`(text: String) {
    #expect(Self.parse(text) == nil)
  }

  @Test(arguments: [
    "", " ", "GMT", "0", "1668718295", "Thu", "Thu,", "Thu, 17", "Thu, 17 Nov",
    "Thu, 17 Nov 2022", "Thu, 17 Nov 2022 20:51:35", "Thu, 17 Nov 2022 20:51:35 ",
    "Thu, 17 Nov 2022 20:51:35 UTC", "Thu, 17 Nov 2022 20:51:35 +0000",
    "Thu, 17 Nov 2022 20:51:35 GMT ", " Thu, 17 Nov 2022 20:51:35 GMT",
    "Thu, 17 Nov 2022 20:51:35 gmt", "Thu, 17 nov 2022 20:51:35 GMT",
    "Thu, 7 Nov 2022 20:51:35 GMT", "Thu,17 Nov 2022 20:51:35 GMT",
    "Thu, 17 November 2022 20:51:35 GMT", "Thu, 17 Nov 22 20:51:35 GMT",
    "Thu, 17 Nov 12022 20:51:35 GMT", "Thu, 17 Nov 2022 8:51:35 GMT",
    "Thu, 17 Nov 2022 20.51.35 GMT", "Thu, 17 Nov 2022 -0:51:35 GMT",
    "Thu, 17 Nov 2022 20:-0:35 GMT", "Thu, 17 Nov 2022 20:51:+5 GMT",
    "Thu, 17 Nov 2022 20:51:-0 GMT", "Thu, 17-Nov-2022 20:51:35 GMT", "17 Nov 2022 20:51:35 GMT",
    "2022-11-17T20:51:35Z", "Thu, 17 Nov 2022 20:51:35 GMT, Thu, 17 Nov 2022 20:51:35 GMT",
    "Thu Nov 17 20:51:35 2022 GMT", "Thu Nov 1 20:51:35 2022", "Thu Nov -7 20:51:35 2022",
    "Thur Nov 17 20:51:35 2022", "Thu, 17 Nov 2022\u{0}20:51:35 GMT",
  ])
  func `refuses what is no date`(text: String) {
    #expect(Self.parse(text) == nil)
  }

  @Test func `refuses a date cut short anywhere`() {
    for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"] {
      let bytes = Array(text.utf8)
      for count in 0..<bytes.count {
        #expect(HTTPDate.parse(Array(bytes[..<count]).span) == nil, "\(count) bytes of \(text)")
      }
    }
  }

  @Test func `survives any bytes`() {
    var random = SeededGenerator(seed: 3)
    let good = Array("Sun, 06 Nov 1994 08:49:37 GMT".utf8)
    for _ in 0..<5000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      if let seconds = HTTPDate.parse(bytes.span) {
        #expect((0...IMFFixdate.epochSecondsMax).contains(seconds))
      }
    }
  }
}
