internal import CSQLite
public import HandbackCore

extension SQLiteJournal: IdentityStore {
  public func recordCount() throws(JournalError) -> Int {
    Int(try integer("SELECT count(*) FROM identity"))
  }

  public func record(at index: Int) throws(JournalError) -> IdentityRecord? {
    try readRecord(at: index)
  }

  /// The record in force, if there is one.
  public func pinnedRecord() throws(JournalError) -> IdentityRecord? {
    let count = Int(try integer("SELECT count(*) FROM identity"))
    return count > 0 ? try readRecord(at: count - 1) : nil
  }

  private func readRecord(at index: Int) throws(JournalError) -> IdentityRecord? {
    if let record = try read(at: index) { return record }
    guard Int(try integer("SELECT count(*) FROM identity")) > index else { return nil }
    // It is there, and damaged: its second copy may not be.
    try check()
    guard let record = try read(at: index) else { throw JournalError(.damagedIdentity) }
    return record
  }

  private func read(at index: Int) throws(JournalError) -> IdentityRecord? {
    var statement = try connection.prepare(
      "SELECT * FROM identity ORDER BY number LIMIT 1 OFFSET ?1")
    try statement.bind(Int64(index))
    guard try statement.step(), try isOlder ? true : statement.isSealed else { return nil }
    return Self.record(statement)
  }

  private static func record(_ statement: borrowing SQLiteStatement) -> IdentityRecord? {
    guard let id = statement.withText(1, { HardwareID(utf8: $0) }) ?? nil,
      let scheme = HardwareIDScheme(rawValue: .init(truncatingIfNeeded: statement.integer(2))),
      let idClass = HardwareIDClass(rawValue: .init(truncatingIfNeeded: statement.integer(3))),
      let platform = Platform(rawValue: .init(truncatingIfNeeded: statement.integer(4))),
      let components = statement.withText(6, { ComponentTokens(encoded: $0) }) ?? nil,
      let reason = statement.text(8)
    else { return nil }
    return IdentityRecord(
      id: id, scheme: scheme, idClass: idClass, platform: platform,
      rulesDate: statement.integer(5), components: components,
      pinnedAtEpochSeconds: statement.integer(7), reason: reason)
  }

  public func append(
    _ record: IdentityRecord, after count: Int
  ) throws(JournalError) -> Bool {
    var place: Int64?
    do throws(JournalError) {
      return try append(record, after: count, &place)
    } catch {
      // What failed must not come back, after a power cut neither.
      if let place {
        copies?.erase([place])
        copies?.sync()
      }
      throw error
    }
  }

  private func append(
    _ record: IdentityRecord, after count: Int, _ place: inout Int64?
  ) throws(JournalError) -> Bool {
    // A full disk's reserve is not for it: it is kept for what was accepted.
    try transaction(isAccepting: true) { () throws(JournalError) in
      guard try connection.integer("SELECT count(*) FROM identity") == Int64(count) else {
        return false
      }
      var statement = try connection.prepare(
        """
        INSERT INTO identity (id, scheme, class, platform, rules, components, pinned_at, reason)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """)
      try statement.bind(record.id.text)
      try statement.bind(Int64(record.scheme.rawValue))
      try statement.bind(Int64(record.idClass.rawValue))
      try statement.bind(Int64(record.platform.rawValue))
      try statement.bind(record.rulesDate)
      try statement.bind(record.components.encoded())
      try statement.bind(record.pinnedAtEpochSeconds)
      try statement.bind(record.reason)
      try statement.run()
      place = try copies?.append(try connection.seal(.identity, connection.lastInsertedRow), nil)
      return true
    }
  }
}
