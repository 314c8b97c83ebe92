internal import HandbackCore
internal import HandbackLinux

/// A deactivation but for the hardware ID: read and checked before anything is written.
///
/// A class: until the hardware ID is known, every call may fail, and at each exit its credential
/// would be released in place.
final class LicenseInput {
  private let product: FieldText
  private var credential: LicenseCredential?
  private let details: DeactivationDetails

  init(
    product: FieldText, credential: consuming LicenseCredential, details: DeactivationDetails
  ) {
    self.product = product
    self.credential = consume credential
    self.details = details
  }

  /// Hands its credential over, so once.
  func deactivation(on hardwareID: HardwareID) -> Deactivation {
    guard let credential = credential.take() else { preconditionFailure("it was handed over") }
    return Deactivation(
      product: product, hardwareID: hardwareID, credential: credential, details: details)
  }
}

extension Settings {
  func licenseInput() throws(Failure) -> LicenseInput {
    guard let product = try field(.product, .product) else {
      throw Failure(.usage, "no product is named", hint: "use --product CODE")
    }
    // 51 bits were seen; anything that 63 bits hold is passed on as it is.
    let licenseID = try integer(.licenseID, 1...Int64.max)
    let consumptions = try integer(.consumptions, (Int64.min + 1)...Int64.max)
    let details = DeactivationDetails(
      licenseID: licenseID, bundleCode: try field(.bundleCode, .bundleCode),
      sdkVersion: try field(.sdkVersion, .sdkVersion), consumptions: consumptions)
    return LicenseInput(product: product, credential: try credential(), details: details)
  }

  /// Which of the four ways the settings take. A stronger source's way hides a weaker one's: a
  /// flag may name a user where the settings file names a key.
  private func way() throws(Failure) -> LicenseWay {
    let naming: [(Setting, LicenseWay)] = [
      (.licenseKeyFile, .key), (.username, .user), (.idTokenFile, .idToken), (.codeFile, .code),
    ]
    var best: (source: Settings.Source, way: LicenseWay)?
    for (setting, way) in naming {
      guard let value = value(setting) else { continue }
      if let best, best.source == value.source {
        throw Failure(
          value.source == .flag ? .usage : .configuration,
          "\(best.way.name) and \(way.name) are both given: a license is named in one way")
      }
      if best.map({ value.source.rawValue < $0.source.rawValue }) ?? true {
        best = (value.source, way)
      }
    }
    guard let best else {
      throw Failure(
        .usage, "no license is named",
        hint: """
          use --license-key-file FILE (- for standard input) or --username NAME; \
          'handback help deactivate' shows all ways
          """)
    }
    return best.way
  }

  private func credential() throws(Failure) -> LicenseCredential {
    switch try way() {
    case .key:
      return .key(try checked(.licenseKeyFile, .licenseKey))
    case .user:
      guard let name = try field(.username, .username) else { preconditionFailure("way is user") }
      guard self[.passwordFile] != nil else { return .user(name) }
      return .userWithPassword(
        PasswordLogin(name: name, password: try checked(.passwordFile, .password)))
    case .idToken:
      let token = try checked(.idTokenFile, .idToken)
      return .idToken(TokenGrant(token: token, customerAccountCode: try account()))
    case .code:
      let code = try checked(.codeFile, .code)
      return .code(
        CodeGrant(
          code: code, customerAccountCode: try account(),
          redirectURI: try field(.redirectURI, .redirectURI)))
    }
  }

  private func account() throws(Failure) -> FieldText {
    guard let account = try field(.customerAccountCode, .customerAccountCode) else {
      throw Failure(
        .usage, "no customer account is named", hint: "use --customer-account-code CODE")
    }
    return account
  }

  private func checked(_ setting: Setting, _ field: Field) throws(Failure) -> Secret {
    guard let secret = try secret(setting) else { preconditionFailure("the way names its file") }
    let problem = secret.withBytes { bytes -> FieldError? in
      do throws(FieldError) {
        try FieldText.check(field, bytes)
        return nil
      } catch {
        return error
      }
    }
    if let problem {
      throw Failure(
        .dataError, "the \(field.name) in \(self[setting] ?? "-") \(FieldProblem.words(problem))")
    }
    return secret
  }
}
