import HandbackCore
import HandbackLinux
import Testing

struct SystemClockTests {
  @Test func `tells a time after the release, and which boot it is`() {
    let now = SystemClock.now()
    #expect(now.wallSeconds > 1_700_000_000)
    #expect(now.bootMilliseconds > 0)
    #expect(now.bootID != 0)
  }
}
