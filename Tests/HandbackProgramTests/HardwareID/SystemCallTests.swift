import Foundation
import TestSupport
import Testing

/// What the derivation asks of the kernel, and what a cut at any of its writes leaves.
@Suite(.serialized) struct SystemCallTests {
  static let isPossible =
    Program.isNative
    && Command.run("sh", ["-c", "strace true 2>/dev/null"]).status == 0

  @Test func `can run in CI`() {
    if DeviceSamples.isCI, Program.isNative { #expect(Self.isPossible, "strace") }
  }

  private let folder = TemporaryFolder()
  private let server = ["id", "--root", DeviceSamples.own.tree("gate-server")]

  /// The program's output, and the calls that were asked for.
  private func trace(
    _ options: [String], _ arguments: [String]
  ) throws -> (identification: Identification, calls: [Substring]) {
    let file = folder.path("calls")
    let traced = Identification(
      command: ["strace", "-f", "-o", file] + options + [Program.path] + arguments)
    let calls = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
    // The null device stands in for standard streams that a caller closed.
    return (traced, calls.filter { $0.contains("(") && !$0.contains("\"/dev/null\"") })
  }

  @Test(.enabled(if: isPossible), arguments: [true, false])
  func `writes nothing, starts nothing and opens no socket`(isRunningSystem: Bool) throws {
    let list = "trace=open,openat,creat,socket,fork,vfork,clone,clone3,execve,unlink,mkdir,rename"
    // Where the tests run, which names nothing well, or a tree that does.
    let arguments =
      isRunningSystem
      ? ["id", "--scheme", "licensespring", "--root", "/"] : server
    let (result, calls) = try trace(["-e", list], arguments + ["--json", "--explain"])
    #expect(!result.sources.isEmpty, "\(result)")
    // The program's own start.
    let own = calls.filter { !($0.contains("execve(") && $0.contains(Program.path)) }
    #expect(own.count > 10)
    for call in own {
      #expect(
        call.contains("O_RDONLY") || call.contains("O_PATH"), "\(call)")
      #expect(!call.contains("O_CREAT") && !call.contains("O_TRUNC"), "\(call)")
    }
  }

  /// The same through libudev: a refusal leaves no journal behind.
  @Test(.enabled(if: isPossible))
  func `opens nothing to be written before there is something to pin`() throws {
    let journal = folder.path("state/journal.db")
    let (result, calls) = try trace(
      ["-e", "trace=open,openat,creat,mkdir,socket,fork,vfork,clone,clone3"],
      ["id", "--scheme", "mac-decimal", "--root", DeviceSamples.own.tree("junk-board"), "--pin"]
        + ["--journal", journal])
    #expect(result.status == 69)
    #expect(calls.count > 10)
    #expect(!calls.contains { $0.contains("O_RDWR") || $0.contains("O_WRONLY") })
    #expect(!FileManager.default.fileExists(atPath: folder.path("state")))
  }

  /// Two devices whose clocks read the same would have one ID.
  @Test(.enabled(if: isPossible))
  func `makes no ID of the clock where the kernel gives no random bytes`() throws {
    let (result, _) = try trace(
      ["-e", "inject=getrandom:error=ENOSYS"],
      ["id", "--scheme", "random", "--journal", folder.path("journal.db")])
    #expect(result.status == 69)
    #expect(result.output.contains("the kernel gives no random bytes"), "\(result)")
    #expect(!FileManager.default.fileExists(atPath: folder.path("journal.db")))
  }

  /// An attribute that exists and fails is not an attribute that isn't there.
  @Test(.enabled(if: isPossible))
  func `takes an input error for unreadable`() throws {
    let tree = DeviceSamples.own.tree("fuse-board")
    let (result, _) = try trace(
      ["-P", tree + "/proc/cpuinfo", "-e", "inject=read:error=EIO"],
      ["id", "--root", tree, "--json", "--explain"])
    #expect(result.sources.contains("cpuinfo-serial  unreadable blocks "), "\(result)")
    #expect(result.outcome == "unreadable")
    #expect(result.id == nil)
  }

  /// Each call that looks for something fails once: no other part ever names the device. A virtual
  /// machine has no ID without its random part, and none as the metal that it seems to be.
  @Test(
    .enabled(if: isPossible),
    arguments: ["gate-server", "fuse-board", "two-ports", "default-dt-board", "vm"],
    ["statx", "read", "readlinkat"])
  func `is the same device, or says why not, whatever fails once`(
    sample: String, call: String
  ) throws {
    let arguments = ["id", "--root", DeviceSamples.own.tree(sample), "--json"]
    let id = Identification(arguments: arguments).id
    #expect((id == nil) == (sample == "vm"))
    var place = 1
    while place < 1000 {
      let (result, calls) = try trace(
        ["-e", "trace=\(call)", "-e", "inject=\(call):error=EIO:when=\(place)"], arguments)
      guard calls.contains(where: { $0.contains("(INJECTED)") }) else { break }
      #expect(result.status != 0 || result.id == id, "\(call) \(place): \(result)")
      // A path is walked through by its links: these fail much alike.
      place += call == "readlinkat" ? 19 : 1
    }
    #expect((3..<1000).contains(place))
  }

  /// What a sandbox or a fault hides is not what isn't there: without it, another part would name
  /// the device.
  @Test(
    arguments: [
      ("fuse-board", "/sys/bus/mmc/devices", "emmc"),
      ("fuse-board", "/sys/bus/mmc/devices/mmc0:aaaa/type", "emmc"),
      ("gate-server", "/sys/class/net", "network-address"),
      ("gate-server", "/sys/class/net/*/addr_assign_type", "network-address"),
    ])
  func `takes what can't be opened for unreadable`(
    sample: String, path: String, source: String
  ) {
    let tree = folder.path("tree")
    let hide = """
      cp -a "$1" "$2" && chmod 755 "${2%/*}" && chmod -R a+rX "$2" && chmod 0 "$2"\(path)
      """
    #expect(
      Command.run("sh", ["-c", hide, "sh", DeviceSamples.own.tree(sample), tree]).status == 0)
    let result = Identification(
      arguments: ["id", "--root", tree, "--json", "--explain"], isUser: true)
    Command.run("chmod", ["-R", "u+rwX", tree])
    #expect(
      result.sources.contains { $0.hasPrefix(source) && $0.contains(" unreadable ") }, "\(result)")
  }

  /// Which of a million names is read first depends on the folder, so none is taken; and a folder
  /// of twice as many takes not one call more.
  @Test(.enabled(if: isPossible))
  func `takes no address of a folder with more names than any device has`() throws {
    var counts: [Int] = []
    for count in [20_000, 40_000] {
      let tree = folder.path("tree-\(count)")
      let make = """
        import os, sys
        net = sys.argv[1] + "/sys/class/net"
        os.makedirs(net)
        for i in range(int(sys.argv[2])):
          os.symlink("../../devices/virtual/net/v", f"{net}/v{i}")
        """
      #expect(Command.run("python3", ["-c", make, tree, "\(count)"]).status == 0)
      let (result, calls) = try trace(
        ["--seccomp-bpf", "-e", "trace=readlinkat"], ["id", "--root", tree, "--json", "--explain"])
      #expect(result.sources.contains("network-address  unreadable blocks "), "\(result.status)")
      counts.append(calls.count)
    }
    #expect(counts[0] == counts[1])
  }

  /// Killed at its first write, its second, and so on, until it comes to its end: what was printed
  /// is pinned, and nothing else ever is.
  @Test(.enabled(if: isPossible), arguments: ["gate-server", "vm"])
  func `keeps its pin, whole or not at all, when cut off at any write`(name: String) throws {
    let arguments = ["id", "--pin", "--json", "--root", DeviceSamples.own.tree(name)]
    var cuts = 0
    for call in ["mkdir", "fchmod", "write", "pwrite64", "fsync", "fdatasync", "unlink"] {
      for place in 1..<100 {
        let journal = folder.path("\(name)-\(call)-\(place)/journal.db")
        let (cut, _) = try trace(
          ["-e", "inject=\(call):signal=KILL:when=\(place)"],
          arguments + ["--journal", journal])
        let after = Identification(arguments: arguments + ["--journal", journal])
        #expect(after.status == 0, "cut at \(call) \(place): \(after)")
        #expect(after.id != nil)
        if let printed = cut.id { #expect(after.id == printed, "cut at \(call) \(place)") }
        let rows = Command.run("sqlite3", [journal, "SELECT count(*) FROM identity"]).output
        #expect(rows == "1\n", "cut at \(call) \(place)")
        if cut.status == 0 { break }
        cuts += 1
      }
    }
    // Two pages of the tables and two of the row, their syncs, the folder's and the output.
    #expect(cuts > 10)
  }
}
