import Foundation
import HandbackCore
import HandbackLinux
import TestSupport
import Testing

/// Journals that flash has damaged, opened by the real code.
///
/// After any damage to one of a journal's files every pending deactivation is still there and as
/// it was queued. Whatever is damaged, none is reported as done that isn't, and nothing is sent
/// that wasn't queued.
///
/// `HANDBACK_DAMAGES=50000` tries so many random ones, `HANDBACK_SEED` others.
struct DamageTests {
  @Test func `every byte of the header`() throws {
    let sample = try DamagedJournal()
    for file in [JournalFiles.main, .wal] {
      for offset in 0..<min(100, sample.bytes(file).count) {
        for mask in [0x01, 0x80, 0xFF] as [UInt8] {
          try sample.survives { files in files.change(file) { $0[offset] ^= mask } }
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
    try sample.survives { $0.contents[.copies] = nil }
    try sample.survives { files in
      files.contents[.main] = nil
      files.contents[.wal] = nil
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
      let file: JournalFiles.Name = [.main, .main, .wal, .copies].randomElement(using: &random)!
      let isDouble = random.once(in: 8)
      try sample.survives(isDouble ? .honest : .whole) { files in
        files.damage(file, using: &random)
        guard isDouble else { return }
        files.damage(file == .copies ? .main : .copies, using: &random)
      }
    }
    #expect(sample.problems == [], "seed \(seed), \(sample.counts)")
    if count >= 10_000 { print("\(count) damages, seed \(seed): \(sample.counts)") }
  }

  /// The machinery sees a loss: without second copies, damage to the journal loses rows.
  @Test func `sees what is lost without second copies`() throws {
    let sample = try DamagedJournal()
    for start in stride(from: 1024, to: sample.bytes(.main).count, by: 1024) {
      try sample.survives { files in
        files.contents[.copies] = nil
        files.change(.main) { bytes in for index in start..<(start + 1024) { bytes[index] = 0 } }
      }
    }
    #expect(!sample.problems.isEmpty)
  }
}
