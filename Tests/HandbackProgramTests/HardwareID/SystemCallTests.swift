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
    _ options: [String], _ arguments: [String], isWhole: Bool = false
  ) throws -> (identification: Identification, calls: [Substring]) {
    let file = folder.path("calls")
    let traced = Identification(
      command: ["strace", "-f", "--seccomp-bpf", "-o", file] + options + [Program.path] + arguments)
    let calls = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
    // The null device stands in for standard streams that a caller closed.
    return (
      traced,
      calls.filter { $0.contains("(") && (isWhole || !$0.contains("\"/dev/null\"")) }
    )
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
    arguments: ["gate-server", "fuse-board", "two-ports", "vm"] + made.keys,
    ["openat", "statx", "read", "readlinkat"])
  func `is the same device, or says why not, whatever fails once`(
    sample: String, call: String
  ) throws {
    // Thousands of them in a whole device's tree, and each run stops at each.
    if call == "openat", Self.made[sample] == nil { return }
    var tree = DeviceSamples.own.tree(sample)
    if let made = Self.made[sample] {
      tree = folder.path(sample)
      let script = "mkdir $1 && cd $1 || exit; \(Self.makePort)\n\(made)"
      #expect(Command.run("sh", ["-ec", script, "sh", tree]).status == 0)
    }
    let arguments = ["id", "--root", tree, "--json"]
    let (plain, calls) = try trace(["-e", "trace=\(call)"], arguments, isWhole: true)
    if let outcome = Self.outcomes[sample] {
      #expect(plain.outcome == outcome, "\(plain)")
    } else {
      #expect(plain.id != nil, "\(plain)")
    }
    var tries = 0
    for place in calls.indices {
      // A path is walked through by its links, which fail much alike, as do the folders on it.
      let isTried =
        call == "readlinkat"
        ? place % 19 == 0 : call != "openat" || calls[place].contains("O_NONBLOCK")
      if !isTried { continue }
      let (result, struck) = try trace(
        ["-e", "trace=\(call)", "-e", "inject=\(call):error=EIO:when=\(place + 1)"], arguments,
        isWhole: true)
      #expect(struck.contains { $0.contains("(INJECTED)") })
      #expect(result.status != 0 || result.id == plain.id, "\(calls[place]): \(result)")
      tries += 1
    }
    #expect(tries > 2)
  }

  private static let outcomes = ["vm": "v", "virtual": "no-good-source"]

  /// A port that would name the device.
  private static let makePort = """
    mkdir -p sys/class/net sys/devices/platform/a.ethernet/net/eth1
    ln -s ../../devices/platform/a.ethernet/net/eth1 sys/class/net/eth1
    port() { echo $2 > $1/address; echo 0 > $1/addr_assign_type; echo 1 > $1/type; }
    port sys/class/net/eth1 7c:b7:7b:10:20:31
    """

  /// Devices that hang on one file each: where it isn't seen, the port is all that is left.
  private static let made = [
    "sys-alone": """
    mkdir -p sys/firmware/devicetree/base
    printf '5f3c9a1be07d2468\\0' > sys/firmware/devicetree/base/serial-number
    """,
    "virtual": """
    mkdir -p proc/device-tree
    printf 'linux,dummy-virt\\0' > proc/device-tree/compatible
    """,
    "usb-port": """
    mkdir sys/class/net/eth1/phy80211
    usb=sys/devices/platform/soc/usb1/1-1
    mkdir -p $usb/1-1:1.0/net/eth0
    echo 0424 > $usb/idVendor; echo ec00 > $usb/idProduct
    ln -s ../../../1-1:1.0 $usb/1-1:1.0/net/eth0/device
    ln -s ../../devices/platform/soc/usb1/1-1/1-1:1.0/net/eth0 sys/class/net/eth0
    port $usb/1-1:1.0/net/eth0 b8:27:eb:10:20:31
    """,
  ]

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
        ["-e", "trace=readlinkat"], ["id", "--root", tree, "--json", "--explain"])
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
