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
    var dots: [Int] = []
    for index in token.indices where token[index] == UInt8(ascii: ".") { dots.append(index) }
    guard dots.count == 2 else { return nil }
    guard let claims = Base64.decodeURL(token.extracting((dots[0] + 1)..<dots[1])) else {
      return nil
    }
    guard JSONText.isObject(claims.span) else { return nil }
    expiry = JSONText.integer("exp", in: claims.span)
    subject = JSONText.string("sub", in: claims.span)
  }
}
