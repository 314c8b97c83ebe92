/// How a request names the license: exactly one of the License API's four ways.
///
/// Source: the page "Deactivate License (Online Method)", section "License Authorization Method".
public enum LicenseCredential: ~Copyable {
  /// A key-based product's `license_key`.
  case key(Secret)
  /// A user-based product's `username`, as the official client sends it.
  case user(FieldText)
  /// The same with a `password`, "when applicable".
  case userWithPassword(PasswordLogin)
  /// Single sign-on, implicit grant.
  case idToken(TokenGrant)
  /// Single sign-on, authorization code grant.
  case code(CodeGrant)
}

/// A license user's name and password.
public final class PasswordLogin {
  public let name: FieldText
  public let password: Secret

  public init(name: FieldText, password: consuming Secret) {
    self.name = name
    self.password = password
  }
}

/// `id_token`, which holds the access token, and the account that the provider is set up for.
public final class TokenGrant {
  public let token: Secret
  public let customerAccountCode: FieldText

  public init(token: consuming Secret, customerAccountCode: FieldText) {
    self.token = token
    self.customerAccountCode = customerAccountCode
  }
}

/// An authorization `code`, its account, and the `redirect_uri` that may go with it.
public final class CodeGrant {
  public let code: Secret
  public let customerAccountCode: FieldText
  public let redirectURI: FieldText?

  public init(
    code: consuming Secret, customerAccountCode: FieldText, redirectURI: FieldText?
  ) {
    self.code = code
    self.customerAccountCode = customerAccountCode
    self.redirectURI = redirectURI
  }
}

/// The four ways by name, as the journal and the output know them.
public enum LicenseWay: Int, Sendable {
  case key, user, idToken, code

  public var name: Literal {
    switch self {
    case .key: "license_key"
    case .user: "username"
    case .idToken: "id_token"
    case .code: "code"
    }
  }

  /// The field that holds the way's secret.
  public var secretField: Field {
    switch self {
    case .key: .licenseKey
    case .user: .password
    case .idToken: .idToken
    case .code: .code
    }
  }
}

extension LicenseCredential {
  public var way: LicenseWay {
    switch self {
    case .key: .key
    case .user: .user
    case .userWithPassword: .user
    case .idToken: .idToken
    case .code: .code
    }
  }

  /// What of it is secret, for as long as `body` runs; `nil` if nothing is.
  public borrowing func withSecret<Result, Failure: Error>(
    _ body: (borrowing Secret) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    switch self {
    case .key(let key): try body(key)
    case .user: nil
    case .userWithPassword(let login): try body(login.password)
    case .idToken(let grant): try body(grant.token)
    case .code(let grant): try body(grant.code)
    }
  }
}

/// One license to be given back for one device: the body of `POST /api/v4/deactivate_license`.
///
/// A class: its 20 words, moved and released field by field at every call that may fail, were
/// 3 KB of code.
public final class Deactivation {
  public let product: FieldText
  public let hardwareID: HardwareID
  public let credential: LicenseCredential
  public let details: DeactivationDetails

  public init(
    product: FieldText, hardwareID: HardwareID, credential: consuming LicenseCredential,
    details: DeactivationDetails
  ) {
    self.product = product
    self.hardwareID = hardwareID
    self.credential = credential
    self.details = details
  }
}

/// The optional fields of a deactivation.
public struct DeactivationDetails: Sendable {
  /// `license_id`: restricts the action to one license. 51 bits were seen, so never a `Double`.
  public var licenseID: Int64?
  public var bundleCode: FieldText?
  public var sdkVersion: FieldText?
  /// `consumptions`: "Increases/decreases total_consumptions".
  public var consumptions: Int64?

  public init(
    licenseID: Int64? = nil, bundleCode: FieldText? = nil, sdkVersion: FieldText? = nil,
    consumptions: Int64? = nil
  ) {
    self.licenseID = licenseID
    self.bundleCode = bundleCode
    self.sdkVersion = sdkVersion
    self.consumptions = consumptions
  }
}
