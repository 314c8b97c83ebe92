import HandbackCore

/// A license to give back, in plain values: `Deactivation` itself can't be copied, and a test
/// needs the same one many times.
public struct SampleLicense: Sendable, Equatable {
  public enum Way: Sendable, Equatable {
    case key(String)
    case user(String, password: String? = nil)
    case idToken(String, account: String)
    case code(String, account: String, redirectURI: String? = nil)
  }

  public var product: String
  public var hardwareID: String
  public var way: Way
  public var licenseID: Int64?
  public var bundleCode: String?
  public var sdkVersion: String?
  public var consumptions: Int64?

  public init(
    _ way: Way = .key("AAAA-BBBB-CCCC-DDDD"), product: String = "XY",
    hardwareID: String = "some-unique-id", licenseID: Int64? = nil, bundleCode: String? = nil,
    sdkVersion: String? = nil, consumptions: Int64? = nil
  ) {
    self.product = product
    self.hardwareID = hardwareID
    self.way = way
    self.licenseID = licenseID
    self.bundleCode = bundleCode
    self.sdkVersion = sdkVersion
    self.consumptions = consumptions
  }

  public func deactivation() -> Deactivation {
    guard let identifier = HardwareID(utf8: Array(hardwareID.utf8).span) else {
      preconditionFailure("a sample's hardware ID is refused")
    }
    return Deactivation(
      product: Self.field(.product, product), hardwareID: identifier, credential: credential(),
      details: DeactivationDetails(
        licenseID: licenseID, bundleCode: bundleCode.map { Self.field(.bundleCode, $0) },
        sdkVersion: sdkVersion.map { Self.field(.sdkVersion, $0) }, consumptions: consumptions))
  }

  private func credential() -> LicenseCredential {
    switch way {
    case .key(let key):
      return .key(Secret(key))
    case .user(let name, password: nil):
      return .user(Self.field(.username, name))
    case .user(let name, password: let password?):
      return .userWithPassword(
        PasswordLogin(name: Self.field(.username, name), password: Secret(password)))
    case .idToken(let token, let account):
      return .idToken(
        TokenGrant(
          token: Secret(token), customerAccountCode: Self.field(.customerAccountCode, account)))
    case .code(let code, let account, let redirectURI):
      return .code(
        CodeGrant(
          code: Secret(code), customerAccountCode: Self.field(.customerAccountCode, account),
          redirectURI: redirectURI.map { Self.field(.redirectURI, $0) }))
    }
  }

  /// The request's body as text.
  public var body: String { deactivation().body().copyBytes().text }

  public var fingerprint: [UInt8] { Array(deactivation().fingerprint()) }

  private static func field(_ field: Field, _ text: String) -> FieldText {
    guard let value = try? FieldText(field, utf8: Array(text.utf8).span) else {
      preconditionFailure("a sample's field is refused")
    }
    return value
  }
}
