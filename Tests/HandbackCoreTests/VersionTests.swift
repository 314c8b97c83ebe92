import HandbackCore
import Testing

struct VersionTests {
  @Test func `the name sent to the server holds the version`() {
    #expect(Version.sdkVersion.description == "handback " + Version.text.description)
    #expect(Version.userAgent.description == "handback/" + Version.text.description)
  }
}
