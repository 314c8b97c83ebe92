import Foundation
import HandbackCore
import TestSupport
import Testing

/// Scripts repeat themselves: which requests are the same one, and which are not.
struct FingerprintTests {
  private static let base = SampleLicense(.key("K"), product: "P", hardwareID: "H", licenseID: 7)

  static func token(_ claims: String, signature: String = "sig") -> String {
    func encode(_ text: String) -> String {
      Data(text.utf8).base64EncodedString().replacingOccurrences(of: "+", with: "-")
        .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }
    return encode("{\"alg\":\"RS256\"}") + "." + encode(claims) + "." + signature
  }

  @Test func `is the same for the same request`() {
    #expect(Self.base.fingerprint == Self.base.fingerprint)
    #expect(Self.base.fingerprint.count == 16)
  }

  static let variations: [(String, SampleLicense)] = [
    ("product", SampleLicense(.key("K"), product: "Q", hardwareID: "H", licenseID: 7)),
    ("key", SampleLicense(.key("L"), product: "P", hardwareID: "H", licenseID: 7)),
    ("hardware ID", SampleLicense(.key("K"), product: "P", hardwareID: "I", licenseID: 7)),
    ("license_id", SampleLicense(.key("K"), product: "P", hardwareID: "H", licenseID: 8)),
    ("no license_id", SampleLicense(.key("K"), product: "P", hardwareID: "H")),
    ("user", SampleLicense(.user("K"), product: "P", hardwareID: "H", licenseID: 7)),
    (
      "token",
      SampleLicense(.idToken("K", account: "A"), product: "P", hardwareID: "H", licenseID: 7)
    ),
    ("code", SampleLicense(.code("K", account: "A"), product: "P", hardwareID: "H", licenseID: 7)),
    (
      "another account",
      SampleLicense(.code("K", account: "B"), product: "P", hardwareID: "H", licenseID: 7)
    ),
    ("fields moved, 1", SampleLicense(.key("K"), product: "PH", hardwareID: "H", licenseID: 7)),
    ("fields moved, 2", SampleLicense(.key("HK"), product: "P", hardwareID: "H", licenseID: 7)),
  ]

  @Test func `differs with each part of the request's identity`() {
    var seen = [Self.base.fingerprint: "base"]
    for (name, license) in Self.variations {
      if let other = seen.updateValue(name, forKey: license.fingerprint) {
        Issue.record("\(name) is the same as \(other)")
      }
    }
  }

  @Test func `tells fields apart that run together`() {
    let one = SampleLicense(.code("c", account: "ab"))
    let other = SampleLicense(.code("bc", account: "a"))
    #expect(one.fingerprint != other.fingerprint)
    #expect(
      SampleLicense(product: "ab", hardwareID: "c").fingerprint
        != SampleLicense(product: "a", hardwareID: "bc").fingerprint)
  }

  @Test func `is the same with another password`() {
    let first = SampleLicense(.user("u", password: "old"))
    #expect(first.fingerprint == SampleLicense(.user("u", password: "new")).fingerprint)
    #expect(first.fingerprint == SampleLicense(.user("u")).fingerprint)
    #expect(first.fingerprint != SampleLicense(.user("v", password: "old")).fingerprint)
  }

  @Test func `is the same with a fresh token of the same subject`() {
    func print(_ token: String, account: String = "A") -> [UInt8] {
      SampleLicense(.idToken(token, account: account)).fingerprint
    }
    let first = Self.token(#"{"sub":"alice","exp":1}"#)
    #expect(print(first) == print(Self.token(#"{"exp":2,"sub":"alice"}"#, signature: "other")))
    #expect(print(first) != print(Self.token(#"{"sub":"bob","exp":1}"#)))
    #expect(print(first) != print(first, account: "B"))
    // Without a subject, or without claims, the token stands for itself.
    #expect(print(Self.token("{}")) == print(Self.token("{}")))
    #expect(print(Self.token("{}")) != print(Self.token("{}", signature: "other")))
    #expect(print("opaque") != print("opaque2"))
  }

  /// What may change from one run to the next without being another license.
  @Test func `doesn't depend on details`() {
    var license = Self.base
    license.sdkVersion = "S"
    license.consumptions = 5
    #expect(license.fingerprint == Self.base.fingerprint)
  }

  @Test func `another bundle's license is another one`() {
    var license = Self.base
    license.bundleCode = "B"
    let print = license.fingerprint
    #expect(print != Self.base.fingerprint)
    license.bundleCode = "C"
    #expect(license.fingerprint != print)
  }
}
