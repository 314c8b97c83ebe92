import Foundation
import TestSupport
import Testing

/// Files that aren't what they should be. Nothing hangs, crashes, or writes where it wasn't told
/// to; what was queued stays so.
struct SurroundingsTests {
  @Test(arguments: ["-copy", "-wal", "-shm", "-journal", "-reserve", "-sender"])
  func `links, pipes and folders in the place of the journal's other files`(_ name: String) {
    let device = Device()
    #expect(device.run("deactivate", "--queue-only").status == 0)
    let path = device.journal + name
    let target = device.folder.path("target")
    let users = try? String(contentsOfFile: "/etc/passwd", encoding: .utf8)
    for make in [
      "ln -s \(target) \(path)", "ln -s /etc/passwd \(path)", "mkfifo \(path)", "mkdir \(path)",
      "touch \(path) && ln \(path) \(target)",
    ] {
      let kept = device.folder.read("state/journal.db\(name)")
      let result = device.shell(
        """
        rm -f \(path); \(make)
        for other in status flush; do timeout 40 $program $other; [ $? != 124 ] || exit; done
        $program deactivate --queue-only --hardware-id other
        """)
      #expect([0, 73, 74, 77].contains(result.status), "\(make): \(result)")
      #expect(result.status == 0 || !result.output.contains("queued"))
      #expect(
        (try? FileManager.default.attributesOfItem(atPath: target)[.size] as? Int) ?? 0 == 0,
        "\(make): written through")
      _ = device.shell("rm -rf \(path) \(target)")
      if name == "-copy" || name == "-wal", let kept {
        device.folder.write("state/journal.db\(name)", kept)
      }
    }
    #expect((try? String(contentsOfFile: "/etc/passwd", encoding: .utf8)) == users)
    let tickets = device.json("status")["deactivations"] as? [[String: Any]] ?? []
    #expect(tickets.contains { $0["hardware_id"] as? String == "demo-device-1" })
  }

  private static let nobody: UInt32 = 65534

  /// Runs the program as a user that owns nothing but the device's folder.
  private func runAsNobody(_ device: Device, _ arguments: String...) -> (Int32, String) {
    let copy = device.folder.path("handback")
    Command.run("cp", [Program.path, copy])
    let result = Command.run(
      "setpriv",
      [
        "--reuid", "\(Self.nobody)", "--clear-groups", "env", "-i",
        "HANDBACK_CONFIG=\(device.folder.path("handback.conf"))", copy,
      ] + arguments)
    return (result.status, result.output)
  }

  @Test(.enabled(if: getuid() == 0 && Program.isNative))
  func `files that are someone else's`() {
    for name in ["journal.db", "journal.db-wal", "journal.db-copy"] {
      let device = Device()
      #expect(device.run("deactivate", "--queue-only").status == 0)
      Command.run("chown", ["-R", "\(Self.nobody)", device.folder.url.path])
      #expect(runAsNobody(device, "deactivate", "--queue-only").0 == 0)
      chown(device.folder.path("state/\(name)"), 0, 0)
      for command in ["deactivate", "flush"] {
        let result = runAsNobody(device, command)
        #expect(result.0 == 77, "\(name), \(command): \(result)")
      }
      chown(device.folder.path("state/\(name)"), Self.nobody, Self.nobody)
      // Root may look after them, and leaves them to their owner.
      #expect(device.run("deactivate", "--queue-only", "--hardware-id", "other").status == 0)
      let owners = Command.run(
        "sh", ["-c", "stat -c %u \(device.folder.path("state"))/*"]
      ).output
      #expect(Set(owners.split(separator: "\n")) == ["\(Self.nobody)"])
      #expect(device.json("status")["pending"] as? Int == 2)
    }
  }

  @Test(.enabled(if: FullDiskTests.canMount))
  func `a root that is read-only, a name of 64 bytes, nothing in the environment`() {
    let device = Device()
    let data = TemporaryFolder()
    let name = String(repeating: "h", count: 64)
    let journal = data.path("journal.db")
    let result = Command.run(
      "unshare",
      [
        "--mount", "--uts", "sh", "-c",
        """
        mount -t tmpfs -o mode=700 tmpfs \(data.url.path) && mount -o remount,ro,bind / || exit 1
        hostname \(name) && [ "$(uname -n)" = \(name) ] || exit 4
        q="env -i \(Program.path) deactivate --queue-only --config \(device.folder.path("handback.conf"))"
        $q --journal \(journal) || exit 2
        mount -o remount,ro tmpfs \(data.url.path)
        env -i \(Program.path) status --journal \(journal) || exit 3
        $q --hardware-id other --journal \(journal)
        """,
      ])
    #expect(result.status == 73, "\(result)")
    #expect(result.output.contains("1 pending, 0 ended"))
  }
}
