internal import HandbackCore

/// Reads a row's columns back into the core's types, with every check that queueing makes.
enum DeactivationRow {
  /// `nil` if the columns make none.
  static func read(
    _ statement: borrowing SQLiteStatement, _ sealing: SQLiteJournal.Sealing
  ) throws(SealProblem) -> Deactivation? {
    guard let product = field(.product, statement, RowColumn.product),
      let hardwareID = statement.withText(RowColumn.hardwareID, { HardwareID(utf8: $0) }) ?? nil
    else { return nil }
    guard let credential = try credential(statement, sealing) else { return nil }
    let details = DeactivationDetails(
      licenseID: statement.integerOrNil(RowColumn.licenseID),
      bundleCode: field(.bundleCode, statement, RowColumn.bundleCode),
      sdkVersion: field(.sdkVersion, statement, RowColumn.sdkVersion),
      consumptions: statement.integerOrNil(RowColumn.consumptions))
    return Deactivation(
      product: product, hardwareID: hardwareID, credential: credential, details: details)
  }

  private static func credential(
    _ statement: borrowing SQLiteStatement, _ sealing: SQLiteJournal.Sealing
  ) throws(SealProblem) -> LicenseCredential? {
    let username = field(.username, statement, RowColumn.username)
    let account = field(.customerAccountCode, statement, RowColumn.customerAccountCode)
    guard let way = LicenseWay(rawValue: Int(clamping: statement.integer(RowColumn.way))) else {
      return nil
    }
    guard let secret = try secret(statement, sealing) else {
      if way == .user, let username { return .user(username) }
      return nil
    }
    switch way {
    case .key:
      return .key(secret)
    case .user:
      guard let username else { return nil }
      return .userWithPassword(PasswordLogin(name: username, password: secret))
    case .idToken:
      guard let account else { return nil }
      return .idToken(TokenGrant(token: secret, customerAccountCode: account))
    case .code:
      guard let account else { return nil }
      let redirectURI = field(.redirectURI, statement, RowColumn.redirectURI)
      return .code(
        CodeGrant(code: secret, customerAccountCode: account, redirectURI: redirectURI))
    }
  }

  private static func secret(
    _ statement: borrowing SQLiteStatement, _ sealing: SQLiteJournal.Sealing
  ) throws(SealProblem) -> Secret? {
    guard let sealed = statement.sealedSecret else {
      return statement.withText(RowColumn.secret) { Secret(copying: $0) }
    }
    guard case .key(let cipher) = sealing else { throw .keyMissing }
    guard let row = try? statement.sealedRow() else { throw .broken }
    return try cipher.open(sealed, for: row)
  }

  /// `nil` if the column is null, or holds what the field can't.
  private static func field(
    _ field: Field, _ statement: borrowing SQLiteStatement, _ column: Int32
  ) -> FieldText? {
    statement.withText(column) { bytes in try? FieldText(field, utf8: bytes) } ?? nil
  }

  /// How long the row still waits, in milliseconds; 0 without a wait.
  @inline(never)
  static func waitLeft(
    _ statement: borrowing SQLiteStatement, from first: Int32, at now: Moment
  ) -> Int64 {
    wait(statement, from: first)?.millisecondsLeft(at: now) ?? 0
  }

  static func wait(_ statement: borrowing SQLiteStatement, from first: Int32) -> Wait? {
    guard let milliseconds = statement.integerOrNil(first) else { return nil }
    return Wait(
      milliseconds: milliseconds, endBootMilliseconds: statement.integer(first + 1),
      bootID: statement.integer(first + 2))
  }
}
