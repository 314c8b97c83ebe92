import Testing

@testable import HandbackCore

@Suite struct IdentityTextTests {
  private func sample() -> [UInt8] {
    var digest = InlineArray<32, UInt8>(repeating: 0)
    for index in digest.indices { digest[index] = UInt8(index) &* 37 &+ 11 }
    return Array(IdentityText.make(.psn, digest).text.bytes)
  }

  private func idClass(_ text: [UInt8]) -> HardwareIDClass? { IdentityText.parse(text.span) }

  @Test func `reads its class back`() {
    for idClass in HardwareIDClass.allCases {
      let id = IdentityText.make(idClass, InlineArray(repeating: 0xA5))
      #expect(self.idClass(id.text.bytes) == idClass)
      #expect(id.text.bytes.count == 4 + idClass.name.byteCount + 1 + 26 + 1 + 2)
    }
  }

  @Test func `notices every wrong character`() {
    let text = sample()
    let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    for index in 8..<text.count where text[index] != 0x2D {
      for character in alphabet where character != text[index] {
        var wrong = text
        wrong[index] = character
        #expect(idClass(wrong) == nil)
      }
    }
  }

  @Test func `notices every pair of wrong characters at two places`() {
    let text = sample()
    var wrong = text
    let places = (8..<text.count).filter { text[$0] != 0x2D }
    for first in places {
      for second in places where second > first {
        wrong = text
        wrong[first] = text[first] == 0x30 ? 0x31 : 0x30
        wrong[second] = text[second] == 0x30 ? 0x31 : 0x30
        #expect(idClass(wrong) == nil)
      }
    }
  }

  @Test func `notices any two characters that changed places`() {
    let text = sample()
    let places = (8..<text.count).filter { text[$0] != 0x2D }
    for first in places {
      for second in places where second > first && text[first] != text[second] {
        var wrong = text
        wrong.swapAt(first, second)
        #expect(idClass(wrong) == nil)
      }
    }
  }

  @Test func `notices another class`() {
    let text = String(decoding: sample(), as: UTF8.self)
    for name in ["soc", "eep", "bsn", "mmc", "mac", "tpm"] {
      let other = "hb1-\(name)-" + text.dropFirst(8)
      #expect(idClass(Array(other.utf8)) == nil)
    }
  }

  @Test(arguments: ["", "hb1", "hb1-psn-", "hb2-psn-00000000000000000000000000-00", "hb1--x"])
  func `takes nothing else`(text: String) {
    #expect(idClass(Array(text.utf8)) == nil)
  }
}
