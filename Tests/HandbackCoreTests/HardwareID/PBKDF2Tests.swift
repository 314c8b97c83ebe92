import HandbackCore
import Testing

@Suite struct PBKDF2Tests {
  /// RFC 7914, section 11, and the vectors that follow RFC 6070's with SHA-256; the first 32 bytes
  /// of each, checked against OpenSSL.
  @Test(arguments: [
    ("passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"),
    (
      "Password", "NaCl", 80_000, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
    ),
    ("password", "salt", 2, "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43"),
    ("password", "salt", 4096, "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a"),
    (
      String(repeating: "long", count: 40), "salt", 3,
      "a26bfc4554829d3e2d394e52b7f4695f08b805710da7d9d92109737bfffd5bfb"
    ),
  ])
  func `derives what the RFC says`(secret: String, salt: String, rounds: Int, hex: String) {
    let code = PBKDF2.derive(
      secret: Array(secret.utf8).span, salt: Array(salt.utf8).span, rounds: rounds)
    #expect(code.indices.map { code[$0] } == bytes(hex))
  }
}

func bytes(_ hex: String) -> [UInt8] {
  let digits = Array(hex.utf8)
  return stride(from: 0, to: digits.count, by: 2).map {
    UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16) ?? 0
  }
}
