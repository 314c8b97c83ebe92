import HandbackCore
import TestSupport
import Testing

struct TicketTests {
  private static func ticket(_ text: String) -> Ticket? { Ticket(utf8: Array(text.utf8).span) }

  @Test func `reads back what it writes`() {
    var random = SeededGenerator(seed: 7)
    for row in [1, 9, 10, 17, 123_456_789, Int64.max] {
      for _ in 0..<50 {
        let ticket = Ticket(row: row, nonce: UInt32.random(in: 0...UInt32.max, using: &random))
        #expect(Self.ticket(ticket.text.string) == ticket)
        #expect(Self.ticket(ticket.text.string.uppercased()) == ticket)
        #expect(ticket.nonce <= Ticket.nonceMask)
      }
    }
  }

  @Test func `is written as its documentation says`() {
    #expect(Ticket(row: 17, nonce: 0).text == "17-000000")
    #expect(Ticket(row: 1, nonce: Ticket.nonceMask).text == "1-zzzzzz")
    #expect(Ticket(row: 1, nonce: 1).text == "1-000001")
  }

  @Test(arguments: [
    "", "-", "17", "17-", "17-00000", "17-0000000", "-000000", "0-000000", "-1-000000",
    "a-000000", "17-00000i", "17-00000l", "17-00000o", "17-00000u", "17 000000", " 17-000000",
    "17-000000 ", "17-0000é", "9223372036854775808-000000", "1.5-000000", "17--00000",
  ])
  func `refuses what names no row`(text: String) {
    #expect(Self.ticket(text) == nil)
  }
}
