public import HandbackCore

/// How to reach the server.
public final class TransportOptions: Sendable {
  /// `https://api.licensespring.com`, without a slash at the end.
  public let baseURL: Text
  /// A file of certificates to trust, in PEM; `nil` for the system's.
  public let authorityFile: Text?
  /// Plain HTTP too: for a server on the loopback interface, or where somebody insists.
  public let allowsPlainHTTP: Bool
  /// Past any proxy: plain HTTP to this machine itself, which would be on the network there.
  public let isDirect: Bool
  /// The same for the address that gives tokens.
  public let isTokenDirect: Bool
  public let connectTimeoutMilliseconds: Int
  /// For one exchange, from the first packet to the last.
  public let timeoutMilliseconds: Int

  public init(
    baseURL: Text, authorityFile: Text?, allowsPlainHTTP: Bool, isDirect: Bool,
    isTokenDirect: Bool, connectTimeoutMilliseconds: Int, timeoutMilliseconds: Int
  ) {
    self.baseURL = baseURL
    self.authorityFile = authorityFile
    self.allowsPlainHTTP = allowsPlainHTTP
    self.isDirect = isDirect
    self.isTokenDirect = isTokenDirect
    self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
    self.timeoutMilliseconds = timeoutMilliseconds
  }
}
