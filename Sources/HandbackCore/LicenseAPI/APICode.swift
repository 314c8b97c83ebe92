/// The error codes of the License API, and what each concerns.
///
/// Source: the pages "Deactivate License (Online Method)" and "License API Authorization".
public enum APICode: Int, Sendable {
  public static var allCases: Cases<APICode> { Cases() }

  case unknownProduct, licenseNotFound, licenseNotEnabled, licenseExpired, blacklisted
  case vmNotAllowed, offlineFloatingCloudNotSupported, licenseStartDateError
  case licenseActivatedMaxTimes, licenseUserActivatedMaxTimes, licenseTransferredMaxTimes
  case licenseDeviceExists
  case deviceNotFound, licenseNotActive
  case dateHeaderDiff
  case missingHeaders, authorizationInvalidHeaders, authorizationMissingParams, hmacRequired
  case signatureMismatch, invalidAPIKey, revokedAPIKey, readOnlyAPIKey
  case validationError, missingParameters, invalidJSON, notFound
  case oauthTokenExpired, oauthTokenMalformed
  case internalError

  /// What an error is about, and so who can cure it.
  public enum Concern: Sendable {
    /// This license: the server will not do it, today or tomorrow.
    case license
    /// There is nothing to deactivate, or no longer.
    case gone
    case clock
    /// The keys or headers of this agent: every request would be refused alike.
    case credentials
    /// The address or the path.
    case address
    /// This one request's form.
    case request
    case token
    case later
  }

  public init?(utf8 bytes: Span<UInt8>) {
    for code in Self.allCases where matches(code.name, bytes) {
      self = code
      return
    }
    return nil
  }

  public var name: Literal {
    switch self {
    case .unknownProduct: "unknown_product"
    case .licenseNotFound: "license_not_found"
    case .licenseNotEnabled: "license_not_enabled"
    case .licenseExpired: "license_expired"
    case .blacklisted: "blacklisted"
    case .vmNotAllowed: "vm_not_allowed"
    case .offlineFloatingCloudNotSupported: "offline_floating_cloud_not_supported"
    case .licenseStartDateError: "license_start_date_error"
    case .licenseActivatedMaxTimes: "license_activated_max_times"
    case .licenseUserActivatedMaxTimes: "license_user_activated_max_times"
    case .licenseTransferredMaxTimes: "license_transferred_max_times"
    case .licenseDeviceExists: "license_device_exists"
    case .deviceNotFound: "device_not_found"
    case .licenseNotActive: "license_not_active"
    case .dateHeaderDiff: "date_header_diff"
    case .missingHeaders: "missing_headers"
    case .authorizationInvalidHeaders: "authorization_invalid_headers"
    case .authorizationMissingParams: "authorization_missing_params"
    case .hmacRequired: "hmac_required"
    case .signatureMismatch: "signature_mismatch"
    case .invalidAPIKey: "invalid_api_key"
    case .revokedAPIKey: "revoked_api_key"
    case .readOnlyAPIKey: "read_only_api_key"
    case .validationError: "validation_error"
    case .missingParameters: "missing_parameters"
    case .invalidJSON: "invalid_json"
    case .notFound: "not_found"
    case .oauthTokenExpired: "oauth_token_expired"
    case .oauthTokenMalformed: "oauth_token_malformed"
    case .internalError: "internal_error"
    }
  }

  public var concern: Concern {
    switch self {
    case .unknownProduct, .licenseNotFound, .licenseNotEnabled, .licenseExpired, .blacklisted,
      .vmNotAllowed, .offlineFloatingCloudNotSupported, .licenseStartDateError,
      .licenseActivatedMaxTimes, .licenseUserActivatedMaxTimes, .licenseTransferredMaxTimes,
      .licenseDeviceExists:
      .license
    case .deviceNotFound, .licenseNotActive: .gone
    case .dateHeaderDiff: .clock
    case .missingHeaders, .authorizationInvalidHeaders, .authorizationMissingParams,
      .hmacRequired, .signatureMismatch, .invalidAPIKey, .revokedAPIKey, .readOnlyAPIKey:
      .credentials
    case .notFound: .address
    case .validationError, .missingParameters, .invalidJSON: .request
    case .oauthTokenExpired, .oauthTokenMalformed: .token
    case .internalError: .later
    }
  }
}
