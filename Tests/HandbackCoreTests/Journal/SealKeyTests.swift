import HandbackCore
import TestSupport
import Testing

struct SealKeyTests {
  /// By python3-cryptography 38's `HKDFExpand`, of the key 00 01 … 1f.
  @Test(arguments: [
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
  ])
  func `derives what another tool does`(_ text: String) throws {
    let text = Secret(text)
    guard let key = SealKey(hex: text) else {
      Issue.record("the key is refused")
      return
    }
    #expect(
      Hex.text(Array(key.expand("handback seal 1 key")))
        == "2c1cf9e192785ecfad9cd2fe59916e634498b423ff679120ad1a7338fae13adf")
    #expect(
      Hex.text(Array(Array(key.expand("handback seal 1 check"))[0..<8])) == "09c6738f3da5a618")
    #expect(
      Hex.text(
        Array(key.expand("handback seal 1 fingerprint", Text([UInt8](repeating: 7, count: 16)))))
        == "047902987cc56f21c2ef6b5f70b29b90b3aec4fa4ccd38c2b14b53ab9eb7cf7b")
  }

  @Test(arguments: [
    "", "0", String(repeating: "0", count: 63), String(repeating: "0", count: 65),
    String(repeating: "0", count: 128), String(repeating: "g", count: 64),
    String(repeating: "0", count: 63) + " ", "0x" + String(repeating: "0", count: 62),
    String(repeating: "0", count: 32), String(repeating: "é", count: 32),
  ])
  func `takes 64 hexadecimal digits and nothing else`(_ text: String) {
    let text = Secret(text)
    let isTaken = SealKey(hex: text) != nil
    #expect(!isTaken)
  }

  @Test func `tells its problems from the server's codes`() {
    func isSealed(_ status: Int64, _ code: Text?) -> Bool {
      HandbackCore.Outcome(httpStatus: status, code: code, message: nil).isSealed
    }
    for problem in [SealProblem.keyMissing, .keyWrong, .broken] {
      #expect(isSealed(0, Text(problem.name)))
      #expect(!isSealed(400, Text(problem.name)))
    }
    #expect(!isSealed(0, nil))
    #expect(!isSealed(0, "seal"))
  }
}
