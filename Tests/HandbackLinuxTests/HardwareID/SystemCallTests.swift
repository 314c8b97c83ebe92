import Foundation
import Testing

/// What the derivation asks of the kernel.
@Suite(.serialized) struct SystemCallTests {
  static let isPossible = Tool.has("strace") && (try? Tool(["strace", "true"]).status) == 0

  @Test func `can run in CI`() {
    if Surroundings.isCI { #expect(Self.isPossible, "strace") }
  }

  private func trace(_ options: [String], _ arguments: [String]) throws -> Tool {
    try Tool(["strace", "-f"] + options + [Surroundings.program("HardwareIDProbe")] + arguments)
  }

  @Test(.enabled(if: isPossible), arguments: [true, false])
  func `writes nothing, starts nothing and opens no socket`(isRunningSystem: Bool) throws {
    let calls = "trace=open,openat,creat,socket,fork,vfork,clone,clone3,execve,unlink,mkdir,rename"
    let arguments = isRunningSystem ? [] : [DeviceSamples.own.tree("gate-server")]
    let traced = try trace(["-e", calls], arguments)
    var lines = traced.errors.split(separator: "\n").filter { $0.contains("(") }
    // The program's own start.
    lines.removeAll { $0.contains("execve(") && $0.contains("HardwareIDProbe") }
    #expect(lines.count > 10)
    for line in lines {
      #expect(
        line.contains("O_RDONLY") && !line.contains("O_CREAT") && !line.contains("O_TRUNC"),
        "\(line)")
    }
  }

  /// An attribute that exists and fails is not an attribute that isn't there.
  @Test(.enabled(if: isPossible))
  func `takes an input error for unreadable`() throws {
    let tree = DeviceSamples.own.tree("fuse-board")
    let file = tree + "/proc/cpuinfo"
    let traced = try trace(["-P", file, "-e", "inject=read:error=EIO", "-o", "/dev/null"], [tree])
    #expect(traced.output.contains("source cpuinfo-serial '' unreadable, blocks"))
    #expect(traced.line("refused") == "unreadable")
    #expect(traced.line("id") == nil)
  }

  /// The whole derivation but its work factor, in CPU time of the process.
  @Test func `takes little time before the hashing`() throws {
    let tree = DeviceSamples.own.tree("junk-board")
    let start = ContinuousClock.now
    #expect(try Tool([Surroundings.program("HardwareIDProbe"), tree]).status == 0)
    // Measured: 3 ms of CPU in a release build; this bound is for a debug build, with its start.
    #expect(ContinuousClock.now - start < .seconds(2))
  }
}
