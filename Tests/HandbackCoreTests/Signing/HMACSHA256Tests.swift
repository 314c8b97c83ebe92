import Foundation
import HandbackCore
import TestSupport
import Testing

struct HMACSHA256Tests {
  private static func code(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    Array(HMACSHA256Key(key.span).authenticate(message.span))
  }

  @Test func `agrees with RFC 4231`() throws {
    let file = try ResponseFile(
      Repository.file("Tests/Vectors/rfc4231-hmac-sha256.txt"), first: "Len",
      names: ["Len", "Key", "Msg", "MD"])
    #expect(file.records.count == 6)
    for record in file.records {
      let message = try record.bytes("Msg")
      #expect(record["Len"] == "\(message.count * 8)")
      let keyBytes = try record.bytes("Key")
      let code = Self.code(keyBytes, message)
      try #expect(code == record.bytes("MD"))
    }
  }

  /// The key's length decides how it is absorbed: padded up to a block, hashed beyond.
  @Test(arguments: [0, 1, 31, 32, 63, 64, 65, 127, 128, 200])
  func `absorbs a key as RFC 2104 defines it`(keyByteCount: Int) {
    let key = (0..<keyByteCount).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) }
    let message = Array("message".utf8)
    var block = keyByteCount > 64 ? SHA256Tests.digest(key) : key
    block += Array(repeating: 0, count: 64 - block.count)
    let inner = SHA256Tests.digest(block.map { $0 ^ 0x36 } + message)
    let expected = SHA256Tests.digest(block.map { $0 ^ 0x5C } + inner)
    #expect(Self.code(key, message) == expected)
  }

  @Test func `authenticates many messages with one key`() {
    let key = HMACSHA256Key(Array("key".utf8).span)
    let first = Array(key.authenticate(Array("one".utf8).span))
    _ = key.authenticate(Array("two".utf8).span)
    #expect(Array(key.authenticate(Array("one".utf8).span)) == first)
  }
}
