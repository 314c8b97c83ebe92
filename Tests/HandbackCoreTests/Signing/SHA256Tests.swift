import Foundation
import TestSupport
import Testing

@testable import HandbackCore

/// FIPS 180-4 by NIST's own vectors.
struct SHA256Tests {
  static func digest(_ message: [UInt8]) -> [UInt8] {
    var hasher = SHA256()
    hasher.update(message.span)
    return Array(hasher.finalize())
  }

  @Test(arguments: [("SHA256ShortMsg.rsp", 65), ("SHA256LongMsg.rsp", 64)])
  func `agrees with NIST's messages`(name: String, count: Int) throws {
    let file = try ResponseFile(
      Repository.file("Tests/Vectors/nist/" + name), first: "Len", names: ["Len", "Msg", "MD"],
      headNames: ["L"])
    #expect(file.head == ["L": "32"])
    #expect(file.records.count == count)
    for record in file.records {
      let bitCount = try #require(record["Len"].flatMap { Int($0) })
      // A message of no length is written `00`.
      let message = try Array(record.bytes("Msg").prefix(bitCount / 8))
      try #expect(message.count * 8 == bitCount && Self.digest(message) == record.bytes("MD"))
    }
  }

  /// The SHA Validation System, section 6.4: each checkpoint is 1,000 hashes of the three digests
  /// before it.
  @Test func `agrees with NIST's Monte Carlo test`() throws {
    let file = try ResponseFile(
      Repository.file("Tests/Vectors/nist/SHA256Monte.rsp"), first: "COUNT",
      names: ["COUNT", "MD"], headNames: ["L", "Seed"])
    var seed = try file.head.bytes("Seed")
    #expect(file.records.count == 100)
    for record in file.records {
      var last = [seed, seed, seed]
      for _ in 0..<1000 {
        last = [last[1], last[2], Self.digest(last[0] + last[1] + last[2])]
      }
      seed = last[2]
      try #expect(seed == record.bytes("MD"), "checkpoint \(record["COUNT"] ?? "")")
    }
  }

  @Test func `gives the same digest however the message is cut`() {
    let message = (0..<200).map { UInt8($0) }
    let whole = Self.digest(message)
    for cut in 0...message.count {
      var hasher = SHA256()
      hasher.update(Array(message[..<cut]).span)
      hasher.update(Array(message[cut...]).span)
      #expect(Array(hasher.finalize()) == whole, "cut at \(cut)")
    }
  }

  @Test func `takes static text as its bytes`() {
    var hasher = SHA256()
    hasher.update("abc")
    #expect(Array(hasher.finalize()) == Self.digest(Array("abc".utf8)))
  }

  @Test func `holds nothing of the message once wiped`() {
    var hasher = SHA256()
    hasher.update(Array(String(repeating: "secret", count: 20).utf8).span)
    hasher.wipe()
    for index in 0..<8 { #expect(hasher.state[index] == 0) }
    for index in 0..<16 { #expect(hasher.schedule[index] == 0) }
  }
}
