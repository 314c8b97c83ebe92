internal import CSQLite
internal import HandbackCore

/// The journal's tables. Each row's first column is its number, and its last the seal: a check
/// value over all the others (`RowImage.seal`), made anew in the transaction that changes the row.
enum SealedTable {
  case deactivation, identity, server

  /// The first row behind ?1.
  var select: Literal {
    switch self {
    case .deactivation:
      """
      SELECT * FROM deactivation WHERE row > ?1 AND (state = 0 OR state >= ?2) ORDER BY row LIMIT 1
      """
    case .identity: "SELECT * FROM identity WHERE number > ?1 ORDER BY number LIMIT 1"
    case .server: "SELECT * FROM server WHERE id > ?1 ORDER BY id LIMIT 1"
    }
  }

  /// Whether its rows have second copies: those of deactivations while they are pending.
  var isCopied: Bool { self != .server }

  var setSeal: Literal {
    switch self {
    case .deactivation: "UPDATE deactivation SET seal = ?1 WHERE row = ?2"
    case .identity: "UPDATE identity SET seal = ?1 WHERE number = ?2"
    case .server: "UPDATE server SET seal = ?1 WHERE id = ?2"
    }
  }

  /// Puts a row as an image has it where none has its number, or a pin in the place of one.
  var insert: Literal {
    switch self {
    case .deactivation:
      """
      INSERT INTO deactivation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, \
      ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)
      """
    case .identity: "INSERT OR REPLACE INTO identity VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)"
    case .server:
      "INSERT OR REPLACE INTO server VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)"
    }
  }
}

/// The columns of a deactivation's row.
enum RowColumn {
  static let row: Int32 = 0
  static let nonce: Int32 = 1
  static let state: Int32 = 2
  static let fingerprint: Int32 = 3
  static let product: Int32 = 4
  static let hardwareID: Int32 = 5
  static let way: Int32 = 6
  static let secret: Int32 = 7
  static let username: Int32 = 8
  static let customerAccountCode: Int32 = 9
  static let redirectURI: Int32 = 10
  static let licenseID: Int32 = 11
  static let bundleCode: Int32 = 12
  static let sdkVersion: Int32 = 13
  static let consumptions: Int32 = 14
  static let queuedAt: Int32 = 15
  static let attempts: Int32 = 16
  static let openAttempts: Int32 = 17
  static let failures: Int32 = 18
  static let held: Int32 = 19
  static let wait: Int32 = 20
  static let lastAt: Int32 = 23
  static let lastStatus: Int32 = 24
  static let lastCode: Int32 = 25
  static let lastMessage: Int32 = 26
  static let endedAt: Int32 = 27
  static let inferred: Int32 = 28
  static let licenseSignature: Int32 = 29
  static let restored: Int32 = 30
}

extension SQLiteStatement {
  /// Whether the row in hand is as it was written. One of an older format has no seal, and is
  /// only read; it is sealed when it is brought to this one.
  var isSealed: Bool {
    get throws(JournalError) {
      hasSeal(RowImage.seal(try image(columnCount: columnCount - 1)))
    }
  }

  /// The last column.
  var seal: InlineArray<16, UInt8> { block(columnCount - 1) }

  func hasSeal(_ seal: InlineArray<16, UInt8>) -> Bool { isEqual(columnCount - 1, to: seal) }

  /// The secret, if it is sealed with a key (`SealKey`).
  var sealedSecret: Text? {
    let isSealed = withText(RowColumn.secret) { $0.count > 1 && min($0[0], $0[1]) < 0x20 }
    return isSealed == true ? text(RowColumn.secret) : nil
  }

  /// What of the row a sealed secret is bound to.
  borrowing func sealedRow() throws(JournalError) -> Secret {
    let unbound: Int32 = 1 << RowColumn.state | 1 << RowColumn.fingerprint | 1 << RowColumn.secret
    return try image(columnCount: RowColumn.consumptions + 1, without: unbound)
  }

  var isPending: Bool { integer(RowColumn.state) == 0 }

  var ticket: Ticket {
    Ticket(
      row: integer(RowColumn.row), nonce: UInt32(truncatingIfNeeded: integer(RowColumn.nonce)))
  }
}

extension SQLiteStatement {
  /// Steps to a row behind `number`. In a damaged file the order may be wrong: nobody must go
  /// round in circles.
  mutating func steps(past number: Int64) throws(JournalError) -> Bool {
    guard try step() else { return false }
    return integer(0) > number
  }

  mutating func stepsTo(_ number: Int64) throws(JournalError) -> Bool {
    guard try step() else { return false }
    return integer(0) == number
  }
}

extension SQLiteConnection {
  /// The first row behind `number`, to be stepped to; of deactivations the first that is pending,
  /// or in a state from `state` on.
  borrowing func select(
    _ table: SealedTable, after number: Int64, state: Int64 = 0
  ) throws(JournalError) -> SQLiteStatement {
    var statement = try prepare(table.select)
    try statement.bind(number)
    if case .deactivation = table { try statement.bind(state) }
    return statement
  }

  borrowing func selectPending(after row: Int64) throws(JournalError) -> SQLiteStatement {
    try select(.deactivation, after: row, state: .max)
  }

  /// Seals a row anew, in the transaction that changed it; its image. If the row can't be found
  /// again, the tree is damaged, or the table's text, and not the row alone.
  @discardableResult
  borrowing func seal(_ table: SealedTable, _ number: Int64) throws(JournalError) -> Secret {
    var statement = try select(table, after: number - 1)
    guard try statement.stepsTo(number) else { throw JournalError.misplacedRow() }
    let image = try statement.image(columnCount: statement.columnCount - 1)
    statement.reset()
    var update = try prepare(table.setSeal)
    try update.bind(RowImage.seal(image))
    try update.bind(number)
    try update.run()
    guard changedRowCount == 1 else { throw JournalError.misplacedRow() }
    return image
  }

  /// Puts a row back as an image has it.
  borrowing func insert(
    _ table: SealedTable, _ image: borrowing Secret, _ number: Int64
  ) throws(JournalError) {
    var statement = try prepare(table.insert)
    try statement.bind(image: image)
    try statement.run()
    try seal(table, number)
  }
}
