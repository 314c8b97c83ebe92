import Foundation
import TestSupport
import Testing

@Suite struct JunkListTests {
  @Test func `has Swift lists that are what the table says`() {
    let check = Command.run(Repository.file("scripts/hardware-id-lists").path, ["--check"])
    #expect(check.status == 0)
  }
}
