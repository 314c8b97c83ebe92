import Foundation
import HandbackCore
import HandbackLinux
import TestSupport
import Testing

/// The journal's rules on real SQLite files.
struct SQLiteJournalTests {
  let folder = TemporaryFolder()
  var path: String { folder.path("journal.db") }
  let now = Moment(wallSeconds: 1_800_000_000, bootMilliseconds: 50_000, bootID: 7)

  private func deactivation(
    _ device: String, key: String = "AAAA-BBBB", consumptions: Int64? = nil
  ) throws -> Deactivation {
    return Deactivation(
      product: try FieldText(.product, utf8: Array("XY".utf8).span),
      hardwareID: try hardwareID(device),
      credential: .key(Secret(copying: Array(key.utf8).span)),
      details: DeactivationDetails(consumptions: consumptions))
  }

  private func hardwareID(_ text: String) throws -> HardwareID {
    let id = HardwareID(utf8: Array(text.utf8).span)
    return try #require(id)
  }

  private func queue(_ journal: SQLiteJournal, _ device: String) throws -> Ticket {
    try journal.queue(deactivation(device), nonce: 5, atSeconds: now.wallSeconds).ticket
  }

  private let healthy = ServerState(
    clock: ServerClock(floorSeconds: 0, anchor: nil), failures: 0, wait: nil, reason: .none)

  @Test func `hands rows out in the order of queueing, and none twice`() throws {
    let journal = try SQLiteJournal.open(Text(path), .create)
    let tickets = try ["a", "b", "c"].map { try queue(journal, $0) }
    var found: [Ticket] = []
    var row: Int64 = 0
    while let next = try journal.next(after: row, onlyDue: true, at: now) {
      found.append(next.ticket)
      row = next.ticket.row
    }
    #expect(found == tickets)
  }

  @Test func `a second process sees what the first one accepted`() throws {
    let first = try SQLiteJournal.open(Text(path), .create)
    let second = try SQLiteJournal.open(Text(path), .write)
    let ticket = try queue(first, "a")
    #expect(try second.facts(of: ticket) != nil)
    #expect(try second.queue(deactivation("a"), nonce: 9, atSeconds: 0).isNew == false)
  }

  @Test func `counts an attempt before it is sent, and only of a pending row`() throws {
    let journal = try SQLiteJournal.open(Text(path), .create)
    let ticket = try queue(journal, "a")
    #expect(try journal.openAttempt(ticket, at: now))
    let facts = try #require(try journal.facts(of: ticket))
    #expect(facts.attempts == 1)
    #expect(facts.openAttempts == 1)
    #expect(try journal.withdraw(ticket, atSeconds: 1))
    #expect(try journal.openAttempt(ticket, at: now) == false)
    #expect(try journal.openAttempt(Ticket(row: ticket.row, nonce: 6), at: now) == false)
  }

  @Test func `erases the secret with the settlement, in the file and its WAL`() throws {
    let journal = try SQLiteJournal.open(Text(path), .create)
    let secret = "MARKER-OF-A-LICENSE-KEY"
    let ticket = try journal.queue(
      deactivation("a", key: secret), nonce: 1, atSeconds: 0
    ).ticket
    func holdsSecret() -> Bool {
      ["journal.db", "journal.db-wal", "journal.db-copy"].contains { name in
        folder.read(name)?.range(of: Data(secret.utf8)) != nil
      }
    }
    #expect(holdsSecret(), "pending, it has to be there")
    try journal.conclude(
      ticket, .ended(.deactivated, isInferred: false, licenseSignature: nil),
      Outcome(httpStatus: 200, code: nil, message: nil), server: healthy, at: now)
    try journal.checkpoint()
    #expect(!holdsSecret())
  }

  @Test func `keeps a wait over a reopening, on the boot's own clock`() throws {
    var journal = try SQLiteJournal.open(Text(path), .create)
    let ticket = try queue(journal, "a")
    let wait = Wait(milliseconds: 60_000, from: now)
    try journal.conclude(
      ticket, .postponed(wait, failures: 1, isHeld: false, openAttempts: 1),
      Outcome(httpStatus: 500, code: nil, message: "no"), server: nil, at: now)
    journal = try SQLiteJournal.open(Text(path), .write)
    #expect(try journal.next(after: 0, onlyDue: true, at: now) == nil)
    #expect(try journal.next(after: 0, onlyDue: false, at: now) != nil)
    var later = now
    later.bootMilliseconds += 60_000
    // The wall clock is set back by ten years meanwhile.
    later.wallSeconds -= 315_360_000
    #expect(try journal.next(after: 0, onlyDue: true, at: later) != nil)
    let rebooted = Moment(wallSeconds: 0, bootMilliseconds: 59_999, bootID: 8)
    #expect(try journal.next(after: 0, onlyDue: true, at: rebooted) == nil)
  }

  @Test func `an answer that comes after a withdrawal is still written down as a success`() throws {
    let journal = try SQLiteJournal.open(Text(path), .create)
    let ticket = try queue(journal, "a")
    #expect(try journal.openAttempt(ticket, at: now))
    #expect(try journal.withdraw(ticket, atSeconds: 1))
    try journal.conclude(
      ticket, .ended(.deactivated, isInferred: false, licenseSignature: "c2ln"),
      Outcome(httpStatus: 200, code: nil, message: nil), server: nil, at: now)
    let facts = try #require(try journal.facts(of: ticket))
    guard case .ended(.deactivated, _, _, let signature) = facts.state else {
      Issue.record("\(facts.state)")
      return
    }
    #expect(signature == "c2ln")
  }

  private func sql(_ statement: String) {
    TestSupport.Command.run("sqlite3", [path, statement])
  }

  @Test(arguments: [
    "product = 'YX'", "secret = 'BBBB-AAAA'", "license_id = 7", "open_attempts = 1", "attempts = 1",
    "state = 1, ended_at = 1, secret = NULL, fingerprint = NULL", "seal = NULL", "nonce = 6",
  ])
  func `brings a row that was changed back as it was queued, and sends the others`(
    _ change: String
  ) throws {
    var journal = try SQLiteJournal.open(Text(path), .create)
    let tickets = try ["a", "b", "c"].map { try queue(journal, $0) }
    let bodies = try tickets.map { try body(of: $0, journal) }
    sql("UPDATE deactivation SET \(change) WHERE row = 2")
    // Until it is mended, it is passed over.
    #expect(try journal.next(after: 1, onlyDue: false, at: now)?.ticket == tickets[2])
    journal = try SQLiteJournal.open(Text(path), .write)
    #expect(journal.takeReport().restoredCount == 1)
    #expect(try tickets.map { try body(of: $0, journal) } == bodies)
    let facts = try #require(try journal.facts(of: tickets[1]))
    #expect(facts.isRestored)
    #expect(facts.openAttempts == 0)
  }

  private func body(of ticket: Ticket, _ journal: SQLiteJournal) throws -> String {
    let found = try journal.next(after: ticket.row - 1, onlyDue: false, at: now)
    #expect(found?.ticket == ticket)
    return found?.deactivation?.body().copyBytes().text ?? ""
  }

  @Test func `names what is damaged in both files until a person withdraws it`() throws {
    var journal = try SQLiteJournal.open(Text(path), .create)
    let tickets = try ["a", "b"].map { try queue(journal, $0) }
    sql("UPDATE deactivation SET product = 'YX' WHERE row = 1")
    var copies = folder.read("journal.db-copy") ?? Data()
    copies[512 + 60] ^= 1
    folder.write("journal.db-copy", copies)
    journal = try SQLiteJournal.open(Text(path), .write)
    #expect(journal.takeReport().damagedCount == 1)
    #expect(try journal.next(after: 0, onlyDue: false, at: now)?.ticket == tickets[1])
    let facts = try #require(try journal.facts(after: 0, onlyPending: true))
    #expect(facts.ticket == tickets[0])
    guard case .ended(.damaged, _, _, _) = facts.state else { throw Unexpected() }
    #expect(try journal.withdraw(tickets[0], atSeconds: 1))
    #expect(try journal.damagedCount() == 0)
  }

  private struct Unexpected: Error {}

  @Test func `a copy whose row has ended is erased, and not sent again`() throws {
    var journal = try SQLiteJournal.open(Text(path), .create)
    let ticket = try queue(journal, "a")
    let pending = try #require(folder.read("journal.db-copy"))
    #expect(try journal.openAttempt(ticket, at: now))
    try journal.conclude(
      ticket, .ended(.deactivated, isInferred: false, licenseSignature: nil),
      Outcome(httpStatus: 200, code: nil, message: nil), server: nil, at: now)
    #expect(folder.read("journal.db-copy")?.dropFirst(512).allSatisfy { $0 == 0 } == true)
    // As after a power cut before the erasure was durable.
    folder.write("journal.db-copy", pending)
    journal = try SQLiteJournal.open(Text(path), .write)
    #expect(try journal.next(after: 0, onlyDue: false, at: now) == nil)
    #expect(journal.takeReport().restoredCount == 0)
    #expect(folder.read("journal.db-copy")?.dropFirst(512).allSatisfy { $0 == 0 } == true)
  }

  @Test func `with the journal gone, what was pending and the pin are back, under their tickets`()
    throws
  {
    var journal = try SQLiteJournal.open(Text(path), .create)
    let tickets = try ["a", "b", "c"].map { try queue(journal, $0) }
    #expect(try journal.withdraw(tickets[1], atSeconds: 1))
    for name in ["", "-wal", "-shm"] {
      try? FileManager.default.removeItem(atPath: path + name)
    }
    journal = try SQLiteJournal.open(Text(path), .create)
    #expect(journal.takeReport().restoredCount == 2)
    #expect(try journal.next(after: 0, onlyDue: false, at: now)?.ticket == tickets[0])
    #expect(try journal.next(after: 1, onlyDue: false, at: now)?.ticket == tickets[2])
    #expect(try queue(journal, "d").row == 4)
  }

  @Test func `takes over a newer secret in both files`() throws {
    var journal = try SQLiteJournal.open(Text(path), .create)
    func login(_ password: String) -> Deactivation {
      SampleLicense(.user("ann", password: password)).deactivation()
    }
    _ = try journal.queue(login("old-password"), nonce: 1, atSeconds: 0)
    #expect(try journal.queue(login("a-newer-one"), nonce: 2, atSeconds: 0).isNew == false)
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.removeItem(atPath: path + "-wal")
    journal = try SQLiteJournal.open(Text(path), .create)
    let found = try #require(try journal.next(after: 0, onlyDue: false, at: now))
    #expect(found.deactivation?.body().copyBytes().text.contains("a-newer-one") == true)
    #expect(folder.read("journal.db-copy")?.range(of: Data("old-password".utf8)) == nil)
    // A call without one keeps it.
    let other = SampleLicense(.user("ann", password: nil)).deactivation()
    #expect(try journal.queue(other, nonce: 3, atSeconds: 0).isNew == false)
    let kept = try #require(try journal.next(after: 0, onlyDue: false, at: now))
    #expect(kept.deactivation?.body().copyBytes().text.contains("a-newer-one") == true)
  }

  /// What an answer to a request with the old details means to a row that has new ones.
  @Test(arguments: [
    (RowChange.ended(.rejected, isInferred: false, licenseSignature: nil), true),
    (.ended(.deactivated, isInferred: true, licenseSignature: nil), true),
    (
      .postponed(
        Wait(milliseconds: 60_000, from: TestClock().now), failures: 1, isHeld: true,
        openAttempts: 0), true
    ),
    (.ended(.deactivated, isInferred: false, licenseSignature: nil), false),
  ])
  func `asked for again on its way, only a plain success ends it`(
    change: RowChange, isPending: Bool
  ) throws {
    let journal = try SQLiteJournal.open(Text(path), .create)
    func login(_ password: String) -> Deactivation {
      SampleLicense(.user("ann", password: password)).deactivation()
    }
    let ticket = try journal.queue(login("old"), nonce: 1, atSeconds: 0).ticket
    let outcome = Outcome(httpStatus: 400, code: nil, message: nil)
    func read() throws -> PendingDeactivation? {
      try journal.next(after: 0, onlyDue: true, at: now)
    }
    func askAgain(_ password: String) throws {
      let other = try SQLiteJournal.open(Text(path), .create)
      #expect(try other.queue(login(password), nonce: 2, atSeconds: 0).isNew == false)
    }
    // Between reading and opening: it isn't sent as it was read.
    _ = try read()
    try askAgain("newer")
    #expect(try journal.openAttempt(ticket, at: now) == false)
    _ = try read()
    #expect(try journal.openAttempt(ticket, at: now))
    // And on its way.
    try askAgain("newest")
    #expect(try journal.conclude(ticket, change, outcome, server: nil, at: now) == .askedAgain)
    let next = try read()
    #expect((next != nil) == isPending)
    if isPending {
      var isInferred = false
      if case .ended(_, isInferred: true, _) = change { isInferred = true }
      #expect(next?.deactivation?.body().copyBytes().text.contains("newest") == true)
      // Sent twice, the first of the two may have got through.
      #expect(next?.openAttempts == (isInferred ? 1 : 0))
      #expect(try journal.openAttempt(ticket, at: now))
      #expect(
        try journal.conclude(
          ticket, .ended(.rejected, isInferred: false, licenseSignature: nil), outcome,
          server: nil, at: now) == .written)
      #expect(try read() == nil)
    }
  }

  @Test func `a second copy that is damaged, or gone, is made again from a sound row`() throws {
    var journal = try SQLiteJournal.open(Text(path), .create)
    let tickets = try ["a", "b"].map { try queue(journal, $0) }
    let encoded = ComponentTokens(encoded: [UInt8]().span)
    let none = try #require(encoded)
    let pin = IdentityRecord(
      id: try hardwareID("pinned"), scheme: .value, idClass: .given, platform: .metal,
      rulesDate: 1, components: none, pinnedAtEpochSeconds: 1, reason: "test")
    #expect(try journal.append(pin, after: 0))
    let whole = try #require(folder.read("journal.db-copy"))
    for place in [600, 1100, 1600] {
      var damaged = whole
      damaged[place] ^= 1
      folder.write("journal.db-copy", damaged)
      journal = try SQLiteJournal.open(Text(path), .write)
    }
    try FileManager.default.removeItem(atPath: path + "-copy")
    journal = try SQLiteJournal.open(Text(path), .write)
    for name in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + name) }
    journal = try SQLiteJournal.open(Text(path), .write)
    #expect(try journal.pinnedRecord()?.id.text.string == "pinned")
    #expect(try journal.next(after: 0, onlyDue: false, at: now)?.ticket == tickets[0])
    #expect(try journal.next(after: 1, onlyDue: false, at: now)?.ticket == tickets[1])
    #expect(try journal.damagedCount() == 0)
  }

  @Test func `a pin whose number is damaged is back under its own, and in force`() throws {
    var journal = try SQLiteJournal.open(Text(path), .create)
    let encoded = ComponentTokens(encoded: [UInt8]().span)
    let none = try #require(encoded)
    for (index, name) in ["first", "second"].enumerated() {
      let pin = IdentityRecord(
        id: try hardwareID(name), scheme: .value, idClass: .given, platform: .metal,
        rulesDate: 1, components: none, pinnedAtEpochSeconds: 1, reason: "test")
      #expect(try journal.append(pin, after: index))
    }
    for (from, to) in [(2, 3), (1, 17), (2, 18)] {
      sql("UPDATE identity SET number = \(to) WHERE number = \(from)")
      journal = try SQLiteJournal.open(Text(path), .write)
      #expect(try journal.pinnedRecord()?.id.text.string == "second")
      #expect(try journal.recordCount() == 2)
    }
  }

  /// It may have ended, and the end be lost with the last of the WAL.
  @Test func `a row without its copy that is asked for again has no attempt that counts`() throws {
    var journal = try SQLiteJournal.open(Text(path), .create)
    let ticket = try queue(journal, "a")
    #expect(try journal.openAttempt(ticket, at: now))
    folder.write("journal.db-copy", try #require(folder.read("journal.db-copy")).prefix(512))
    journal = try SQLiteJournal.open(Text(path), .create)
    #expect(try queue(journal, "a") == ticket)
    #expect(try journal.facts(of: ticket)?.openAttempts == 0)
    let copies = try #require(folder.read("journal.db-copy"))
    #expect(copies.range(of: Data("HBCr".utf8)) != nil)
  }

  @Test func `nothing of a long secret is left in a copy that was damaged`() throws {
    var journal = try SQLiteJournal.open(Text(path), .create)
    let token = String(repeating: "0123456789ABCDEF", count: 200)
    let license = SampleLicense(.idToken(token, account: "acme"))
    let ticket = try journal.queue(license.deactivation(), nonce: 1, atSeconds: 0).ticket
    var damaged = try #require(folder.read("journal.db-copy"))
    damaged[1500] ^= 1
    folder.write("journal.db-copy", damaged)
    journal = try SQLiteJournal.open(Text(path), .write)
    #expect(try journal.openAttempt(ticket, at: now))
    try journal.conclude(
      ticket, .ended(.deactivated, isInferred: false, licenseSignature: nil),
      Outcome(httpStatus: 200, code: nil, message: nil), server: nil, at: now)
    let copies = try #require(folder.read("journal.db-copy"))
    #expect(copies.range(of: Data("456789".utf8)) == nil)
    #expect(copies.range(of: Data("HBCr".utf8)) == nil)
  }

  /// The index has no seals: with one bit wrong it names another license's row.
  @Test func `an index that names another row gives no license another's ticket`() throws {
    let journal = try SQLiteJournal.open(Text(path), .create)
    let tickets = try ["a", "b", "c"].map { try queue(journal, $0) }
    let bodies = try tickets.map { try body(of: $0, journal) }
    #expect(try journal.checkpoint())
    let hex = Command.run(
      "sqlite3", [path, "SELECT hex(fingerprint) FROM deactivation WHERE row = 2"])
    let digits = Array(hex.output.trimmingCharacters(in: .whitespacesAndNewlines))
    var entry = stride(from: 0, to: 32, by: 2).map {
      UInt8(String(digits[$0...($0 + 1)]), radix: 16)!
    }
    entry.append(2)
    var damaged = try #require(folder.read("journal.db"))
    let place = try #require(damaged.range(of: Data(entry)))
    damaged[place.upperBound - 1] = 3
    for access in [SQLiteJournal.Access.create, .write] {
      for end in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
      folder.write("journal.db", damaged)
      let other = try SQLiteJournal.open(Text(path), access)
      #expect(try queue(other, "b") == tickets[1])
      #expect(try tickets.map { try body(of: $0, other) } == bodies)
      #expect(other.takeReport().asidePath != nil)
    }
  }

  /// It has ended, so no second copy tells its true number.
  @Test func `the newest row under a damaged number makes no tickets that never were`() throws {
    for isQueued in [false, true] {
      for name in ["", "-wal", "-shm", "-copy", "-reserve"] {
        try? FileManager.default.removeItem(atPath: path + name)
      }
      var journal = try SQLiteJournal.open(Text(path), .create)
      let tickets = try ["a", "b"].map { try queue(journal, $0) }
      #expect(try journal.openAttempt(tickets[1], at: now))
      try journal.conclude(
        tickets[1], .ended(.rejected, isInferred: false, licenseSignature: nil),
        Outcome(httpStatus: 400, code: nil, message: nil), server: nil, at: now)
      sql("UPDATE deactivation SET row = 8392 WHERE row = 2")
      if !isQueued { journal = try SQLiteJournal.open(Text(path), .write) }
      #expect(try queue(journal, "c").row == 3)
      #expect(try journal.damagedCount() == 1)
      #expect(try journal.facts(of: tickets[1]) != nil)
    }
  }

  /// What has ended has no second copy: the receipts of the others must be brought over.
  @Test func `a row in the middle under a damaged number costs two more at most`() throws {
    let journal = try SQLiteJournal.open(Text(path), .create)
    let tickets = try (1...60).map { try queue(journal, "device-\($0)") }
    for ticket in tickets {
      #expect(try journal.openAttempt(ticket, at: now))
      try journal.conclude(
        ticket, .ended(.rejected, isInferred: false, licenseSignature: nil),
        Outcome(httpStatus: 400, code: nil, message: nil), server: nil, at: now)
    }
    #expect(try journal.checkpoint())
    let whole = try #require(folder.read("journal.db"))
    let original = Array(whole)
    // A cell of the table: its payload's size, its rowid, its record's head.
    let page = 1024
    var tried = 0
    for bit in 0..<7 {
      var bytes = original
      for start in stride(from: page, to: bytes.count, by: page) where bytes[start] == 13 {
        let count = Int(bytes[start + 3]) << 8 | Int(bytes[start + 4])
        for cell in 0..<count {
          let pointer = start + 8 + 2 * cell
          var place = start + (Int(bytes[pointer]) << 8 | Int(bytes[pointer + 1]))
          while bytes[place] & 0x80 != 0 { place += 1 }
          // The head of a deactivation's record has 32 columns and more.
          guard bytes[place + 1] == 30, bytes[place + 2] > 32 else { continue }
          bytes[place + 1] ^= 1 << bit
          tried += 1
        }
      }
      for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
      folder.write("journal.db", Data(bytes))
      chmod(path, 0o600)
      let other = try SQLiteJournal.open(Text(path), .write)
      #expect(try other.damagedCount() <= 3, "bit \(bit)")
      #expect(try other.facts(of: tickets[59])?.state.isRejected == true)
    }
    #expect(tried == 7)
  }

  @Test func `a copy that a killed process left is no second one of a number`() throws {
    let waiting = try SQLiteJournal.open(Text(path), .create)
    let killed = try SQLiteJournal.open(Text(path), .create)
    let ticket = try queue(killed, "a")
    sql("DELETE FROM deactivation")
    #expect(try queue(waiting, "b").row == 2)
    #expect(try waiting.next(after: 0, onlyDue: false, at: now)?.ticket == ticket)
  }

  /// The length stands outside the seal: it must not hide the records behind it.
  @Test(arguments: [true, false])
  func `a second copy whose length is damaged hides no others`(isJournalGone: Bool) throws {
    var journal = try SQLiteJournal.open(Text(path), .create)
    let tickets = try ["a", "b", "c", "d"].map { try queue(journal, $0) }
    #expect(try journal.openAttempt(tickets[2], at: now))
    var damaged = try #require(folder.read("journal.db-copy"))
    damaged[512 + 6] ^= 4
    folder.write("journal.db-copy", damaged)
    if isJournalGone {
      for name in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + name) }
    }
    journal = try SQLiteJournal.open(Text(path), .write)
    #expect(try journal.damagedCount() == (isJournalGone ? 1 : 0))
    var row: Int64 = isJournalGone ? 1 : 0
    for ticket in isJournalGone ? tickets.dropFirst() : tickets[...] {
      let next = try #require(try journal.next(after: row, onlyDue: false, at: now))
      #expect(next.ticket == ticket)
      #expect(next.openAttempts == (ticket == tickets[2] && !isJournalGone ? 1 : 0))
      row = ticket.row
    }
  }

  @Test func `a reserve that is given back still tells what was accepted`() throws {
    var journal = try SQLiteJournal.open(Text(path), .create)
    let tickets = try ["a", "b"].map { try queue(journal, $0) }
    #expect(truncate(path + "-reserve", 512) == 0)
    for name in ["", "-wal", "-shm", "-copy"] {
      try? FileManager.default.removeItem(atPath: path + name)
    }
    journal = try SQLiteJournal.open(Text(path), .create)
    #expect(try journal.damagedCount() == 2)
    for ticket in tickets { #expect(try journal.facts(of: ticket) != nil) }
    _ = try queue(journal, "c")
    #expect(try #require(folder.read("journal.db-reserve")).count == 65536)
  }

  @Test func `a link that leads nowhere in the place of a new journal holds nobody up`() throws {
    var journal = try SQLiteJournal.open(Text(path), .create)
    let ticket = try queue(journal, "a")
    for name in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + name) }
    symlink("/nowhere", path + "-ready")
    journal = try SQLiteJournal.open(Text(path), .write)
    #expect(try journal.next(after: 0, onlyDue: false, at: now)?.ticket == ticket)
  }

  /// Cut off behind its first move, and before it.
  @Test func `a setting aside that was cut off is ended by the next one who writes`() throws {
    var journal = try SQLiteJournal.open(Text(path), .create)
    let ticket = try queue(journal, "a")
    #expect(try journal.checkpoint())
    let whole = try #require(folder.read("journal.db"))
    folder.write("journal.db-ready", whole)
    folder.write("journal.db-wal", "the damaged one's")
    try FileManager.default.moveItem(atPath: path, toPath: path + ".damaged-1")
    chmod(path + "-ready", 0o600)
    chmod(path + "-wal", 0o600)
    journal = try SQLiteJournal.open(Text(path), .write)
    #expect(journal.takeReport().asidePath == Text(path + ".damaged-1"))
    #expect(try journal.next(after: 0, onlyDue: false, at: now)?.ticket == ticket)
    #expect(folder.read("journal.db.damaged-1") == whole)
    #expect(folder.read("journal.db.damaged-1-wal") == Data("the damaged one's".utf8))

    let later = try queue(journal, "b")
    folder.write("journal.db-ready", whole)
    journal = try SQLiteJournal.open(Text(path), .write)
    #expect(try journal.next(after: 1, onlyDue: false, at: now)?.ticket == later)
    #expect(folder.read("journal.db-ready") == nil)
  }

  /// A command that was wrong in a field, and is right now.
  @Test func `takes over newer details, which makes it due, and into a sealed row too`() throws {
    for cipher in [
      nil,
      CredentialCipher(SealKey(hex: Secret(copying: [UInt8](repeating: 0x61, count: 64).span))!),
    ] {
      let path = folder.path(cipher == nil ? "plain.db" : "sealed.db")
      let journal = try SQLiteJournal.open(Text(path), .create)
      if let cipher { journal.sealing = .key(cipher) }
      let ticket = try queue(journal, "a")
      try journal.conclude(
        ticket,
        .postponed(
          Wait(milliseconds: 60_000, from: now), failures: 1, isHeld: true, openAttempts: 0),
        Outcome(httpStatus: 400, code: nil, message: nil), server: nil, at: now)
      #expect(try journal.next(after: 0, onlyDue: true, at: now) == nil)
      let again = try journal.queue(deactivation("a", consumptions: 7), nonce: 9, atSeconds: 0)
      #expect(!again.isNew && again.ticket == ticket)
      let next = try #require(try journal.next(after: 0, onlyDue: true, at: now))
      guard case .deactivation(let pending) = next.content else {
        Issue.record("it can't be read")
        return
      }
      #expect(pending.details.consumptions == 7)
      // So has the second copy.
      try FileManager.default.removeItem(atPath: path)
      for end in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
      let other = try SQLiteJournal.open(Text(path), .write)
      if let cipher { other.sealing = .key(cipher) }
      guard
        case .deactivation(let restored)? = try other.next(after: 0, onlyDue: true, at: now)?
          .content
      else {
        Issue.record("it was not brought back")
        return
      }
      #expect(restored.details.consumptions == 7)
    }
  }

  @Test func `a call without a password leaves a sealed one readable`() throws {
    let journal = try SQLiteJournal.open(Text(path), .create)
    let key = SealKey(hex: Secret(copying: [UInt8](repeating: 0x61, count: 64).span))!
    journal.sealing = .key(CredentialCipher(key)!)
    _ = try journal.queue(
      SampleLicense(.user("ann", password: "the-password")).deactivation(), nonce: 1, atSeconds: 0)
    var again = SampleLicense(.user("ann", password: nil))
    again.consumptions = 7
    #expect(try journal.queue(again.deactivation(), nonce: 2, atSeconds: 0).isNew == false)
    let kept = try #require(try journal.next(after: 0, onlyDue: false, at: now))
    #expect(kept.deactivation?.body().copyBytes().text.contains("the-password") == true)
  }

  @Test func `processes that commit once each keep the WAL small`() throws {
    for number in 0..<150 {
      _ = try queue(try SQLiteJournal.open(Text(path), .create), "device-\(number)")
    }
    #expect(try #require(folder.read("journal.db-wal")).count < 200 * 1024)
    let journal = try SQLiteJournal.open(Text(path), .write)
    #expect(try journal.tally().pending == 150)
  }

  @Test func `an unanswered attempt at another server is forgotten`() throws {
    let journal = try SQLiteJournal.open(Text(path), .create)
    let tickets = try ["a", "b"].map { try queue(journal, $0) }
    func openAttempts() throws -> [Int64?] {
      try tickets.map { try journal.facts(of: $0)?.openAttempts }
    }
    journal.serverAddress = "https://one.example"
    _ = try journal.serverState()
    #expect(try journal.openAttempt(tickets[0], at: now))
    _ = try journal.serverState()
    #expect(try openAttempts() == [1, 0])
    journal.serverAddress = "https://two.example"
    _ = try journal.serverState()
    #expect(try openAttempts() == [0, 0])
    #expect(try journal.facts(of: tickets[0])?.attempts == 1)
    #expect(try journal.openAttempt(tickets[1], at: now))
    _ = try journal.serverState()
    #expect(try openAttempts() == [0, 1])
    #expect(journal.takeReport().damagedCount == 0)
    try journal.check()
    #expect(journal.takeReport().damagedCount == 0)
  }

  @Test func `pins the first of two identities, and keeps the history`() throws {
    let first = try SQLiteJournal.open(Text(path), .create)
    let second = try SQLiteJournal.open(Text(path), .write)
    let none = ComponentTokens(encoded: [UInt8]().span)
    let components = try #require(none)
    let record = try IdentityRecord(
      id: hardwareID("first"), scheme: .value, idClass: .given,
      platform: .metal, rulesDate: 1, components: components, pinnedAtEpochSeconds: 2,
      reason: Text(Array("first use".utf8)))
    #expect(try first.append(record, after: 0))
    #expect(try second.append(record, after: 0) == false)
    #expect(try second.pinnedRecord()?.id.text == "first")
    #expect(try second.append(record, after: 1))
    #expect(try first.recordCount() == 2)
  }
}

extension PendingDeactivation? {
  static func == (left: consuming Self, right: _OptionalNilComparisonType) -> Bool {
    switch left {
    case .none: true
    case .some: false
    }
  }
  static func != (left: consuming Self, right: _OptionalNilComparisonType) -> Bool {
    switch left {
    case .none: false
    case .some: true
    }
  }
}

extension DeactivationFacts.State {
  fileprivate var isRejected: Bool {
    if case .ended(.rejected, _, _, _) = self { return true }
    return false
  }
}
