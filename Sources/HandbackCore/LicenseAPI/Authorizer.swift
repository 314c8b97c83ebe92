/// How requests prove who sends them.
///
/// Source: the page "License API Authorization". `Date` is sent with each of them.
public enum Authorizer: ~Copyable {
  /// API key and shared key.
  case signature(RequestSigner)
  /// A token that somebody else keeps fresh in a file.
  case bearer(Secret)
  /// OAuth client credentials: the token is fetched, kept in memory, and never written down.
  case clientCredentials(TokenKeeper)
}

/// An access token of the client credentials grant (RFC 6749, section 4.4) and how to get it.
///
/// A class, since a payload of a noncopyable enum can't be changed in place.
public final class TokenKeeper {
  let clientID: FieldText
  let clientSecret: Secret
  /// From the settings; else the License API is asked.
  var tokenURL: Text?
  private var field: Secret?
  private var endBootMilliseconds: Int64 = 0

  public init(clientID: FieldText, clientSecret: consuming Secret, tokenURL: Text?) {
    self.clientID = clientID
    self.clientSecret = clientSecret
    self.tokenURL = tokenURL
  }

  /// The token is used until `expires_in` less this: it must not expire on its way.
  static let marginMilliseconds: Int64 = 5000
  static let tokenByteCountMax = 16 * 1024

  func hasToken(at now: Moment) -> Bool {
    switch field {
    case .none: false
    case .some: now.bootMilliseconds < endBootMilliseconds
    }
  }

  /// A copy of `Authorization: Bearer …`; empty without a token.
  func copyField() -> Secret {
    switch field {
    case .none: Secret(copying: [UInt8]().span)
    case .some(let field): field.copy()
    }
  }

  func forget() { field = nil }

  /// Takes the token endpoint's answer; `false` if it holds no usable token.
  func take(_ answer: Answer, at now: Moment) -> Bool {
    guard answer.status == 200 else { return false }
    guard var token = JSONText.string("access_token", in: answer.body.span) else { return false }
    defer { unsafe token.withUnsafeMutableBytes { unsafe erase($0) } }
    guard (1...Self.tokenByteCountMax).contains(token.count), BearerField.isToken(token.span)
    else { return false }
    // RFC 6749, 5.1: `expires_in` is recommended only; without it the token serves one pass.
    let lifetime = JSONText.integer("expires_in", in: answer.body.span) ?? 60
    field = BearerField.make(token.span)
    let milliseconds = min(max(lifetime, 0), 86_400) * 1000
    endBootMilliseconds = now.bootMilliseconds + max(milliseconds - Self.marginMilliseconds, 1000)
    return true
  }

  /// The form of RFC 6749, 4.4.2, with the client in the body as the official client sends it.
  func requestBody() -> Secret {
    // A secret file's 16 KiB may become three times as many.
    var buffer = SecretBuffer(byteCountMax: 64 * 1024)
    buffer.append("grant_type=client_credentials&client_id=")
    let id = clientID.text.bytes
    FormText.append(id.span, to: &buffer)
    buffer.append("&client_secret=")
    appendSecret(to: &buffer)
    return buffer.take()
  }

  private func appendSecret(to buffer: inout SecretBuffer) {
    clientSecret.withBytes { bytes in FormText.append(bytes, to: &buffer) }
  }
}

/// `Authorization: Bearer TOKEN` (RFC 6750, section 2.1).
public enum BearerField {
  public static func make(_ token: Span<UInt8>) -> Secret {
    var buffer = SecretBuffer(byteCountMax: 32 * 1024)
    buffer.append("Authorization: Bearer ")
    buffer.append(token)
    return buffer.take()
  }

  /// `b64token` of RFC 6750: nothing that could end a header line.
  public static func isToken(_ bytes: Span<UInt8>) -> Bool {
    for index in bytes.indices where !(0x21..<0x7F).contains(bytes[index]) { return false }
    return bytes.count > 0
  }
}

/// `application/x-www-form-urlencoded`, as the WHATWG URL standard's serializer writes it.
enum FormText {
  static func append(_ bytes: Span<UInt8>, to buffer: inout SecretBuffer) {
    let digits: Literal = "0123456789ABCDEF"
    for index in bytes.indices {
      let byte = bytes[index]
      let isPlain =
        Decimal.isDigit(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lowercased(byte))
        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
        || byte == UInt8(ascii: "*")
      if isPlain {
        buffer.append(byte)
      } else {
        buffer.append(UInt8(ascii: "%"))
        buffer.append(unsafe digits.start[Int(byte >> 4)])
        buffer.append(unsafe digits.start[Int(byte & 15)])
      }
    }
  }
}
