import Foundation
import TestSupport
import Testing

/// A disk with nothing left on it. Mounting one takes root.
struct FullDiskTests {
  /// A file system of a size, in memory.
  private final class Disk {
    let device: Device
    private let folder = TemporaryFolder()

    init(kibibytes: Int, _ emulator: Emulator? = nil) {
      var device = Device(emulator)
      device.program.environment["HANDBACK_JOURNAL"] = folder.path("journal.db")
      self.device = device
      Command.run("mount", ["-t", "tmpfs", "-o", options(kibibytes), "tmpfs", folder.url.path])
    }

    deinit { Command.run("umount", [folder.url.path]) }

    private func options(_ kibibytes: Int) -> String { "size=\(kibibytes)k,mode=700" }

    func resize(kibibytes: Int) {
      Command.run("mount", ["-o", "remount,\(options(kibibytes))", folder.url.path])
    }

    func queue(_ name: String) -> Program.Result {
      device.run("deactivate", "--queue-only", "--hardware-id", name)
    }

    func fill() {
      Command.run("sh", ["-c", "cat /dev/zero > \(folder.path("fill"))"])
    }

    func remove(_ name: String) {
      try? FileManager.default.removeItem(atPath: folder.path(name))
    }
  }

  static let canMount =
    getuid() == 0
    && Command.run("sh", ["-c", "mount -t tmpfs tmpfs /mnt && umount /mnt"]).status == 0

  @Test(.enabled(if: canMount))
  func `the smallest disk is known, and at a block less it is said how much to free`() {
    let enough = Disk(kibibytes: 116)
    #expect(enough.queue("device-1").status == 0)
    let tooSmall = Disk(kibibytes: 112)
    let refused = tooSmall.queue("device-1")
    #expect(refused.status == 74)
    #expect(refused.output == "")
    let words = refused.errors.split(separator: " ").map(String.init)
    let missing = words.firstIndex(of: "free").flatMap { Int(words[$0 + 1]) } ?? 0
    #expect((4...120).contains(missing), "\(refused)")
    tooSmall.resize(kibibytes: 112 + missing)
    #expect(tooSmall.device.json("status")["pending"] as? Int == 0)
    #expect(tooSmall.queue("device-1").status == 0)
  }

  @Test(.enabled(if: canMount))
  func `what was accepted is settled and withdrawn on a full disk`() {
    let emulator = Emulator()
    let disk = Disk(kibibytes: 256, emulator)
    var count = 0
    while disk.queue("device-\(count)").status == 0 { count += 1 }
    #expect(count > 10)
    emulator.control(
      "/licenses",
      [
        [
          "id": 42, "product": "XY", "license_key": "AAAA-BBBB-CCCC-DDDD",
          "devices": (0..<count).map { "device-\($0)" },
        ]
      ])
    disk.fill()
    let pending = disk.device.json("status")["deactivations"] as? [[String: Any]] ?? []
    #expect(pending.count == count)
    let first = pending.first?["ticket"] as? String ?? ""
    // As after a boot: the file that processes share is made anew.
    disk.remove("journal.db-shm")
    disk.fill()
    #expect(disk.device.run("withdraw", first).status == 0)
    disk.fill()
    let flushed = disk.device.run("flush")
    #expect(flushed.status == 0, "\(flushed)")
    #expect(emulator.count("successes") == count - 1)
    disk.fill()
    let refused = disk.queue("another")
    #expect(refused.status == 74)
    #expect(refused.output == "")
  }

  @Test(.enabled(if: canMount))
  func `pinning a hardware ID does not take the reserve`() {
    let disk = Disk(kibibytes: 256)
    #expect(disk.queue("device-1").status == 0)
    disk.fill()
    let reserve = (disk.device.program.environment["HANDBACK_JOURNAL"] ?? "") + "-reserve"
    // What the files have left in their last blocks takes a few.
    let refused = (1...40).lazy
      .map { disk.device.run("id", "--scheme", "value:by-hand-\($0)", "--repin", "lost") }
      .first { $0.status != 0 }
    #expect(refused?.status == 74, "\(String(describing: refused))")
    #expect(refused?.errors.contains("hint: nothing was changed; free ") == true)
    let size = try? FileManager.default.attributesOfItem(atPath: reserve)[.size] as? Int
    #expect(size == 64 * 1024)
  }
}
