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
  var name: Literal {
    switch self {
    case .server: "server"
    case .caFile: "ca-file"
    case .journal: "journal"
    case .product: "product"
    case .apiKeyFile: "api-key-file"
    case .sharedKeyFile: "shared-key-file"
    case .bearerTokenFile: "bearer-token-file"
    case .clientID: "client-id"
    case .clientSecretFile: "client-secret-file"
    case .tokenURL: "token-url"
    case .sealKeyFile: "seal-key-file"
    case .licenseKeyFile: "license-key-file"
    case .username: "username"
    case .passwordFile: "password-file"
    case .idTokenFile: "id-token-file"
    case .codeFile: "code-file"
    case .customerAccountCode: "customer-account-code"
    case .redirectURI: "redirect-uri"
    case .licenseID: "license-id"
    case .bundleCode: "bundle-code"
    case .sdkVersion: "sdk-ver"
    case .consumptions: "consumptions"
    case .hardwareID: "hardware-id"
    case .hardwareIDScheme: "scheme"
    case .tpm: "tpm"
    case .root: "root"
    case .connectTimeout: "connect-timeout"
    case .timeout: "timeout"
    case .rate: "rate"
    case .backoffBase: "backoff-base"
    case .backoffCeiling: "backoff-ceiling"
    case .unsafePlainHTTP: "unsafe-plain-http"
    case .firstTrySpread: "first-try-spread"
    case .metricsFile: "metrics-file"
    }
  }

  /// What the value is, and what it is for.
  var help: Literal {
    switch self {
    case .server: "URL      the license server"
    case .caFile: "FILE     certificates to trust (PEM) in place of the system's"
    case .journal: "FILE     the journal"
    case .product: "CODE     the product's short code"
    case .apiKeyFile: "FILE     the API key"
    case .sharedKeyFile: "FILE     the shared key that requests are signed with"
    case .bearerTokenFile: "FILE     a bearer token, in place of API key and shared key"
    case .clientID: "ID       OAuth client, in place of API key and shared key"
    case .clientSecretFile: "FILE     the OAuth client's secret"
    case .tokenURL: "URL      the OAuth token address, in place of asking the server for it"
    case .sealKeyFile: "FILE     the key that credentials are encrypted with in the journal"
    case .licenseKeyFile: "FILE     the license's key"
    case .username: "NAME     the license's user"
    case .passwordFile: "FILE     the user's password, where the product wants one"
    case .idTokenFile: "FILE     single sign-on: the access token"
    case .codeFile: "FILE     single sign-on: the authorization code"
    case .customerAccountCode: "CODE     single sign-on: the customer account"
    case .redirectURI: "URI      single sign-on: the redirect URI that goes with the code"
    case .licenseID: "NUMBER   this license only, where a user or product has several"
    case .bundleCode: "CODE     the bundle that the product is part of"
    case .sdkVersion: "TEXT     sent as sdk_ver"
    case .consumptions: "NUMBER   added to total_consumptions; may be negative"
    case .hardwareID: "ID       the value that the license was activated with"
    case .hardwareIDScheme: "NAME     how the hardware ID is made; see 'handback help id'"
    case .tpm: "yes|no   name the device by its TPM's key first; or where tpm2-tss finds the TPM"
    case .root: "DIR      the device's tree, where it isn't /: a container's host, an image, a dump"
    case .connectTimeout: "SECONDS  to connect, TLS included"
    case .timeout: "SECONDS  for one request and its answer"
    case .rate: "NUMBER   requests per second at most; 0 for no limit"
    case .backoffBase: "SECONDS  longest first wait between tries; doubled each time"
    case .backoffCeiling: "SECONDS  longest wait between tries"
    case .unsafePlainHTTP: "yes|no   allow http:// to other hosts than this one"
    case .firstTrySpread: "SECONDS  agent: longest wait for the first try when the network is there"
    case .metricsFile: "FILE     agent: figures for node_exporter's textfile collector"
    }
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
