import Foundation
import TestSupport
import Testing

/// Journals that are not ours, or not to be touched: refused, and the same to the byte.
struct JournalFileTests {
  private func refuse(
    _ device: Device, _ status: Int32, _ error: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let before = device.folder.read("state/journal.db")
    let namesBefore = names(device)
    for command in [
      ["deactivate", "--queue-only"], ["status"], ["flush"], ["withdraw", "1-000000"],
    ] {
      let result = device.program.run(command)
      #expect(result.status == status, "\(command) \(result)", sourceLocation: sourceLocation)
      #expect(result.errors.contains(error), "\(result.errors)", sourceLocation: sourceLocation)
      #expect(result.output == "", sourceLocation: sourceLocation)
    }
    #expect(device.folder.read("state/journal.db") == before, sourceLocation: sourceLocation)
    #expect(names(device) == namesBefore, sourceLocation: sourceLocation)
  }

  private func names(_ device: Device) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: device.folder.path("state"))
    return names?.sorted() ?? []
  }

  private func prepared() -> Device {
    let device = Device()
    try! FileManager.default.createDirectory(
      atPath: device.folder.path("state"), withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
    return device
  }

  @Test func `no database`() {
    let device = prepared()
    device.folder.write("state/journal.db", String(repeating: "not a database. ", count: 100))
    refuse(device, 65, "it is no SQLite database")
  }

  @Test func `a file too short to be one`() {
    let device = prepared()
    device.folder.write("state/journal.db", "SQLite format 3\u{0}")
    refuse(device, 65, "it is no SQLite database")
  }

  @Test func `another program's database`() {
    let device = prepared()
    Command.run("sqlite3", [device.journal, "PRAGMA application_id = 7; CREATE TABLE t (x);"])
    chmod(device.journal, 0o600)
    refuse(device, 65, "it is another program's database")
  }

  @Test func `a newer version's`() {
    let device = prepared()
    device.run("deactivate", "--queue-only")
    // It says so in both files; a number in one of them alone is damage.
    var copies = device.folder.read("state/journal.db-copy") ?? Data()
    for place in [7, 11] { copies[place] = 99 }
    device.folder.write("state/journal.db-copy", copies)
    Command.run(
      "sqlite3", [device.journal, "PRAGMA journal_mode = DELETE; PRAGMA user_version = 99;"])
    for name in ["journal.db-wal", "journal.db-shm"] {
      try? FileManager.default.removeItem(atPath: device.folder.path("state/" + name))
    }
    refuse(device, 65, "a newer handback made it (format 99)")
  }

  @Test func `one that others can read`() {
    let device = prepared()
    device.run("deactivate", "--queue-only")
    for name in ["journal.db-wal", "journal.db-shm"] {
      try? FileManager.default.removeItem(atPath: device.folder.path("state/" + name))
    }
    chmod(device.journal, 0o644)
    refuse(device, 77, "can be read or written by others")
  }

  @Test func `a symbolic link, a folder, a FIFO, a second name`() {
    let linked = prepared()
    symlink("/etc/passwd", linked.journal)
    #expect(linked.run("deactivate", "--queue-only").status == 77)
    let folder = prepared()
    mkdir(folder.journal, 0o700)
    #expect(folder.run("deactivate", "--queue-only").status == 77)
    let fifo = prepared()
    mkfifo(fifo.journal, 0o600)
    #expect(fifo.run("deactivate", "--queue-only").status == 77)
    let second = prepared()
    second.run("deactivate", "--queue-only")
    link(second.journal, second.folder.path("state/other"))
    let result = second.run("deactivate", "--queue-only")
    #expect(result.status == 77)
    #expect(result.errors.contains("has a second name"))
  }

  /// Lengths that a board with 32 bits can't count.
  @Test(arguments: [[516: 0x80], [536: 4, 537: 0xFF], [536: 3, 537: 0x80]])
  func `a second copy whose length is damaged`(_ damage: [Int: UInt8]) {
    let device = Device()
    device.run("deactivate", "--queue-only")
    var copies = device.folder.read("state/journal.db-copy") ?? Data()
    for (offset, byte) in damage { copies[offset] = byte }
    device.folder.write("state/journal.db-copy", copies)
    #expect(device.run("deactivate", "--queue-only", "--hardware-id", "2").status == 0)
    let flush = device.run("flush")
    #expect(flush.status == 69, "\(flush)")
    #expect(device.run("status").output.contains("2 pending"))
  }

  /// A person's `sqlite3`, say, in the middle of a transaction.
  @Test func `one that another program reads all the time`() throws {
    let device = Device()
    let tickets = ["1", "2"].map {
      device.run("deactivate", "--queue-only", "--hardware-id", $0).output.split(separator: " ")[1]
        .trimmingCharacters(in: .newlines)
    }
    let reader = Process()
    let (orders, rows) = (Pipe(), Pipe())
    reader.executableURL = URL(filePath: "/usr/bin/env")
    reader.arguments = ["sqlite3", device.journal]
    (reader.standardInput, reader.standardOutput) = (orders, rows)
    try reader.run()
    orders.fileHandleForWriting.write(Data("BEGIN; SELECT count(*) FROM deactivation;\n".utf8))
    #expect(rows.fileHandleForReading.availableData == Data("2\n".utf8))

    let began = ContinuousClock.now
    let withdrawn = device.run("withdraw", tickets[0])
    #expect(withdrawn.output == "withdrawn \(tickets[0])\n")
    #expect(withdrawn.errors.contains("what was erased stays in \(device.journal)-wal"))
    #expect(device.run("deactivate", "--queue-only", "--hardware-id", "3").status == 0)
    // SQLite's wait for it would be ten.
    #expect(ContinuousClock.now - began < .seconds(5))

    try orders.fileHandleForWriting.close()
    reader.waitUntilExit()
    #expect(device.run("withdraw", tickets[1]).errors == "")
    #expect(device.folder.read("state/journal.db-wal") == Data())
  }

  /// By a process that is stopped or frozen, say.
  @Test func `one whose folder or second copies another process keeps locked`() {
    let device = Device()
    device.run("deactivate", "--queue-only")
    for path in ["state", "state/journal.db-copy"] {
      var late = device.program
      late.wrapper = ["/usr/bin/flock", device.folder.path(path)]
      let result = late.run("deactivate", "--queue-only", "--hardware-id", "late")
      #expect(result.status == 75, "\(result)")
      #expect(
        result.errors.hasSuffix(": another process has it locked\nhandback: hint: run again\n"))
      #expect(result.output == "")
    }
    #expect(device.sql("SELECT count(*) FROM deactivation") == "1")
  }

  /// `/var/lib/handback` is one on many boards, to the partition that survives.
  @Test func `one below a symbolic link to a folder`() {
    let device = prepared()
    symlink("state", device.folder.path("link"))
    let journal = device.folder.path("link/journal.db")
    #expect(device.run("deactivate", "--queue-only", "--journal", journal).status == 0)
    #expect(device.run("status", "--journal", journal).output.contains("1 pending"))
    #expect(device.run("status").output.contains("1 pending"))
    #expect(device.run("flush", "--journal", journal).status == 69)
  }

  @Test func `a folder that can't be made`() {
    let device = Device()
    device.folder.write("state", "a file where the folder should be")
    let result = device.run("deactivate", "--queue-only")
    #expect(result.status == 73)
    #expect(
      result.errors
        == "handback: error: cannot open the journal at \(device.journal): Not a directory\n")
    let readOnly = device.run("deactivate", "--queue-only", "--journal", "/proc/handback/j.db")
    #expect(readOnly.status == 73)
  }

  @Test func `an empty one, left by a power cut at its making, is taken`() {
    let device = prepared()
    device.folder.write("state/journal.db", "")
    #expect(device.run("deactivate", "--queue-only").status == 0)
    #expect(device.sql("PRAGMA user_version") == "3")
  }

  /// As F2FS leaves a new file after a power cut.
  @Test func `one of zeros is set aside, and nothing is missed`() {
    let device = prepared()
    let zeros = String(repeating: "\0", count: 9216)
    device.folder.write("state/journal.db", zeros)
    let result = device.run("deactivate", "--queue-only")
    #expect(result.status == 0, "\(result)")
    #expect(result.errors.contains("the damaged file is \(device.journal).damaged-1"))
    #expect(device.folder.read("state/journal.db.damaged-1") == Data(zeros.utf8))
    #expect(device.json("status")["damaged"] as? Int == 0)
    let another = prepared()
    another.folder.write("state/journal.db", zeros + "not all of them")
    refuse(another, 65, "it is no SQLite database")
  }

  private func spoil(_ device: Device, _ names: String...) {
    for name in names { device.folder.write("state/journal.db" + name, "damaged") }
  }

  @Test func `what the journal and its second copies both lost is told`() {
    let device = prepared()
    let tickets = (1...3).map {
      Device.ticket(device.run("deactivate", "--queue-only", "--hardware-id", "device-\($0)"))
    }
    spoil(device, "", "-wal", "-copy")
    let reading = device.run("status")
    #expect(reading.status == 65)
    #expect(reading.errors.contains("'handback flush' brings over what can be read"))
    let flushed = device.run("flush")
    #expect(flushed.status == 65, "\(flushed)")
    let rows = device.json("status")["deactivations"] as? [[String: Any]] ?? []
    #expect(rows.map { $0["ticket"] as? String } == tickets)
    #expect(rows.allSatisfy { $0["state"] as? String == "damaged" })
    // Nobody knows more of them, and nothing is made up.
    #expect(rows.allSatisfy { $0["product"] is NSNull && $0["queued_at"] is NSNull })
    #expect(!device.run("receipt", tickets[0]).output.contains("1970"))
    for ticket in tickets { #expect(device.run("withdraw", ticket).status == 0) }
    #expect(device.json("receipt", tickets[0])["attempts"] is NSNull)
    #expect(device.json("receipt", tickets[0])["ended_at"] is String)
    #expect(device.run("flush").status == 0)
  }

  @Test func `where nothing names it any more, something is told to be lost`() {
    let device = prepared()
    device.run("deactivate", "--queue-only")
    var reserve = device.folder.read("state/journal.db-reserve") ?? Data()
    reserve[20] ^= 1
    device.folder.write("state/journal.db-reserve", reserve)
    spoil(device, "", "-wal", "-copy")
    let result = device.run("flush")
    #expect(result.status == 65)
    #expect(result.errors.contains("1-000000 stands for them"), "\(result)")
    #expect(device.run("withdraw", "1-000000").status == 0)
    #expect(device.run("flush").status == 0)
    // A file that was set aside is enough.
    for name in ["", "-wal", "-shm", "-copy", "-reserve"] {
      try? FileManager.default.removeItem(atPath: device.journal + name)
    }
    #expect(device.run("status").errors.contains("it is gone, but files beside it are there"))
    #expect(device.run("flush").errors.contains("1-000000 stands for them"))
  }

  /// As one of an earlier build: nothing but room.
  @Test func `a reserve that names no ticket is written anew`() {
    let device = prepared()
    let ticket = Device.ticket(device.run("deactivate", "--queue-only"))
    var reserve = device.folder.read("state/journal.db-reserve") ?? Data()
    reserve.replaceSubrange(0..<512, with: Data(repeating: 7, count: 512))
    device.folder.write("state/journal.db-reserve", reserve)
    #expect(device.run("flush").status == 69)
    spoil(device, "", "-wal", "-copy")
    #expect(device.run("flush").status == 65)
    #expect(device.run("status").output.hasPrefix("\(ticket)    damaged"))
  }

  @Test func `one with its size but not its bytes, left by a power cut on UBIFS, is taken`() {
    let device = prepared()
    device.folder.write("state/journal.db", Data(count: 9216))
    // SQLite's rollback journal of a file that was empty: magic, no page, a nonce, the sizes.
    var journal = Data([0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7, 0, 0, 0, 0, 1, 2, 3, 4])
    journal += Data([0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 4, 0])
    device.folder.write("state/journal.db-journal", journal + Data(count: 512 - journal.count))
    #expect(device.run("deactivate", "--queue-only").status == 0)
    #expect(device.json("status")["pending"] as? Int == 1)
  }

  @Test func `is for its owner alone, in WAL mode, whatever the umask`() {
    let device = Device()
    let shell = "umask 0; exec \(Program.path) deactivate --queue-only"
    var program = device.program
    program.environment["HANDBACK_CONFIG"] = device.folder.path("handback.conf")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", shell]
    process.environment = program.environment
    process.standardOutput = FileHandle.nullDevice
    try! process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
      let path = device.folder.path("state/" + name)
      let mode = try? FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      #expect(mode == 0o600, "\(name)")
    }
    #expect(device.sql("PRAGMA journal_mode; PRAGMA application_id") == "wal\n1212303921")
  }

  @Test(arguments: [1, 2])
  func `brings an older file to this version, and flushes what is in it`(_ version: Int) throws {
    let emulator = Emulator()
    let device = Device(emulator)
    try putOlder(version, device)
    // Reading changes nothing yet.
    #expect(device.run("status").output.contains("1 pending, 1 ended"))
    #expect(device.sql("PRAGMA user_version") == "\(version)")
    let result = device.run("flush")
    #expect(result.status == 0, "\(result)")
    #expect(emulator.count("successes") == 1)
    #expect(
      device.sql("PRAGMA user_version; SELECT address FROM server") == "3\n\(emulator.baseURL)")
    #expect(device.run("id").output == "hb1-r-00000000000000000000000000-00\n", "the pin is kept")
    // Whatever becomes of the file now, the pin is in its second copy.
    device.folder.write("state/journal.db", "damaged")
    let again = device.run("id")
    #expect(again.output == "hb1-r-00000000000000000000000000-00\n", "\(again)")
    // In neither file, it is never made anew unasked.
    device.sql("UPDATE identity SET id = 'another'")
    device.folder.write("state/journal.db-copy", "damaged")
    let refused = device.run("id")
    #expect(refused.status == 65)
    #expect(refused.output == "")
    #expect(device.run("id", "--scheme", "value:by-hand", "--repin", "lost").output == "by-hand\n")
    #expect(device.run("id").output == "by-hand\n")
  }

  private func putOlder(_ version: Int, _ device: Device) throws {
    try FileManager.default.createDirectory(
      atPath: device.folder.path("state"), withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
    let file = Repository.file("Tests/Vectors/journals/version-\(version).db")
    device.folder.write("state/journal.db", try Data(contentsOf: file))
  }

  /// One that had read what the tables were took those of the present format for damaged, and set
  /// the journal aside while others wrote into it.
  @Test(arguments: [1, 2])
  func `many bring an older file over at once, and nothing is lost`(_ version: Int) throws {
    for _ in 1...(Program.isNative ? 10 : 1) {
      let device = Device()
      try putOlder(version, device)
      let result = device.shell(
        """
        for number in 1 2 3 4 5 6 7 8 9 10 11 12; do
          $program deactivate --queue-only --hardware-id device-$number &
          [ $((number % 3)) != 0 ] || $program flush >/dev/null 2>&1 &
        done
        wait
        """)
      let lines = result.output.split(separator: "\n")
      let queued = Set(lines.map { String($0.split(separator: " ").last ?? "") })
      #expect(queued.count == 12, "\(result)")
      let rows = device.json("status")["deactivations"] as? [[String: Any]] ?? []
      let tickets = Set(rows.compactMap { $0["ticket"] as? String })
      #expect(queued.isSubset(of: tickets), "\(queued.subtracting(tickets))")
      #expect(!FileManager.default.fileExists(atPath: device.journal + ".damaged-1"))
    }
  }

  @Test func `a status needs no right to write`() throws {
    let device = Device()
    let queued = device.run("deactivate", "--queue-only")
    chmod(device.folder.path("state"), 0o500)
    defer { chmod(device.folder.path("state"), 0o700) }
    let result = device.run("status")
    #expect(result.status == 0)
    #expect(result.output.hasPrefix(Device.ticket(queued)))
  }
}
