import Foundation
import HandbackCore
import TestSupport
import Testing

struct Base64Tests {
  private static func encode(_ bytes: [UInt8]) -> String {
    var digest = InlineArray<32, UInt8>(repeating: 0)
    for index in 0..<32 { digest[index] = bytes[index] }
    return Array(Base64.encode(digest)).text
  }

  private static func decode(_ text: String) -> [UInt8]? {
    Base64.decodeURL(Array(text.utf8).span)
  }

  @Test func `encodes a digest as Foundation does`() {
    var random = SeededGenerator(seed: 1)
    for fill in [0x00, 0xFF, 0x3E, 0x3F, 0xFB] as [UInt8] {
      let digest = [UInt8](repeating: fill, count: 32)
      #expect(Self.encode(digest) == Data(digest).base64EncodedString())
    }
    for _ in 0..<500 {
      let digest = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
      #expect(Self.encode(digest) == Data(digest).base64EncodedString())
    }
  }

  /// RFC 4648, section 10, without padding.
  @Test(arguments: [
    ("", ""), ("Zg", "f"), ("Zm8", "fo"), ("Zm9v", "foo"), ("Zm9vYg", "foob"), ("Zm9vYmE", "fooba"),
    ("Zm9vYmFy", "foobar"),
  ])
  func `decodes the RFC's examples`(text: String, bytes: String) {
    #expect(Self.decode(text) == Array(bytes.utf8))
  }

  @Test func `decodes the two characters that are its own`() {
    #expect(Self.decode("-_-_") == [0xFB, 0xFF, 0xBF])
  }

  @Test func `decodes whatever Foundation encodes`() {
    var random = SeededGenerator(seed: 2)
    for count in 0..<100 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      let text = Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
        .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
      #expect(Self.decode(text) == bytes)
    }
  }

  @Test(arguments: [
    "Z", "Zm9vY", "Zg==", "Zm8=", "Zm+v", "Zm/v", " Zm9v", "Zm9v\n", "Zm\u{0}v", "Zm9é", "Zm.v",
  ])
  func `refuses what is no base64url without padding`(text: String) {
    #expect(Self.decode(text) == nil)
  }

  @Test func `refuses every byte that is no digit`() {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    for byte in 0...255 as ClosedRange<UInt8> {
      let isDigit = digits.contains(byte)
      #expect((Base64.decodeURL([65, 65, byte, 65].span) != nil) == isDigit, "byte \(byte)")
    }
  }
}
