import HandbackCore
import TestSupport
import Testing

struct APICodeTests {
  @Test(arguments: Array(APICode.allCases))
  func `each code is found by its name`(code: APICode) {
    let name = Array(code.name.description.utf8)
    #expect(APICode(utf8: name.span) == code)
    #expect(APICode(utf8: (name + [0x73]).span) == nil)
    #expect(APICode(utf8: Array(name.dropLast()).span) == nil)
    #expect(APICode(utf8: Array(code.name.description.uppercased().utf8).span) == nil)
  }

  @Test func `no name is there twice, and all are plain words`() {
    let names = APICode.allCases.map { $0.name.description }
    #expect(Set(names).count == 30)
    #expect(names.count == 30)
    let plain = Set("abcdefghijklmnopqrstuvwxyz_")
    for name in names { #expect(name.allSatisfy { plain.contains($0) }, "\(name)") }
  }

  @Test(arguments: ["", "unknown", "license_deactivated", "device_not_found ", "a\u{0}b"])
  func `an unknown name is none`(name: String) {
    #expect(APICode(utf8: Array(name.utf8).span) == nil)
  }
}
