import TestSupport
import Testing

@testable import HandbackCore

struct WebTokenTests {
  private static func token(_ claims: String) -> WebToken? {
    WebToken(Array(FingerprintTests.token(claims).utf8).span)
  }

  @Test func `reads exp and sub`() throws {
    let token = try #require(Self.token(#"{"iss":"i","sub":"a\u00e9🔑","exp":1795392000}"#))
    #expect(token.expiry == 1_795_392_000)
    #expect(token.subject == Array("aé🔑".utf8))
  }

  /// RFC 7519, section 3.1.
  @Test func `reads the RFC's example`() throws {
    let text =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      + "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
      + "cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    let parsed = WebToken(Array(text.utf8).span)
    let token = try #require(parsed)
    #expect(token.expiry == 1_300_819_380)
    #expect(token.subject == nil)
  }

  @Test(
    arguments: [
      ("{}", nil), (#"{"exp":"1"}"#, nil), (#"{"exp":1.5}"#, nil), (#"{"exp":null}"#, nil),
      (#"{"exp":-1}"#, -1), (#"{"exp":1,"exp":2}"#, nil), (#"{"exp":99999999999999999999}"#, nil),
      (#"{"claims":{"exp":1}}"#, nil),
    ] as [(String, Int64?)])
  func `takes only an integer for exp`(claims: String, expiry: Int64?) throws {
    #expect(try #require(Self.token(claims)).expiry == expiry)
  }

  @Test(arguments: [
    "", ".", "..", "a.b", "a.b.c", "a.b.c.d", "opaque", "e30.e30", "e30.e3.", "e30.ZQ.sig",
    "e30.W10.sig", "e30.e30=.sig", "e30.e 30.sig",
  ])
  func `is none without claims in JSON`(text: String) {
    #expect(WebToken(Array(text.utf8).span) == nil)
  }

  @Test func `doesn't look at header and signature`() {
    #expect(WebToken(Array(".e30.".utf8).span) != nil)
    #expect(WebToken(Array("!.e30.!".utf8).span) != nil)
  }
}
