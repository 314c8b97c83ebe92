import Foundation
import HandbackCore
import HandbackLinux
import TestSupport
import Testing

/// Journals that flash has damaged, opened by the real code.
///
/// After any damage to one of a journal's files every pending deactivation is still there and as
/// it was queued. Whatever is damaged in the journal and its second copies at once, none is
/// reported as done that isn't, nothing is sent that wasn't queued, and what is lost is told.
///
/// `HANDBACK_DAMAGES=50000` tries so many random ones, `HANDBACK_SEED` others.
struct DamageTests {
  @Test func `every byte of the header`() throws {
    let sample = try DamagedJournal()
    for file in JournalFiles.Name.allCases {
      let promise: DamagedJournal.Promise =
        file == .copies || file == .reserve ? .intact : .whole
      for offset in 0..<min(100, sample.bytes(file).count) {
        for mask in [0x01, 0x80, 0xFF] as [UInt8] {
          try sample.survives(promise) { files in files.change(file) { $0[offset] ^= mask } }
        }
      }
    }
    #expect(sample.problems == [], "\(sample.counts)")
  }

  @Test func `every page zeroed, or swapped with the next, and the file cut off before it`() throws
  {
    let sample = try DamagedJournal()
    for file in [JournalFiles.main, .wal, .copies] {
      let byteCount = sample.bytes(file).count
      for start in stride(from: 0, to: byteCount, by: file.unit) {
        let end = min(start + file.unit, byteCount)
        try sample.survives { files in
          files.change(file) { bytes in for index in start..<end { bytes[index] = 0 } }
        }
        try sample.survives { files in files.change(file) { $0.removeLast($0.count - start) } }
        guard end + file.unit <= byteCount else { continue }
        try sample.survives { files in
          files.change(file) { bytes in
            for index in start..<end { bytes.swapAt(index, index + file.unit) }
          }
        }
      }
    }
    #expect(sample.problems == [], "\(sample.counts)")
  }

  @Test func `a file that is gone`() throws {
    let sample = try DamagedJournal()
    try sample.survives { $0.contents[.main] = nil }
    try sample.survives { $0.contents[.wal] = nil }
    try sample.survives(.intact) { $0.contents[.copies] = nil }
    try sample.survives(.intact) { $0.contents[.reserve] = nil }
    try sample.survives { files in
      files.contents[.main] = nil
      files.contents[.wal] = nil
    }
    #expect(sample.counts.unnamed == 0)
    #expect(sample.problems == [], "\(sample.counts)")
  }

  /// What was only there is for a person to look at: SQLite would delete it. Of a journal that is
  /// gone, it has a name of its own.
  @Test(arguments: [nil, []] as [[UInt8]?])
  func `the WAL of a journal that is gone or empty is set aside`(main: [UInt8]?) throws {
    let folder = TemporaryFolder()
    let source = try SQLiteJournal.open(Text(folder.path("source.db")), .create)
    for name in ["a", "b", "c"] {
      _ = try source.queue(SampleLicense(.key(name)).deactivation(), nonce: 1, atSeconds: 0)
    }
    var files = JournalFiles(folder.path("source.db"))
    withExtendedLifetime(source) {}
    files.contents[.main] = main
    let path = folder.path("journal.db")
    files.write(to: path)
    let journal = try SQLiteJournal.open(Text(path), .write)
    #expect(try journal.tally().pending == 3)
    let name = path + (main == nil ? ".lost-wal" : ".damaged-1-wal")
    #expect(journal.takeReport().asidePath?.string == (main == nil ? name : path + ".damaged-1"))
    let aside = FileManager.default.contents(atPath: name)
    #expect(try #require(aside).elementsEqual(files.contents[.wal] ?? []))
  }

  /// It has the right seal, as an older format had none: its details are what can't be read.
  @Test func `a row whose details make no request is held, and told`() throws {
    let folder = TemporaryFolder()
    let path = folder.path("journal.db")
    try Data(contentsOf: Repository.file("Tests/Vectors/journals/version-2.db"))
      .write(to: URL(fileURLWithPath: path))
    _ = chmod(path, 0o600)
    let change = "UPDATE deactivation SET product = CAST(x'D859' AS TEXT) WHERE row = 2"
    #expect(Command.run("sqlite3", [path, change]).status == 0)
    let journal = try SQLiteJournal.open(Text(path), .write)
    let now = Moment(wallSeconds: 0, bootMilliseconds: 1000, bootID: 1)
    var sealed: [String] = []
    var last: Int64 = 0
    while let next = try journal.next(after: last, onlyDue: true, at: now) {
      last = next.ticket.row
      if case .sealed(let outcome) = next.content { sealed.append(outcome.code?.string ?? "") }
    }
    #expect(sealed == ["damaged_details"])
  }

  /// What is left of the reserve, or its name alone, tells that there was a journal.
  @Test func `the journal and its second copies are gone, emptied, zeroed or overwritten`() throws {
    let sample = try DamagedJournal()
    let ways: [(inout JournalFiles, JournalFiles.Name) -> Void] = [
      { files, name in files.contents[name] = nil },
      { files, name in files.contents[name] = [] },
      { files, name in files.change(name) { $0 = .init(repeating: 0, count: $0.count) } },
      { files, name in files.change(name) { $0 = .init(repeating: 0xFF, count: $0.count) } },
      { files, name in files.change(name) { $0 = Array($0.reversed()) } },
    ]
    for way in ways {
      for otherWay in ways {
        for isRosterLost in [false, true] {
          let before = sample.counts
          try sample.survives(.honest) { files in
            way(&files, .main)
            way(&files, .wal)
            otherWay(&files, .copies)
            if isRosterLost { files.change(.reserve) { $0[0] ^= 1 } }
          }
          if isRosterLost {
            // 1-000000 bears the number of one of them.
            #expect(sample.counts.unnamed == before.unnamed + 13)
          } else {
            #expect(sample.counts.named == before.named + 14)
          }
        }
      }
    }
    #expect(sample.problems == [], "\(sample.counts)")
  }

  @Test func `random damage`() throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["HANDBACK_DAMAGES"].flatMap { Int($0) } ?? 2000
    let seed = environment["HANDBACK_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1..<1 << 32)
    var random = SeededGenerator(seed: seed)
    let sample = try DamagedJournal()
    for _ in 0..<count {
      let file: JournalFiles.Name =
        [.main, .main, .wal, .copies, .reserve].randomElement(using: &random)!
      let isOfJournal = file == .main || file == .wal
      let isDouble = random.once(in: 4)
      let promise: DamagedJournal.Promise = isOfJournal ? .whole : .intact
      try sample.survives(isDouble ? .honest : promise) { files in
        files.damage(file, using: &random)
        guard isDouble else { return }
        files.damage(isOfJournal ? .copies : .main, using: &random)
      }
    }
    #expect(sample.problems == [], "seed \(seed), \(sample.counts)")
    if count >= 10_000 { print("\(count) damages, seed \(seed): \(sample.counts)") }
  }

  /// The machinery sees a loss: without second copies, damage to the journal loses rows; without
  /// the reserve, some without a word.
  @Test func `sees what is lost without second copies`() throws {
    let sample = try DamagedJournal()
    for start in stride(from: 1024, to: sample.bytes(.main).count, by: 1024) {
      try sample.survives { files in
        files.contents[.copies] = nil
        files.contents[.reserve] = nil
        files.change(.main) { bytes in for index in start..<(start + 1024) { bytes[index] = 0 } }
      }
    }
    #expect(!sample.problems.isEmpty)
  }
}
