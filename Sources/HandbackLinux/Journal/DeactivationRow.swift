internal import HandbackCore

/// Reads a row's columns back into the core's types, with every check that queueing makes: a row
/// that flash or a stranger changed is not sent.
enum DeactivationRow {
  /// Columns from `first`: product, hardware_id, way, secret, username, customer_account_code,
  /// redirect_uri, license_id, bundle_code, sdk_ver, consumptions. `nil` if they make none.
  static func read(_ statement: borrowing SQLiteStatement, from first: Int32) -> Deactivation? {
    guard let product = field(.product, statement, first),
      let hardwareID = statement.withText(first + 1, { HardwareID(utf8: $0) }) ?? nil
    else { return nil }
    guard let credential = credential(statement, from: first + 2) else { return nil }
    let details = DeactivationDetails(
      licenseID: statement.integerOrNil(first + 7),
      bundleCode: field(.bundleCode, statement, first + 8),
      sdkVersion: field(.sdkVersion, statement, first + 9),
      consumptions: statement.integerOrNil(first + 10))
    return Deactivation(
      product: product, hardwareID: hardwareID, credential: credential, details: details)
  }

  private static func credential(
    _ statement: borrowing SQLiteStatement, from first: Int32
  ) -> LicenseCredential? {
    let username = field(.username, statement, first + 2)
    let account = field(.customerAccountCode, statement, first + 3)
    guard let way = LicenseWay(rawValue: Int(statement.integer(first))) else { return nil }
    guard let secret = statement.withText(first + 1, { Secret(copying: $0) }) else {
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
      let redirectURI = field(.redirectURI, statement, first + 4)
      return .code(
        CodeGrant(code: secret, customerAccountCode: account, redirectURI: redirectURI))
    }
  }

  /// `nil` if the column is null, or holds what the field can't.
  private static func field(
    _ field: Field, _ statement: borrowing SQLiteStatement, _ column: Int32
  ) -> FieldText? {
    statement.withText(column) { bytes in try? FieldText(field, utf8: bytes) } ?? nil
  }

  static func wait(_ statement: borrowing SQLiteStatement, from first: Int32) -> Wait? {
    guard let milliseconds = statement.integerOrNil(first) else { return nil }
    return Wait(
      milliseconds: milliseconds, endBootMilliseconds: statement.integer(first + 1),
      bootID: statement.integer(first + 2))
  }
}
