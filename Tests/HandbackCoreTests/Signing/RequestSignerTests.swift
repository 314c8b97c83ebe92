import Foundation
import TestSupport
import Testing

@testable import HandbackCore

/// The field must be, byte for byte, what the official client sends.
struct RequestSignerTests {
  struct Vector: Decodable, CustomTestStringConvertible {
    let name: String
    let apiKey: String
    let sharedKey: String
    let sharedKeyUtf8Hex: String
    let epoch: Int64
    let date: String
    let signingString: String
    let authorization: String
    let signature: String

    var testDescription: String { name }
  }

  static func vectors() throws -> [Vector] {
    struct File: Decodable { let signing: [Vector] }
    let data = try Data(contentsOf: Repository.file("Tests/Vectors/signing.json"))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(File.self, from: data).signing
  }

  private static func field(_ signer: borrowing RequestSigner, _ date: IMFFixdate) -> String {
    signer.sign(date)
    return unsafe signer.withAuthorizationField { unsafe String(cString: $0) }
  }

  private static func refusal(apiKey: String, sharedKey: String) -> RequestSigner.KeyError? {
    do throws(RequestSigner.KeyError) {
      _ = try RequestSigner(apiKey: Secret(apiKey), sharedKey: Secret(sharedKey))
      return nil
    } catch {
      return error
    }
  }

  @Test func `all recordings are here`() throws {
    #expect(try Self.vectors().count == 7)
  }

  @Test(arguments: try vectors())
  func `signs as the official client, or refuses the key`(vector: Vector) throws {
    #expect(Array(vector.sharedKey.utf8) == Hex.bytes(vector.sharedKeyUtf8Hex))
    let date = IMFFixdate(epochSeconds: vector.epoch)
    #expect(date.text == vector.date)
    #expect(vector.signingString == "licenseSpring\ndate: " + vector.date)
    if vector.sharedKey.isEmpty || vector.apiKey.contains("\"") {
      #expect(Self.refusal(apiKey: vector.apiKey, sharedKey: vector.sharedKey) != nil)
      // What is signed agrees all the same.
      let key = HMACSHA256Key(Array(vector.sharedKey.utf8).span)
      let code = key.authenticate(Array(vector.signingString.utf8).span)
      #expect(Array(Base64.encode(code)).text == vector.signature)
      return
    }
    let signer = try RequestSigner(
      apiKey: Secret(vector.apiKey), sharedKey: Secret(vector.sharedKey))
    #expect(Self.field(signer, date) == "Authorization: " + vector.authorization)
  }

  @Test func `signs again and again with one layout`() throws {
    let signer = try RequestSigner(apiKey: Secret("key"), sharedKey: Secret("shared"))
    let first = Self.field(signer, IMFFixdate(epochSeconds: 1))
    let second = Self.field(signer, IMFFixdate(epochSeconds: 2))
    #expect(first != second)
    #expect(Self.field(signer, IMFFixdate(epochSeconds: 1)) == first)
    #expect(signer.copyField().copyBytes().text == first)
  }

  @Test func `refuses an API key that a quoted parameter can't hold`() {
    for byte in 0...255 as ClosedRange<UInt8> {
      let key = [UInt8(ascii: "a"), byte, UInt8(ascii: "c")]
      let isRefused =
        (try? RequestSigner(apiKey: Secret(copying: key.span), sharedKey: Secret("k"))) == nil
      let isForbidden = byte <= 0x20 || byte == 0x7F || byte == 0x22 || byte == 0x5C
      #expect(isRefused == isForbidden, "byte \(byte)")
    }
  }

  @Test func `refuses empty and over-long keys, and control characters in the shared key`() throws {
    let longest = String(repeating: "k", count: RequestSigner.apiKeyByteCountMax)
    #expect(Self.refusal(apiKey: "", sharedKey: "k") == .emptyAPIKey)
    #expect(Self.refusal(apiKey: "a", sharedKey: "") == .emptySharedKey)
    #expect(Self.refusal(apiKey: longest + "k", sharedKey: "k") == .apiKeyTooLong)
    #expect(Self.refusal(apiKey: longest, sharedKey: "k") == nil)
    for byte in ["\n", "\r", "\0", "\u{1B}", "\u{7F}"] {
      let refusal = Self.refusal(apiKey: "a", sharedKey: "k" + byte)
      #expect(refusal == .sharedKeyHoldsControlCharacter)
    }
  }
}
