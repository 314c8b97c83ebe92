import Foundation
import HandbackCore
import HandbackLinux
import TestSupport
import Testing

/// A journal's files as bytes, to be damaged.
struct JournalFiles {
  enum Name: String, CaseIterable {
    case main = ""
    case wal = "-wal"
    case copies = "-copy"
    case reserve = "-reserve"

    /// What the file is written in: pages, frames, blocks.
    var unit: Int {
      switch self {
      case .main: 1024
      case .wal: 1048
      case .copies, .reserve: 512
      }
    }
  }

  static let main = Name.main
  var contents: [Name: [UInt8]] = [:]

  init() {}

  init(_ path: String) {
    for name in Name.allCases {
      if let bytes = FileManager.default.contents(atPath: path + name.rawValue) {
        contents[name] = Array(bytes)
      }
    }
  }

  func write(to path: String) {
    for (name, bytes) in contents {
      _ = FileManager.default.createFile(
        atPath: path + name.rawValue, contents: Data(bytes),
        attributes: [.posixPermissions: 0o600])
    }
  }

  mutating func change(_ name: Name, _ body: (inout [UInt8]) -> Void) {
    guard var bytes = contents[name] else { return }
    body(&bytes)
    contents[name] = bytes
  }

  /// A flipped bit, some bytes or a whole page zeroed or overwritten, two pages swapped, or the
  /// file cut off.
  /// The result says what it was.
  @discardableResult
  mutating func damage(_ name: Name, using random: inout SeededGenerator) -> String {
    let kind = Int.random(in: 0..<8, using: &random)
    change(name) { bytes in
      guard !bytes.isEmpty else { return }
      // Of the reserve only the roster at its begin says something.
      let end = name == .reserve ? min(name.unit, bytes.count) : bytes.count
      let place = Int.random(in: 0..<end, using: &random)
      let page = place / name.unit * name.unit
      let pageEnd = min(page + name.unit, bytes.count)
      switch kind {
      case 0, 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 2:
        for index in place..<min(place + 64, bytes.count) where !random.once(in: 3) {
          bytes[index] = 0
        }
      case 3:
        for index in place..<min(place + 16, bytes.count) {
          bytes[index] = UInt8.random(in: 0...255, using: &random)
        }
      case 4: for index in page..<pageEnd { bytes[index] = 0 }
      case 5: for index in page..<pageEnd { bytes[index] = 0xFF }
      case 6: bytes.removeLast(bytes.count - place)
      default:
        let other =
          Int.random(in: 0..<(bytes.count / name.unit + 1), using: &random) * name.unit
        guard other + name.unit <= bytes.count, page + name.unit <= bytes.count else { return }
        for index in 0..<name.unit { bytes.swapAt(page + index, other + index) }
      }
    }
    let words = ["bit", "bit", "zeros", "bytes", "zero page", "ones page", "cut", "swap"]
    return "\(name) \(words[kind])"
  }
}

/// A journal with one of each kind of row, half of them still in the WAL, and what has to be true
/// of it whatever is done to its files.
final class DamagedJournal {
  enum Promise {
    /// Every pending row is there as it was queued, and no row comes up as damaged: the journal
    /// itself has all of them.
    case intact
    /// Every pending row is there as it was queued.
    case whole
    /// With both copies of a row damaged it may be lost, and is told of; nothing is sent or said
    /// that isn't so.
    case honest
  }

  struct Counts: CustomStringConvertible {
    var tried = 0
    var setAside = 0
    var restored = 0
    var damaged = 0
    /// Lost, and told of: with the ticket, with its number alone, without either.
    var named = 0
    var numbered = 0
    var unnamed = 0
    /// Their end is lost.
    var reopened = 0
    var description: String {
      """
      \(tried) tried, \(setAside) set aside, \(restored) rows restored, \(damaged) reported as \
      damaged, lost and named \(named), by number \(numbered), not at all \(unnamed), \
      reopened \(reopened)
      """
    }
  }

  private let folder = TemporaryFolder(in: URL(fileURLWithPath: "/dev/shm"))
  private var files = JournalFiles()
  private var tickets: [Ticket] = []
  // By ticket.
  private var bodies: [String: String] = [:]
  private var endings: [String: Ending] = [:]
  private var openAttempts: [String: Int64] = [:]
  private(set) var problems: [String] = []
  private(set) var counts = Counts()
  private let now = Moment(wallSeconds: 1_800_000_000, bootMilliseconds: 50_000, bootID: 7)

  init() throws {
    let path = folder.path("sample.db")
    let journal = try SQLiteJournal.open(Text(path), .create)
    try Self.pin(journal)
    for index in 0..<14 {
      let license = SampleLicense(
        .key("LICENSE-KEY-\(index)"),
        hardwareID: String(repeating: "device-\(index) ", count: 1 + index % 3))
      let ticket = try journal.queue(
        license.deactivation(), nonce: UInt32(1000 + index), atSeconds: now.wallSeconds
      ).ticket
      tickets.append(ticket)
      let name = ticket.text.string
      bodies[name] = license.body
      // The first seven are in the file, and the others in the WAL.
      if index == 6 { try journal.checkpoint() }
      if index % 7 == 1 {
        _ = try journal.openAttempt(ticket, at: now)
        openAttempts[name] = 1
      }
      if index % 7 == 2 { try end(journal, ticket, .deactivated) }
      if index % 7 == 3 { try end(journal, ticket, .rejected) }
      if index % 7 == 4 {
        _ = try journal.withdraw(ticket, atSeconds: 1)
        endings[name] = .withdrawn
      }
    }
    files = JournalFiles(path)
    withExtendedLifetime(journal) {}
  }

  func bytes(_ name: JournalFiles.Name) -> [UInt8] { files.contents[name] ?? [] }

  private func end(_ journal: SQLiteJournal, _ ticket: Ticket, _ ending: Ending) throws {
    _ = try journal.openAttempt(ticket, at: now)
    try journal.conclude(
      ticket, .ended(ending, isInferred: false, licenseSignature: nil),
      Outcome(httpStatus: 200, code: nil, message: nil),
      server: ServerState(
        clock: ServerClock(floorSeconds: now.wallSeconds, anchor: nil), failures: 0, wait: nil,
        reason: .none), at: now)
    endings[ticket.text.string] = ending
  }

  private static func pin(_ journal: SQLiteJournal) throws {
    let given = HardwareID(utf8: Array("the pinned one".utf8).span)
    let encoded = ComponentTokens(encoded: [UInt8]().span)
    let none = try #require(encoded)
    let record = IdentityRecord(
      id: try #require(given), scheme: .value, idClass: .given, platform: .metal, rulesDate: 1,
      components: none,
      pinnedAtEpochSeconds: 2, reason: "first use")
    #expect(try journal.append(record, after: 0))
  }

  // MARK: - One damage

  func survives(
    _ promise: Promise = .whole, _ damage: (inout JournalFiles) -> Void
  ) throws {
    var files = files
    damage(&files)
    counts.tried += 1
    let home = TemporaryFolder(in: folder.url)
    let path = home.path("journal.db")
    files.write(to: path)
    do {
      try inspect(Text(path), promise)
    } catch {
      guard let error = error as? JournalError else { throw error }
      // No database any more, beside second copies that say that they are of another version: it is
      // refused, and stays as it is for a person.
      if promise == .honest, error.kind == .notADatabase,
        files.contents[.copies]?.prefix(8) != self.files.contents[.copies]?.prefix(8)
      {
        return
      }
      problem("refused: \(error)")
    }
  }

  private func problem(_ text: String) {
    problems.append("damage \(counts.tried): \(text)")
  }

  private func inspect(_ path: Text, _ promise: Promise) throws {
    let journal = try SQLiteJournal.open(path, .write)
    try journal.check()
    let report = journal.takeReport()
    if report.asidePath != nil { counts.setAside += 1 }
    counts.restored += Int(report.restoredCount)
    counts.damaged += Int(report.damagedCount)
    if promise == .intact, report.damagedCount > 0 {
      problem("\(report.damagedCount) come up as damaged")
    }
    var found: Set<String> = []
    var last: Int64 = 0
    while let next = try journal.next(after: last, onlyDue: false, at: now) {
      last = next.ticket.row
      let name = next.ticket.text.string
      let body = next.deactivation?.body().copyBytes().text
      if bodies[name] != body { problem("\(name) would be sent as \(body)") }
      let open = openAttempts[name] ?? 0
      if next.openAttempts > open, endings[name] == nil {
        problem("\(name) has \(next.openAttempts) open attempts, and had \(open)")
      }
      found.insert(name)
    }
    for ticket in tickets { try inspect(ticket, journal, report, found, promise) }
    let pinned = try? journal.pinnedRecord()
    if let pinned, pinned.id.text != "the pinned one" {
      problem("pinned: \(pinned.id.text.string)")
    }
    if promise != .honest, pinned == nil { problem("the pin is lost") }
    // It goes on: a new row is taken, with a number of its own.
    let license = SampleLicense(.key("A-NEW-ONE"))
    let ticket = try journal.queue(license.deactivation(), nonce: 5, atSeconds: 0).ticket
    if tickets.contains(where: { $0.row == ticket.row }), !report.isUnnamed {
      problem("\(ticket.text.string) takes another's number")
    }
  }

  private func inspect(
    _ ticket: Ticket, _ journal: SQLiteJournal, _ report: JournalReport, _ pending: Set<String>,
    _ promise: Promise
  ) throws {
    let name = ticket.text.string
    var state: Ending?
    if case .ended(let ending, _, _, _)? = try journal.facts(of: ticket)?.state { state = ending }
    if state == .deactivated, endings[name] != .deactivated {
      problem("\(name) is said to be deactivated")
    }
    if pending.contains(name) {
      if endings[name] != nil { counts.reopened += 1 }
      return
    }
    if let ending = endings[name] {
      if state == ending { return }
    } else if promise != .honest {
      return problem("\(name) is lost: \(String(describing: state))")
    }
    // What is lost is told: its ticket, its number, or that something is.
    if state == .damaged { return counts.named += 1 }
    let named = try journal.facts(after: ticket.row - 1, onlyPending: true)
    if case .ended(.damaged, _, _, _)? = named?.state, named?.ticket.row == ticket.row {
      return counts.numbered += 1
    }
    if report.isUnnamed { return counts.unnamed += 1 }
    problem("\(name) is lost without a word")
  }
}
