import Foundation
import TestSupport
import Testing

/// The same devices through the real libudev, on a mocked `/sys`.
@Suite(.serialized) struct UmockdevTests {
  static let isPossible: Bool =
    Tool.has("umockdev-run") && Tool.has("unshare")
    && (try? Tool(["unshare", "--mount", "true"]).status) == 0

  @Test func `can run in CI`() {
    if Surroundings.isCI { #expect(Self.isPossible, "umockdev and the right to unshare mounts") }
  }

  /// One run for all: each starts a process with libraries of its own.
  @Test(.enabled(if: isPossible), arguments: DeviceSampleTests.samples.indices)
  func `reads through libudev what a tree of the same device says`(index: Int) throws {
    let samples = DeviceSampleTests.samples[index]
    let probe = Surroundings.program("HardwareIDProbe")
    for name in samples.names where samples.has("device.umockdev", name) {
      let description = samples.folder.appending(path: "\(name)/device.umockdev").path
      let mocked = try Tool([
        Repository.folder.appending(path: "scripts/hardware-id-bare").path,
        samples.tree(name), "umockdev-run", "--device", description, "--", probe,
      ])
      let tree = try samples.probe(name)
      #expect(mocked.status == 0, "\(name): \(mocked.errors)")
      for line in ["platform", "id", "class", "refused", "components"] {
        #expect(mocked.line(line) == tree.line(line), "\(name)")
      }
    }
  }
}
