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
}
