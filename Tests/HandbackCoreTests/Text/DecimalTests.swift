import HandbackCore
import TestSupport
import Testing

struct DecimalTests {
  @Test(arguments: [0, 1, -1, 9, 10, -10, 99, 100, 12_345, Int64.max, Int64.min, Int64.min + 1])
  func `writes and reads back`(number: Int64) {
    var bytes: [UInt8] = []
    Decimal.append(number, to: &bytes)
    #expect(bytes.text == "\(number)")
    #expect(Decimal.integer(bytes.span) == number)
  }

  @Test(arguments: [
    "", "-", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "--1", "1-", "9223372036854775808",
    "-9223372036854775809", "99999999999999999999", "١",
  ])
  func `refuses what is no integer of 64 bits`(text: String) {
    #expect(Decimal.integer(Array(text.utf8).span) == nil)
  }

  @Test func `compares bytes with static text, with and without case`() {
    #expect(matches("Date", Array("Date".utf8).span) == true)
    #expect(matches("Date", Array("date".utf8).span) == false)
    #expect(matches("Date", Array("Dat".utf8).span) == false)
    #expect(matchesIgnoringCase("Date", Array("dATE".utf8).span) == true)
    #expect(matchesIgnoringCase("Date", Array("Dates".utf8).span) == false)
    // '@' and '`' are 32 apart, as letters are, but are none.
    #expect(matchesIgnoringCase("@", Array("`".utf8).span) == false)
    #expect(matchesIgnoringCase("[", Array("{".utf8).span) == false)
  }
}

struct TimestampTests {
  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (1_668_718_295, "2022-11-17T20:51:35Z"),
      (951_782_400, "2000-02-29T00:00:00Z"), (-5, "1970-01-01T00:00:00Z"),
      (Int64.max, "9999-12-31T23:59:59Z"),
    ] as [(Int64, String)])
  func `is RFC 3339 in UTC`(seconds: Int64, text: String) {
    #expect(Timestamp.text(epochSeconds: seconds).string == text)
  }

  @Test(
    arguments: [
      (0, "0 ms"), (999, "999 ms"), (1000, "1 s"), (1001, "2 s"), (119_000, "119 s"),
      (120_000, "2 min"), (121_000, "3 min"), (7_199_000, "120 min"), (7_200_000, "2 h"),
      (86_400_000, "24 h"),
    ] as [(Int64, String)])
  func `lengths of time are rounded up`(milliseconds: Int64, text: String) {
    #expect(HandbackCore.Duration.text(milliseconds: milliseconds).string == text)
  }
}
