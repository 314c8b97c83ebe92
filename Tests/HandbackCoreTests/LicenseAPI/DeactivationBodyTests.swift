import Foundation
import TestSupport
import Testing

@testable import HandbackCore

struct DeactivationBodyTests {
  static func object(_ text: String) throws -> NSDictionary {
    try #require(
      JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary, "\(text)")
  }

  // MARK: - The official client's bodies

  static let machineID = "a82c16df291f6bdb1dbb9dc0cd2171462dbbf2bdeef8f4a4b3d89ad98bb46eaf"

  /// The same request in our words; the client sends no `sdk_ver` here.
  static let captures: [(String, SampleLicense)] = [
    ("deactivate_key.1", SampleLicense(hardwareID: machineID)),
    (
      "deactivate_key_all.1",
      SampleLicense(licenseID: 1_723_642_193_958_949, bundleCode: "BUN")
    ),
    (
      "deactivate_user.1",
      SampleLicense(
        .user("user@example.com"), hardwareID: machineID, licenseID: 1_723_642_193_958_949)
    ),
    ("deactivate_oauth_key.3", SampleLicense(hardwareID: machineID)),
    (
      "synthetic_user_password.1",
      SampleLicense(.user("user@example.com", password: "p@ss \"w\" \\ ž"), hardwareID: machineID)
    ),
    (
      "synthetic_sso_idtoken.1",
      SampleLicense(.idToken("ACCESS.TOKEN.VALUE", account: "CAC"), hardwareID: machineID)
    ),
    (
      "synthetic_sso_both.1",
      SampleLicense(.code("AUTHCODE", account: "CAC"), hardwareID: machineID)
    ),
  ]

  @Test(arguments: captures)
  func `says what the official client says`(name: String, license: SampleLicense) throws {
    let file = Repository.file("Tests/Vectors/captures/\(name).http")
    let request = try String(contentsOf: file, encoding: .utf8)
    let lines = request.split(separator: "\r\n\r\n", maxSplits: 1)
    let theirs = try Self.object(String(try #require(lines.last)))
    #expect(try Self.object(license.body) == theirs)
  }

  @Test func `every capture of a deactivation is compared`() throws {
    let names = try Repository.vectors("captures").map(\.lastPathComponent).filter {
      $0.hasSuffix(".http") && !$0.hasPrefix("offline_")
    }
    // One has no license at all, which can't be said here; two are the token's requests.
    let others = [
      "deactivate_none.1.http", "deactivate_oauth_key.1.http", "deactivate_oauth_key.2.http",
    ]
    #expect(Set(names) == Set(Self.captures.map { $0.0 + ".http" } + others))
  }

  // MARK: - Fields

  @Test func `has the members in a fixed order and without spaces`() {
    let license = SampleLicense(
      .code("c", account: "a", redirectURI: "https://r"), product: "p", hardwareID: "h",
      licenseID: 1, bundleCode: "b", sdkVersion: "s", consumptions: -2)
    #expect(
      license.body == "{\"product\":\"p\",\"bundle_code\":\"b\",\"hardware_id\":\"h\","
        + "\"customer_account_code\":\"a\",\"code\":\"c\",\"redirect_uri\":\"https://r\","
        + "\"license_id\":1,\"sdk_ver\":\"s\",\"consumptions\":-2}")
  }

  static let ways: [(SampleLicense.Way, [String: String])] = [
    (.key("K"), ["license_key": "K"]),
    (.user("U"), ["username": "U"]),
    (.user("U", password: "P"), ["username": "U", "password": "P"]),
    (.idToken("T", account: "A"), ["id_token": "T", "customer_account_code": "A"]),
    (.code("C", account: "A"), ["code": "C", "customer_account_code": "A"]),
    (
      .code("C", account: "A", redirectURI: "R"),
      ["code": "C", "customer_account_code": "A", "redirect_uri": "R"]
    ),
  ]

  /// Each of the optional fields there or not, for each way: 16 bodies each.
  @Test(arguments: ways)
  func `holds exactly the fields given`(way: SampleLicense.Way, fields: [String: String]) throws {
    for mask in 0..<16 {
      var license = SampleLicense(way, product: "P", hardwareID: "H")
      let expected = NSMutableDictionary(dictionary: fields)
      expected["product"] = "P"
      expected["hardware_id"] = "H"
      if mask & 1 != 0 {
        license.licenseID = 7
        expected["license_id"] = 7
      }
      if mask & 2 != 0 {
        license.bundleCode = "B"
        expected["bundle_code"] = "B"
      }
      if mask & 4 != 0 {
        license.sdkVersion = "S"
        expected["sdk_ver"] = "S"
      }
      if mask & 8 != 0 {
        license.consumptions = -3
        expected["consumptions"] = -3
      }
      #expect(try Self.object(license.body) == expected)
    }
  }

  @Test(arguments: [
    0, 1, -1, 9, 10, 1_723_642_193_958_949, 9_007_199_254_740_993, Int64.max, Int64.min,
  ])
  func `writes integers exactly`(number: Int64) {
    let license = SampleLicense(licenseID: number, consumptions: number)
    #expect(license.body.contains("\"license_id\":\(number),\"consumptions\":\(number)}"))
    let body = Array(license.body.utf8)
    #expect(JSONText.integer("license_id", in: body.span) == number)
  }

  // MARK: - Text

  /// Control characters are refused in fields, yet a key may be what a file holds: all the same,
  /// the writer must be right for every byte.
  @Test func `escapes what JSON wants escaped, and nothing else`() throws {
    for scalar in (0..<0x80).compactMap(Unicode.Scalar.init) {
      let text = "a\(scalar)b"
      let body = SampleLicense(.key(text)).body
      #expect(try Self.object(body)["license_key"] as? String == text)
      let isEscaped = body.contains("\\")
      #expect(isEscaped == (scalar.value < 0x20 || scalar == "\"" || scalar == "\\"))
      let bytes = Array(body.utf8)
      #expect(JSONText.string("license_key", in: bytes.span) == Array(text.utf8))
    }
    let body = SampleLicense(.key("\u{8}\t\n\u{C}\r\u{0}\u{1F}\"\\/")).body
    #expect(body.contains(#""license_key":"\b\t\n\f\r\u0000\u001f\"\\/""#))
  }

  @Test(arguments: [
    "ž", "鍵", "🔑", "\u{80}", "\u{7FF}", "\u{800}", "\u{FFFF}", "\u{10000}", "\u{10FFFF}",
    "e\u{301}", "\u{2028}\u{2029}", "a\u{FEFF}", "👩‍🔬",
  ])
  func `keeps characters beyond ASCII as they are`(text: String) throws {
    let license = SampleLicense(.user(text, password: text), product: text, hardwareID: text)
    let object = try Self.object(license.body)
    for name in ["product", "hardware_id", "username", "password"] {
      let value = try #require(object[name] as? String)
      #expect(Array(value.utf8) == Array(text.utf8))
    }
    #expect(license.body.contains(text))
  }

  @Test func `the longest fields fit, every byte escaped`() throws {
    let way = SampleLicense.Way.code(
      String(repeating: "\"", count: Field.code.byteCountMax),
      account: String(repeating: "\\", count: Field.customerAccountCode.byteCountMax),
      redirectURI: String(repeating: "\"", count: Field.redirectURI.byteCountMax))
    let license = SampleLicense(
      way, product: String(repeating: "\"", count: Field.product.byteCountMax),
      hardwareID: String(repeating: "\"", count: Field.hardwareID.byteCountMax),
      licenseID: .min, bundleCode: String(repeating: "\"", count: Field.bundleCode.byteCountMax),
      sdkVersion: String(repeating: "\"", count: Field.sdkVersion.byteCountMax),
      consumptions: .min)
    #expect(try Self.object(license.body).count == 9)
    let token = String(repeating: "\u{1}", count: Field.idToken.byteCountMax)
    #expect(
      SampleLicense(.idToken(token, account: "a")).body.utf8.count > 6 * Field.idToken.byteCountMax)
  }
}
