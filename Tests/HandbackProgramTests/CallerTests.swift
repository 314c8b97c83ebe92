import Foundation
import TestSupport
import Testing

/// Callers that leave little to work with: no standard streams, pipes that are full, limits, a
/// clock before all time. Nothing hangs or crashes, and what was queued stays so.
struct CallerTests {
  @Test(arguments: [">&-", "2>&-", "<&- >&- 2>&-"])
  func `closed standard streams`(_ closed: String) {
    let emulator = Emulator()
    let device = Device(emulator)
    // Whatever is opened first gets the number of a standard stream: the journal, a socket.
    #expect(device.shell("$program deactivate --queue-only \(closed)").status == 0)
    #expect(device.sql("PRAGMA integrity_check; SELECT count(*) FROM deactivation") == "ok\n1")
    _ = device.shell("$program status \(closed); $program flush --only-due \(closed)")
    #expect(emulator.count("successes") == 1)
    #expect(device.shell("$program agent --until-empty --deadline 20 \(closed)").status == 0)
    #expect(device.sql("PRAGMA integrity_check; SELECT count(*) FROM deactivation") == "ok\n1")
    #expect(device.json("status")["deactivated"] as? Int == 1)
  }

  @Test func `a pipe that nobody reads`() {
    let device = Device()
    // The word can't be said, so it isn't promised; it is queued all the same.
    let result = device.shell("$program deactivate --queue-only | true; $program status")
    #expect(result.output.contains("1 pending"))
  }

  /// Opens a FIFO for both, so that it can be filled before anyone reads.
  private static let fullPipe = """
    mkfifo pipe && exec 3<>pipe
    python3 -c 'import os
    os.set_blocking(3, False)
    try:
      while True: os.write(3, b"-" * 4096)
    except BlockingIOError: os.set_blocking(3, BLOCKS)'
    """

  @Test func `a full pipe holds up nobody else`() {
    let device = Device()
    let result = device.shell(
      """
      cd \(device.folder.url.path); \(Self.fullPipe.replacing("BLOCKS", with: "True"))
      $program deactivate --queue-only >&3 3>&- & first=$!
      until $program status | grep -q '^1 pending'; do sleep 0.01; done
      $program deactivate --queue-only --hardware-id other && kill -0 $first || exit 2
      cat pipe >read 3>&- & reader=$!
      wait $first; echo "first: $?"
      exec 3>&-; wait $reader; tail -n 1 read
      """)
    #expect(result.status == 0, "\(result)")
    #expect(result.output.contains("first: 0"))
    #expect(result.output.matches(of: /queued \d-/).count == 2, "\(result)")
  }

  @Test func `a full pipe that doesn't wait`() {
    let device = Device()
    let result = device.shell(
      """
      cd \(device.folder.url.path); \(Self.fullPipe.replacing("BLOCKS", with: "False"))
      $program deactivate --queue-only >&3; echo "status $?"; $program status
      """)
    // Not promised, as it could not be said.
    #expect(result.output.contains("status 74"), "\(result)")
    #expect(result.output.contains("1 pending"))
  }

  /// A log on a full disk must keep no license from going back.
  @Test func `what can't be said is done all the same`() {
    let emulator = Emulator()
    let device = Device(emulator)
    let result = device.shell("$program deactivate 2>&1 >/dev/full")
    #expect(result.status == 74)
    #expect(result.output.contains("No space left on device; it is queued as 1-"), "\(result)")
    #expect(emulator.count("successes") == 1)
    for name in ["demo-device-2", "some-unique-id"] {
      device.run("deactivate", "--queue-only", "--hardware-id", name)
    }
    #expect(device.shell("$program flush >/dev/full").status == 74)
    #expect(emulator.count("successes") == 3)
  }

  @Test(arguments: ["0", "0777"])
  func `any umask`(_ umask: String) {
    let device = Device()
    #expect(device.shell("umask \(umask); $program deactivate --queue-only").status == 0)
    let modes = Command.run("sh", ["-c", "cd \(device.folder.path("state")); stat -c %a . *"])
    #expect(Set(modes.output.split(separator: "\n").dropFirst()) == ["600"])
    #expect(modes.output.hasPrefix("700\n"))
  }

  @Test func `few files, and small ones`() {
    let device = Device()
    // QEMU has files of its own open, and its guest finds no library without them.
    let fewFiles = Program.isNative ? ["-n 4", "-n 5", "-n 6"] : []
    for limit in fewFiles + ["-f 1", "-f 16", "-f 40"] {
      let result = device.shell("ulimit \(limit); $program deactivate --queue-only")
      #expect([0, 73, 74].contains(result.status), "\(limit): \(result)")
    }
    #expect(device.run("deactivate", "--queue-only").status == 0)
    #expect(device.json("status")["pending"] as? Int == 1)
  }

  @Test(.enabled(if: Program.isNative))
  func `little memory and little stack`() {
    let emulator = Emulator()
    let device = Device(emulator)
    var status: Int32 = 1
    var limit = 3000
    while status != 0, limit < 200_000 {
      let script = "$program deactivate --queue-only && exec $program flush"
      let result = device.shell("ulimit -v \(limit); \(script)")
      status = result.status
      // 127: the loader itself had too little.
      #expect([0, 69, 71, 73, 74, 127].contains(status), "\(limit): \(result)")
      limit += 1000
    }
    #expect(limit > 10_000)
    #expect(emulator.count("successes") == 1)
    for kibibytes in [64, 128] {
      let result = device.shell(
        "ulimit -s \(kibibytes); $program deactivate --queue-only --hardware-id stack")
      #expect(result.status == 0, "\(kibibytes): \(result)")
    }
    #expect(device.json("status")["pending"] as? Int == 1)
  }

  @Test func `a clock before 1970`() {
    let emulator = Emulator()
    var device = Device(emulator)
    device.setWallClock("@1969-12-30 00:00:00")
    #expect(device.run("deactivate", "--queue-only").status == 0)
    let rows = device.json("status")["deactivations"] as? [[String: Any]] ?? []
    #expect(rows.count == 1)
    #expect(device.run("flush").status == 0)
    #expect(emulator.count("successes") == 1)
  }
}
