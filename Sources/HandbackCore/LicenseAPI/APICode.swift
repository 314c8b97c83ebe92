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

  public var name: Literal { Self.names[rawValue] }

  static var names: Literals {
    """
    unknown_product\0license_not_found\0license_not_enabled\0license_expired\0blacklisted\0\
    vm_not_allowed\0offline_floating_cloud_not_supported\0license_start_date_error\0\
    license_activated_max_times\0license_user_activated_max_times\0license_transferred_max_times\0\
    license_device_exists\0device_not_found\0license_not_active\0date_header_diff\0\
    missing_headers\0authorization_invalid_headers\0authorization_missing_params\0hmac_required\0\
    signature_mismatch\0invalid_api_key\0revoked_api_key\0read_only_api_key\0validation_error\0\
    missing_parameters\0invalid_json\0not_found\0oauth_token_expired\0oauth_token_malformed\0\
    internal_error
    """
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
