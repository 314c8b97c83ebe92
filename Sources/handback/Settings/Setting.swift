internal import HandbackCore

/// Every setting there is: one list, each as a flag `--name`, an environment variable
/// `HANDBACK_NAME` and a line `HANDBACK_NAME=value` of the settings file.
enum Setting: Int {
  static var allCases: Cases<Setting> { Cases() }

  case server, caFile, journal, product
  case apiKeyFile, sharedKeyFile, bearerTokenFile, clientID, clientSecretFile, tokenURL
  case sealKeyFile
  case licenseKeyFile, username, passwordFile, idTokenFile, codeFile, customerAccountCode
  case redirectURI, licenseID, bundleCode, sdkVersion, consumptions
  case hardwareID, hardwareIDScheme, tpm, root
  case connectTimeout, timeout, rate, backoffBase, backoffCeiling, unsafePlainHTTP
  case firstTrySpread, metricsFile

  /// The flag without its dashes.
  var name: Literal { Self.names[rawValue] }

  static var names: Literals {
    """
    server\0ca-file\0journal\0product\0api-key-file\0shared-key-file\0bearer-token-file\0\
    client-id\0client-secret-file\0token-url\0seal-key-file\0license-key-file\0username\0\
    password-file\0id-token-file\0code-file\0customer-account-code\0redirect-uri\0\
    license-id\0bundle-code\0sdk-ver\0consumptions\0hardware-id\0scheme\0tpm\0root\0\
    connect-timeout\0timeout\0rate\0backoff-base\0backoff-ceiling\0unsafe-plain-http\0\
    first-try-spread\0metrics-file
    """
  }

  /// What the value is, and what it is for.
  var help: Literal { Self.helps[rawValue] }

  static var helps: Literals {
    """
    URL      the license server\0\
    FILE     certificates to trust (PEM) in place of the system's\0\
    FILE     the journal\0\
    CODE     the product's short code\0\
    FILE     the API key\0\
    FILE     the shared key that requests are signed with\0\
    FILE     a bearer token, in place of API key and shared key\0\
    ID       OAuth client, in place of API key and shared key\0\
    FILE     the OAuth client's secret\0\
    URL      the OAuth token address, in place of asking the server for it\0\
    FILE     the key that credentials are encrypted with in the journal\0\
    FILE     the license's key\0\
    NAME     the license's user\0\
    FILE     the user's password, where the product wants one\0\
    FILE     single sign-on: the access token\0\
    FILE     single sign-on: the authorization code\0\
    CODE     single sign-on: the customer account\0\
    URI      single sign-on: the redirect URI that goes with the code\0\
    NUMBER   this license only, where a user or product has several\0\
    CODE     the bundle that the product is part of\0\
    TEXT     sent as sdk_ver\0\
    NUMBER   added to total_consumptions; may be negative\0\
    ID       the value that the license was activated with\0\
    NAME     how the hardware ID is made; see 'handback help id'\0\
    yes|no   name the device by its TPM's key first; or where tpm2-tss finds the TPM\0\
    DIR      the device's tree, where it isn't /: a container's host, an image, a dump\0\
    SECONDS  to connect, TLS included\0\
    SECONDS  for one request and its answer\0\
    NUMBER   requests per second at most; 0 for no limit\0\
    SECONDS  longest first wait between tries; doubled each time\0\
    SECONDS  longest wait between tries\0\
    yes|no   allow http:// to other hosts than this one\0\
    SECONDS  agent: longest wait for the first try when the network is there\0\
    FILE     agent: figures for node_exporter's textfile collector
    """
  }

  var defaultValue: Literal? {
    switch self {
    case .server: "https://api.licensespring.com"
    case .sdkVersion: Version.sdkVersion
    case .tpm: "no"
    case .connectTimeout: "15"
    case .timeout: "60"
    case .rate: "10"
    case .backoffBase: "30"
    case .backoffCeiling: "3600"
    case .unsafePlainHTTP: "no"
    case .firstTrySpread: "0"
    default: nil
    }
  }

  /// Whether it says how requests are sent, and not what is sent.
  var isForSending: Bool {
    switch self {
    case .server, .caFile, .apiKeyFile, .sharedKeyFile, .bearerTokenFile, .clientID,
      .clientSecretFile, .tokenURL, .sealKeyFile, .connectTimeout, .timeout, .rate, .backoffBase,
      .backoffCeiling, .unsafePlainHTTP:
      true
    case .journal, .product, .licenseKeyFile, .username, .passwordFile, .idTokenFile, .codeFile,
      .customerAccountCode, .redirectURI, .licenseID, .bundleCode, .sdkVersion, .consumptions,
      .hardwareID, .hardwareIDScheme, .tpm, .root, .firstTrySpread, .metricsFile:
      false
    }
  }

  /// Whether it says how the hardware ID is made.
  var isForID: Bool {
    self == .hardwareID || self == .hardwareIDScheme || self == .tpm || self == .root
  }

  /// Whether it is the agent's alone.
  var isForAgent: Bool { self == .firstTrySpread || self == .metricsFile }

  /// The name below `$CREDENTIALS_DIRECTORY` (systemd's `LoadCredential=`), for secrets.
  var credentialName: Literal? {
    switch self {
    case .apiKeyFile: "api-key"
    case .sharedKeyFile: "shared-key"
    case .bearerTokenFile: "bearer-token"
    case .clientSecretFile: "client-secret"
    case .sealKeyFile: "seal-key"
    case .licenseKeyFile: "license-key"
    case .passwordFile: "password"
    case .idTokenFile: "id-token"
    case .codeFile: "code"
    default: nil
    }
  }

  /// `HANDBACK_LICENSE_KEY_FILE`.
  var variable: Text {
    var text: Text = "HANDBACK_"
    for byte in Text(name).bytes {
      let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      text.append(byte == UInt8(ascii: "-") ? UInt8(ascii: "_") : isLetter ? byte - 32 : byte)
    }
    return text
  }

  init?(variable: Text) {
    for setting in Self.allCases where setting.variable == variable {
      self = setting
      return
    }
    return nil
  }
}
