import Foundation
import TestSupport
import Testing

/// A service's user owns the journal, and root looks after it. What root makes must not keep the
/// service out.
@Suite(.enabled(if: getuid() == 0 && Program.isNative))
struct OwnerTests {
  private static let nobody: UInt32 = 65534

  /// A device whose files are another user's, and the program as that user runs it.
  private func prepared(_ emulator: Emulator? = nil) -> (device: Device, service: Program) {
    let device = Device(emulator)
    let copy = device.folder.path("handback")
    Command.run("cp", [Program.path, copy])
    if let emulator { Command.run("chmod", ["-R", "a+rX", emulator.folder.url.path]) }
    Command.run("chown", ["-R", "\(Self.nobody)", device.folder.url.path])
    var service = device.program
    service.wrapper = [
      "/usr/bin/setpriv", "--reuid=\(Self.nobody)", "--clear-groups", "/bin/sh", "-c",
      "shift; exec \(copy) \"$@\"", "sh",
    ]
    return (device, service)
  }

  private func owners(_ device: Device) -> Set<Substring> {
    let folder = device.folder.path("state")
    let owners = Command.run("sh", ["-c", "stat -c '%u %n' \(folder)/* | sed 's|/.*/||'"]).output
    return Set(owners.split(separator: "\n"))
  }

  private func all(_ names: String...) -> Set<Substring> {
    Set(names.map { "\(Self.nobody) journal.db\($0)" })
  }

  @Test func `after root's flush and deactivate, the service goes on`() {
    let (device, service) = prepared()
    #expect(service.run(["deactivate", "--queue-only"]).status == 0)
    try? FileManager.default.removeItem(atPath: device.journal + "-reserve")
    #expect(device.run("flush").status == 69)
    #expect(device.run("deactivate", "--queue-only", "--hardware-id", "2").status == 0)
    #expect(owners(device) == all("", "-copy", "-reserve", "-sender", "-shm", "-wal"))
    let reserve = device.folder.read("state/journal.db-reserve")
    let queued = service.run(["deactivate", "--queue-only", "--hardware-id", "3"])
    #expect(queued.status == 0, "\(queued)")
    #expect(device.folder.read("state/journal.db-reserve") != reserve, "the roster is old")
    let flushed = service.run(["flush"])
    #expect(flushed.status == 69, "\(flushed)")
  }

  /// As root leaves it that is cut off before it gives it away.
  @Test func `a reserve that is still root's is made anew`() {
    let (device, service) = prepared()
    #expect(service.run(["deactivate", "--queue-only"]).status == 0)
    let reserve = device.journal + "-reserve"
    _ = device.shell("rm \(reserve); umask 077; : > \(reserve)")
    let queued = service.run(["deactivate", "--queue-only", "--hardware-id", "2"])
    #expect(queued.status == 0, "\(queued)")
    #expect(owners(device) == all("", "-copy", "-reserve", "-shm", "-wal"))
  }

  /// It may name tickets that nothing else names.
  @Test func `a reserve with a list that can't be read is left as it is`() {
    let (device, service) = prepared()
    #expect(service.run(["deactivate", "--queue-only"]).status == 0)
    let reserve = device.journal + "-reserve"
    _ = device.shell("chown 0 \(reserve); truncate -s 512 \(reserve)")
    let list = device.folder.read("state/journal.db-reserve")
    let refused = service.run(["deactivate", "--queue-only", "--hardware-id", "2"])
    #expect(refused.status == 74 && refused.errors.contains("Permission denied"), "\(refused)")
    #expect(device.folder.read("state/journal.db-reserve") == list)
    #expect(device.run("deactivate", "--queue-only", "--hardware-id", "2").status == 0)
  }

  @Test func `what root had taken is told, and given back by root`() {
    let (device, service) = prepared()
    #expect(service.run(["deactivate", "--queue-only"]).status == 0)
    let sender = device.folder.write("state/journal.db-sender", "")
    let refused = service.run(["flush"])
    #expect(refused.status == 77)
    #expect(
      refused.errors == """
        handback: error: cannot open \(sender): Permission denied
        handback: hint: 'handback flush' as root gives it to the journal's owner

        """)
    #expect(device.run("flush").status == 69)
    #expect(service.run(["flush"]).status == 69)
  }

  /// Who owns the folder can put any file's name there.
  @Test(arguments: ["touch victim; ln victim", "echo text > victim; mv victim"])
  func `root gives away nothing that was put in a file's place`(_ script: String) {
    let (device, service) = prepared()
    #expect(service.run(["deactivate", "--queue-only"]).status == 0)
    let sender = device.journal + "-sender"
    _ = device.shell("cd \(device.folder.url.path); \(script) \(sender)")
    #expect(device.run("flush").status == 69)
    #expect(Command.run("stat", ["-c", "%u", sender]).output == "0\n")
  }

  /// A number is kept in that file, and another's is none of ours to write to.
  @Test(arguments: ["", "12345678", "root:x:0:0"])
  func `root writes nothing into what was linked to a file's place`(_ text: String) {
    let (device, service) = prepared()
    #expect(service.run(["deactivate", "--queue-only"]).status == 0)
    let victim = device.folder.write("victim", text)
    _ = device.shell("chmod 600 \(victim); ln \(victim) \(device.journal)-sender")
    #expect(device.run("flush").status == 69)
    #expect(device.folder.read("victim") == Data(text.utf8))
    #expect(Command.run("stat", ["-c", "%u", victim]).output == "0\n")
  }

  /// The folder's owner could have removed it, but not read it.
  @Test func `root gives away no bytes that were put in a file's place`() {
    let (device, service) = prepared()
    #expect(service.run(["deactivate", "--queue-only"]).status == 0)
    let victim = device.folder.write("victim", "12345678")
    _ = device.shell("chmod 600 \(victim); mv \(victim) \(device.journal)-sender")
    #expect(device.run("flush").status == 69)
    #expect(device.folder.read("state/journal.db-sender") != Data("12345678".utf8))
    #expect(service.run(["flush"]).status == 69)
  }

  @Test func `a lost journal that root brings back is its owner's again`() {
    let (device, service) = prepared()
    #expect(service.run(["deactivate", "--queue-only"]).status == 0)
    for name in ["", "-wal", "-shm"] {
      try? FileManager.default.removeItem(atPath: device.journal + name)
    }
    #expect(device.run("flush").status == 69)
    #expect(owners(device) == all("", "-copy", "-reserve", "-sender", "-shm", "-wal"))
    let result = service.run(["status"])
    #expect(result.output.contains("1 pending"), "\(result)")
  }
}
