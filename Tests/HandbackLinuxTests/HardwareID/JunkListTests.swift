import Foundation
import TestSupport
import Testing

@Suite struct JunkListTests {
  @Test func `has Swift lists that are what the table says`() throws {
    let script = Repository.folder.appending(path: "scripts/hardware-id-lists").path
    let check = try Tool([script, "--check"])
    #expect(check.status == 0, "\(check.errors)")
  }
}
