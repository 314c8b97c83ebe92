import Foundation
import TestSupport
import Testing

/// Journals that can't be used for now: said in time, and with what to do.
struct JournalTroubleTests {
  /// As without high-resolution timers: each pause takes 20 ms and more.
  @Test(.enabled(if: Program.isNative))
  func `a lock is waited for ten seconds where pauses are long`() {
    let device = Device()
    device.run("deactivate", "--queue-only")
    var late = device.program
    late.wrapper = [
      "/usr/bin/env", "python3", "-c",
      """
      import ctypes, os, sys
      PR_SET_TIMERSLACK = 29
      ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, ctypes.c_ulong(20_000_000))
      os.execv("/usr/bin/flock", ["flock", *sys.argv[1:]])
      """, device.folder.path("state"),
    ]
    let began = ContinuousClock.now
    let result = late.run("deactivate", "--queue-only", "--hardware-id", "late")
    #expect(result.status == 75, "\(result)")
    #expect(ContinuousClock.now - began < .seconds(30))
  }

  @Test func `without a name left for another damaged journal, says what to move away`() {
    let device = Device()
    device.run("deactivate", "--queue-only")
    device.folder.write("state/journal.db", "damaged")
    for number in 1...99 { device.folder.write("state/journal.db.damaged-\(number)", "") }
    for command in [["flush"], ["deactivate", "--queue-only"]] {
      let result = device.program.run(command)
      #expect(result.status == 73)
      #expect(
        result.errors == """
          handback: error: cannot open the journal at \(device.journal): it is damaged, and too \
          many damaged ones are beside it
          handback: hint: move \(device.journal).damaged-* away, and look after the disk; nothing \
          is sent until then

          """)
    }
    _ = device.shell("rm \(device.journal).damaged-*")
    #expect(device.run("flush").status == 69)
    #expect(device.json("status")["pending"] as? Int == 1)
  }

  /// What can't be read may be whole, so nothing is put in its place; but it is told. The first
  /// read is of the file's head, the others fail.
  @Test(
    .enabled(if: SystemCallTests.isPossible),
    arguments: [["deactivate", "--queue-only"], ["id", "--pin", "--hardware-id", "spare"]])
  func `says that second copies can't be read`(command: [String]) throws {
    let device = Device()
    #expect(device.program.run(command).status == 0)
    let copy = device.journal + "-copy"
    let before = try Data(contentsOf: URL(fileURLWithPath: copy))
    var traced = device.program
    traced.wrapper = [
      "/usr/bin/env", "strace", "-f", "-o", "/dev/null", "-P", copy, "-e",
      "inject=pread64:error=EIO:when=2+",
    ]
    let result = traced.run("flush")
    #expect(
      result.errors.contains(
        """
        handback: warning: \(copy) can't be read whole: some of what it has to keep isn't kept twice
        handback: hint: look after the disk

        """), "\(result)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: copy)) == before)
    #expect(!device.run("flush").errors.contains("warning"))
  }
}
