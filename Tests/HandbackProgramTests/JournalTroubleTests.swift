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

  /// Whatever write fails: what was refused must not come back from its second copy when the power
  /// goes, so its erasing is synced before it is refused.
  @Test(
    .enabled(if: SystemCallTests.isPossible),
    arguments: [["deactivate", "--queue-only"], ["id", "--repin", "test"]])
  func `what was refused is erased for good`(command: [String]) throws {
    let name = "[^>]*/journal.db-copy"
    let write = try Regex("pwrite64\\([0-9]+<\(name)>.*= [0-9]+$")
    let sync = try Regex("fdatasync\\([0-9]+<\(name)>\\) *= 0$")
    var erasings = 0
    // The first sixteen are of the file that SQLite shares between processes, made once or twice.
    for failing in 9...20 {
      let device = Device()
      device.run("id", "--pin", "--hardware-id", "first")
      device.run("deactivate", "--queue-only")
      var traced = device.program
      traced.wrapper = [
        "/usr/bin/env", "strace", "-f", "-y", "-o", device.folder.path("trace"), "-e",
        "trace=pwrite64,fdatasync", "-e", "inject=pwrite64:error=ENOSPC:when=\(failing)",
      ]
      let result = traced.run(command + ["--hardware-id", "second"])
      guard result.status == 74 else { continue }
      let trace = try String(contentsOfFile: device.folder.path("trace"), encoding: .utf8)
      let calls = trace.split(separator: "\n")
      guard let last = calls.lastIndex(where: { $0.contains(write) }) else { continue }
      erasings += 1
      #expect(calls[last...].contains { $0.contains(sync) }, "\(failing): \(trace)")
    }
    #expect(erasings >= 2)
  }

  /// Else damage to the WAL's end would undo what the last pass learned, without a trace.
  @Test func `a pass leaves an empty WAL`() throws {
    let device = Device()
    device.run("deactivate", "--queue-only")
    let wal = URL(fileURLWithPath: device.journal + "-wal")
    #expect(try Data(contentsOf: wal).count > 0)
    #expect(device.run("flush").status == 69)
    #expect(try Data(contentsOf: wal).count == 0)
  }

  /// What a turned bit may say, of which SQLite's own check finds nothing: that the file is to be
  /// read only, or that its format is an older one.
  @Test(arguments: ["byte 18 3", "byte 18 130", "version 2", "version 1", "version 0"])
  func `a header that says the wrong thing is damage, and nothing is lost`(damage: String) throws {
    let device = Device()
    let ticket = Device.ticket(device.run("deactivate", "--queue-only"))
    device.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    let words = damage.split(separator: " ")
    if words[0] == "byte" {
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: device.journal))
      try file.seek(toOffset: 18)
      try file.write(contentsOf: Data([UInt8(words[2])!]))
      try file.close()
    } else {
      device.sql("PRAGMA user_version = \(words[1]); PRAGMA wal_checkpoint(TRUNCATE)")
    }
    for command in [["flush"], ["flush"], ["deactivate", "--queue-only", "--hardware-id", "b"]] {
      let result = device.program.run(command)
      #expect(result.status == (command == ["flush"] ? 69 : 0), "\(result)")
    }
    #expect(device.json("status")["pending"] as? Int == 2)
    #expect(device.json("receipt", ticket)["state"] as? String == "pending")
    #expect(FileManager.default.fileExists(atPath: "\(device.journal).damaged-1"))
    #expect(!FileManager.default.fileExists(atPath: "\(device.journal).damaged-2"))
  }

  /// As a newer version's, the damaged journal would be left as it is for ever.
  @Test(arguments: [4..<8, 5..<6, 7..<8, 8..<12, 4..<12])
  func `second copies that say a wrong version are damaged, and not a newer version's`(
    place: Range<UInt64>
  ) throws {
    let device = Device()
    let ticket = Device.ticket(device.run("deactivate", "--queue-only"))
    device.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    device.sql(
      """
      PRAGMA writable_schema = ON;
      UPDATE sqlite_master SET sql = replace(sql, 'TABLE deactivation', 'TABLE')
        WHERE name = 'deactivation'
      """)
    let file = try FileHandle(
      forUpdating: URL(fileURLWithPath: device.journal + "-copy"))
    try file.seek(toOffset: place.lowerBound)
    try file.write(contentsOf: Data(repeating: place.count > 4 ? 0 : 0x07, count: place.count))
    try file.close()
    #expect(device.run("status").status == 65)
    #expect(device.run("flush").status == 69)
    #expect(FileManager.default.fileExists(atPath: "\(device.journal).damaged-1"))
    #expect(device.json("receipt", ticket)["state"] as? String == "pending")
  }

  /// Of a row that was never sent, "no such device" proves nothing.
  @Test func `a table's default that was damaged makes no attempt`() {
    let device = Device()
    device.run("deactivate", "--queue-only")
    device.sql(
      """
      PRAGMA writable_schema = ON;
      UPDATE sqlite_master SET sql = replace(sql, 'open_attempts INTEGER NOT NULL DEFAULT 0',
        'open_attempts INTEGER NOT NULL DEFAULT 1') WHERE name = 'deactivation';
      """)
    #expect(device.sql("SELECT sql FROM sqlite_master").contains("DEFAULT 1"))
    device.run("deactivate", "--queue-only", "--hardware-id", "b")
    #expect(device.sql("SELECT sum(open_attempts), count(*) FROM deactivation") == "0|2")
  }
}
