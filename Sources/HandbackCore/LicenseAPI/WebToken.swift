/// What can be read of a JSON Web Token's claims without its key (RFC 7519, RFC 7515 3.1).
///
/// Nothing here is verified: `exp` only warns a person that a queued token may be too old by
/// the time the network is back, and `sub` only tells a repeated request from a new one.
public struct WebToken {
  /// `exp`, seconds since 1970-01-01 UTC.
  public let expiry: Int64?
  /// `sub`, as UTF-8.
  let subject: [UInt8]?

  /// `nil` if the text isn't `header.claims.signature` with claims in JSON.
  public init?(_ token: Span<UInt8>) {
    guard let head = firstIndex(of: UInt8(ascii: "."), in: token) else { return nil }
    let rest = token.extracting((head + 1)..<token.count)
    guard let length = firstIndex(of: UInt8(ascii: "."), in: rest),
      firstIndex(of: UInt8(ascii: "."), in: rest.extracting((length + 1)..<rest.count)) == nil,
      let claims = Base64.decodeURL(rest.extracting(0..<length))
    else { return nil }
    guard JSONText.isObject(claims.span) else { return nil }
    expiry = JSONText.integer("exp", in: claims.span)
    subject = JSONText.string("sub", in: claims.span)
  }
}
