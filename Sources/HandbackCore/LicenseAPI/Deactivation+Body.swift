extension Deactivation {
  /// No body can be longer: every field at its limit, each byte escaped as six.
  static let bodyByteCountMax = 128 * 1024

  /// The request's body, a JSON object. It holds the credential, so it is wiped on release.
  public func body() -> Secret {
    var writer = JSONWriter(byteCountMax: Self.bodyByteCountMax)
    writer.begin()
    writer.member("product", product.text)
    if let bundleCode = details.bundleCode { writer.member("bundle_code", bundleCode.text) }
    writer.member("hardware_id", hardwareID.text)
    switch credential {
    case .key(let key):
      writer.member("license_key", key)
    case .user(let name):
      writer.member("username", name.text)
    case .userWithPassword(let login):
      writer.member("username", login.name.text)
      writer.member("password", login.password)
    case .idToken(let grant):
      writer.member("customer_account_code", grant.customerAccountCode.text)
      writer.member("id_token", grant.token)
    case .code(let grant):
      writer.member("customer_account_code", grant.customerAccountCode.text)
      writer.member("code", grant.code)
      if let redirectURI = grant.redirectURI {
        writer.member("redirect_uri", redirectURI.text)
      }
    }
    if let licenseID = details.licenseID { writer.member("license_id", licenseID) }
    if let sdkVersion = details.sdkVersion { writer.member("sdk_ver", sdkVersion.text) }
    if let consumptions = details.consumptions { writer.member("consumptions", consumptions) }
    return writer.end()
  }

  /// What makes two requests the same license on the same device: a digest over product, bundle,
  /// the credential's identity, `license_id` and hardware ID. It is kept while the row is pending.
  ///
  /// A password may change and an access token is short-lived, so the user's name stands for the
  /// one and the token's `sub` (RFC 7519, 4.1.2), where it can be read, for the other.
  public func fingerprint() -> InlineArray<16, UInt8> {
    var hasher = LabelledHasher()
    hasher.add("handback deactivation 1" as Literal)
    hasher.add(product.text)
    hasher.add(hardwareID.text)
    hasher.add(credential.way.name)
    switch credential {
    case .key(let key):
      hasher.add(key)
    case .user(let name):
      hasher.add(name.text)
    case .userWithPassword(let login):
      hasher.add(login.name.text)
    case .idToken(let grant):
      hasher.add(grant.customerAccountCode.text)
      hasher.addIdentity(ofToken: grant.token)
    case .code(let grant):
      hasher.add(grant.customerAccountCode.text)
      hasher.add(grant.code)
    }
    hasher.add(details.licenseID ?? 0)
    if let bundleCode = details.bundleCode { hasher.add(bundleCode.text) }
    return hasher.finalize()
  }
}

/// Hashes fields each behind its length, so that no two lists of fields give one message.
struct LabelledHasher: ~Copyable {
  private var hasher = SHA256()

  mutating func add(_ bytes: Span<UInt8>) {
    add(Int64(bytes.count))
    hasher.update(bytes)
  }

  mutating func add(_ secret: borrowing Secret) {
    secret.withBytes { bytes in add(bytes) }
  }

  mutating func addIdentity(ofToken token: borrowing Secret) {
    if let subject = token.withBytes({ bytes in WebToken(bytes)?.subject }) {
      add(subject.span)
    } else {
      add(token)
    }
  }

  mutating func add(_ text: Text) { add(text.bytes.span) }

  mutating func add(_ text: Literal) {
    add(Int64(text.byteCount))
    hasher.update(text)
  }

  mutating func add(_ number: Int64) {
    var bytes = InlineArray<8, UInt8>(repeating: 0)
    for index in 0..<8 {
      bytes[index] = UInt8(truncatingIfNeeded: number >> Int64(56 - 8 * index))
    }
    hasher.update(bytes.span)
  }

  consuming func finalize() -> InlineArray<16, UInt8> {
    let digest = hasher.finalize()
    var half = InlineArray<16, UInt8>(repeating: 0)
    for index in 0..<16 { half[index] = digest[index] }
    return half
  }
}
