internal import HandbackCore
internal import HandbackLinux

extension Settings {
  /// The secret whose file `setting` names; `nil` if none is named.
  func secret(_ setting: Setting) throws(Failure) -> Secret? {
    guard let path = self[setting] else { return nil }
    do throws(SecretFile.Failure) {
      return try SecretFile.read(path)
    } catch {
      throw failure(error, setting, path)
    }
  }

  private func failure(
    _ error: SecretFile.Failure, _ setting: Setting, _ path: Text
  ) -> Failure {
    let cause: Text
    var exit = ExitCode.dataError
    switch error {
    case .cannotOpen(let code), .cannotRead(let code):
      cause = Process.description(ofErrno: code)
      exit = .configuration
    case .notAFile:
      cause = "not a regular file"
      exit = .configuration
    case .reachableByOthers:
      return Failure(
        .configuration, "refusing \(path) (\(setting.name)): every user can read or write it",
        hint: "chmod 600 \(path), and replace the secret if others may have read it")
    case .tooLarge: cause = "larger than 16 KiB"
    case .empty: cause = "it is empty"
    case .notText: cause = "it holds a NUL byte"
    }
    return Failure(exit, "cannot read \(path) (\(setting.name)): \(cause)")
  }

  /// How requests are to be authorized; `nil` if nothing is set for that. Of the server's side, the
  /// file of authorities is looked at, as libcurl would take a missing one for the server's fault.
  func authorizer() throws(Failure) -> Authorizer? {
    if let path = self[.caFile] {
      let cause = FilePresence.cannotRead(path)
      if cause != 0 { throw failure(.cannotRead(errno: cause), .caFile, path) }
    }
    let way = try way()
    if way == .bearerTokenFile, let token = try secret(.bearerTokenFile) {
      guard token.withBytes({ BearerField.isToken($0) }) else {
        throw wrong(.bearerTokenFile, "names a file that holds no bearer token")
      }
      return .bearer(token.withBytes { BearerField.make($0) })
    }
    if way == .clientID { return try clientCredentials() }
    guard self[.apiKeyFile] != nil || self[.sharedKeyFile] != nil else { return nil }
    guard let apiKey = try secret(.apiKeyFile), let sharedKey = try secret(.sharedKeyFile) else {
      throw Failure(
        .configuration, "api-key-file and shared-key-file go together, and one is missing")
    }
    do throws(RequestSigner.KeyError) {
      return .signature(try RequestSigner(apiKey: apiKey, sharedKey: sharedKey))
    } catch {
      throw keyFailure(error)
    }
  }

  /// What seals credentials in the journal; `nil` if no key is set for that.
  func credentialCipher() throws(Failure) -> CredentialCipher? {
    guard let text = try secret(.sealKeyFile) else { return nil }
    guard let key = SealKey(hex: text) else {
      let problem = wrong(.sealKeyFile, "names a file that doesn't hold 64 hexadecimal digits")
      throw Failure(problem.exit, problem.message, hint: "make one with 'openssl rand -hex 32'")
    }
    guard let cipher = CredentialCipher(key) else {
      throw Failure(
        .configuration, "cannot encrypt: libcrypto.so.3 or libcrypto.so.1.1 is not on this system",
        hint: "install OpenSSL's library, or set no seal-key-file")
    }
    return cipher
  }

  private func clientCredentials() throws(Failure) -> Authorizer {
    guard let clientID = try field(.clientID, .username), let secret = try secret(.clientSecretFile)
    else {
      throw Failure(
        .configuration, "client-id and client-secret-file go together, and one is missing")
    }
    if let url = self[.tokenURL] {
      let isPlain = try flag(.unsafePlainHTTP)
      guard let parsed = ServerAddress(url, takesQuery: true),
        parsed.isEncrypted || parsed.isLoopback || isPlain
      else {
        throw wrong(.tokenURL, "must be an https:// address")
      }
      // libcurl is let speak plain HTTP only where the license server does.
      if !parsed.isEncrypted, try serverAddress().isEncrypted {
        throw wrong(.tokenURL, "must be an https:// address, as the server's is")
      }
    }
    return .clientCredentials(
      TokenKeeper(clientID: clientID, clientSecret: secret, tokenURL: self[.tokenURL]))
  }

  /// Two ways at once are a mistake in the settings, unless one is stronger by its source.
  private func way() throws(Failure) -> Setting? {
    let ways: [Setting] = [.bearerTokenFile, .clientID, .apiKeyFile]
    var best: Setting?
    var strongest = Int.max
    for way in ways {
      guard let source = value(way)?.source else { continue }
      if let best, source.rawValue == strongest, source != .credentials {
        throw Failure(
          .configuration,
          "\(best.name) and \(way.name) are both set: requests are authorized in one way",
          hint: "'handback settings' shows where each comes from")
      }
      if source.rawValue < strongest {
        best = way
        strongest = source.rawValue
      }
    }
    return best
  }

  private func keyFailure(_ error: RequestSigner.KeyError) -> Failure {
    switch error {
    case .emptySharedKey: wrong(.sharedKeyFile, "names an empty file")
    case .sharedKeyHoldsControlCharacter:
      wrong(.sharedKeyFile, "names a file whose key holds a control character or a line break")
    case .emptyAPIKey: wrong(.apiKeyFile, "names an empty file")
    case .apiKeyTooLong:
      wrong(.apiKeyFile, "names a file whose key is longer than 128 bytes")
    case .apiKeyHoldsForbiddenCharacter:
      wrong(
        .apiKeyFile,
        "names a file whose key holds a quote, a backslash, a space or a control character")
    }
  }

  /// A field of the License API from a setting; `nil` if it isn't set.
  func field(_ setting: Setting, _ field: Field) throws(Failure) -> FieldText? {
    guard let text = self[setting] else { return nil }
    do throws(FieldError) {
      return try FieldText(field, utf8: text.bytes.span)
    } catch {
      throw FieldProblem.failure(error, in: setting, of: self)
    }
  }
}

/// What is wrong with a field, in words.
enum FieldProblem {
  static func failure(_ error: FieldError, in setting: Setting, of settings: Settings) -> Failure {
    Failure(.dataError, settings.wrong(setting, words(error)).message)
  }

  static func words(_ error: FieldError) -> Text {
    switch error {
    case .empty: "is empty"
    case .tooLong(let field): "is longer than \(field.byteCountMax) bytes"
    case .controlCharacter: "holds a control character or a line break"
    case .notUTF8: "is not UTF-8"
    }
  }
}
