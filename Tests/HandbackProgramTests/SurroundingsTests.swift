import Foundation
import TestSupport
import Testing

/// Files that aren't what they should be, and callers that leave little to work with. Nothing
/// hangs, crashes, or writes where it wasn't told to; what was queued stays so.
struct SurroundingsTests {
  /// Runs a script with `$program`, in an environment of the device's.
  private func shell(_ device: Device, _ script: String) -> (status: Int32, output: String) {
    var arguments = ["-i", "PATH=/usr/bin:/bin:/usr/sbin:/sbin", "program=\(Program.path)"]
    for (name, value) in device.program.environment where name != "PATH" {
      arguments.append("\(name)=\(value)")
    }
    return Command.run("timeout", ["20", "env"] + arguments + ["sh", "-c", script])
  }

  @Test(arguments: ["-copy", "-wal", "-shm", "-reserve", "-sender"])
  func `links, pipes and folders in the place of the journal's other files`(_ name: String) {
    let device = Device()
    #expect(device.run("deactivate", "--queue-only").status == 0)
    let path = device.journal + name
    let target = device.folder.path("target")
    for make in [
      "ln -s \(target) \(path)", "ln -s /etc/passwd \(path)", "mkfifo \(path)", "mkdir \(path)",
      "touch \(path) && ln \(path) \(target)",
    ] {
      let kept = device.folder.read("state/journal.db\(name)")
      let result = shell(
        device, "rm -f \(path); \(make); $program deactivate --queue-only --hardware-id other")
      #expect([0, 73, 74, 77].contains(result.status), "\(make): \(result)")
      #expect(result.status == 0 || !result.output.contains("queued"))
      #expect(
        (try? FileManager.default.attributesOfItem(atPath: target)[.size] as? Int) ?? 0 == 0,
        "\(make): written through")
      _ = shell(device, "rm -rf \(path) \(target)")
      if name == "-copy" || name == "-wal", let kept {
        device.folder.write("state/journal.db\(name)", kept)
      }
    }
    let tickets = device.json("status")["deactivations"] as? [[String: Any]] ?? []
    #expect(tickets.contains { $0["hardware_id"] as? String == "demo-device-1" })
  }

  @Test(arguments: [">&-", "2>&-", "<&- >&- 2>&-"])
  func `closed standard streams`(_ closed: String) {
    let device = Device()
    #expect(shell(device, "$program deactivate --queue-only \(closed)").status == 0)
    #expect(device.sql("PRAGMA integrity_check; SELECT count(*) FROM deactivation") == "ok\n1")
  }

  @Test func `a pipe that nobody reads`() {
    let device = Device()
    // The word can't be said, so it isn't promised; it is queued all the same.
    let result = shell(device, "$program deactivate --queue-only | true; $program status")
    #expect(result.output.contains("1 pending"))
  }

  @Test(arguments: ["0", "0777"])
  func `any umask`(_ umask: String) {
    let device = Device()
    #expect(shell(device, "umask \(umask); $program deactivate --queue-only").status == 0)
    let modes = Command.run("sh", ["-c", "cd \(device.folder.path("state")); stat -c %a . *"])
    #expect(Set(modes.output.split(separator: "\n").dropFirst()) == ["600"])
    #expect(modes.output.hasPrefix("700\n"))
  }

  @Test func `few files, and small ones`() {
    let device = Device()
    for limit in ["-n 4", "-n 5", "-n 6", "-f 1", "-f 16", "-f 40"] {
      let result = shell(device, "ulimit \(limit); $program deactivate --queue-only")
      #expect([0, 73, 74].contains(result.status), "\(limit): \(result)")
    }
    #expect(device.run("deactivate", "--queue-only").status == 0)
    #expect(device.json("status")["pending"] as? Int == 1)
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
        hostname \(name)
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
