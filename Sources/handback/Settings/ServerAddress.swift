internal import HandbackCore

/// A base URL, as far as it has to be understood: scheme, host and port, path. libcurl does the
/// rest.
struct ServerAddress {
  /// Without a slash at the end.
  let text: Text
  let host: Text
  let isEncrypted: Bool

  /// This machine itself: nobody is on the way.
  var isLoopback: Bool {
    if host.isEqual(to: "localhost") || host.isEqual(to: "[::1]") { return true }
    for byte in host.bytes where !Decimal.isDigit(byte) && byte != UInt8(ascii: ".") {
      return false
    }
    return host.hasPrefix("127.")
  }

  /// Through a proxy it would be on the network.
  var isPlainLoopback: Bool { !isEncrypted && isLoopback }

  /// What a route is needed to: an address without the brackets of a URL, or a name.
  var destination: Text {
    if isLoopback { return "127.0.0.1" }
    guard host.hasPrefix("["), let end = host.firstIndex(of: UInt8(ascii: "]")) else { return host }
    return host.slice(1..<end)
  }

  /// `nil` unless it is `http(s)://host[:port][/path]` in printable ASCII, without user or fragment;
  /// a query is taken where it can be part of the address.
  init?(_ url: Text, takesQuery: Bool = false) {
    guard url.bytes.count <= 1024 else { return nil }
    var end = url.bytes.count
    while end > 0, url.bytes[end - 1] == UInt8(ascii: "/") { end -= 1 }
    text = url.prefix(end)
    isEncrypted = text.hasPrefix("https://")
    guard isEncrypted || text.hasPrefix("http://") else { return nil }
    let query = UInt8(ascii: "?")
    for byte in text.bytes where !Self.isTaken(byte) && !(takesQuery && byte == query) {
      return nil
    }
    let rest = text.suffix(from: isEncrypted ? 8 : 7)
    let name = rest.prefix(before: UInt8(ascii: "/")).prefix(before: query)
    // In an IPv6 address, only a colon behind the bracket begins the port.
    let bracket = name.hasPrefix("[") ? name.firstIndex(of: UInt8(ascii: "]")) ?? -1 : -1
    if let colon = name.lastIndex(of: UInt8(ascii: ":")), colon > bracket {
      host = name.prefix(colon)
      let port = name.suffix(from: colon + 1).bytes
      guard let number = Decimal.integer(port.span), (1...65535).contains(number) else {
        return nil
      }
    } else {
      host = name
    }
    if host.isEmpty || bracket < 0 && host.firstIndex(of: UInt8(ascii: ":")) != nil { return nil }
  }

  private static func isTaken(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "@"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "\""),
      UInt8(ascii: "\\"):
      false
    default: (0x21..<0x7F).contains(byte)
    }
  }
}

extension Settings {
  func serverAddress() throws(Failure) -> ServerAddress {
    guard let address = ServerAddress(self[.server] ?? "") else {
      throw wrong(.server, "must be an address such as https://api.licensespring.com")
    }
    if !address.isEncrypted, !address.isLoopback, try !flag(.unsafePlainHTTP) {
      let problem = wrong(.server, "is plain HTTP: keys and answers could be read and changed")
      throw Failure(
        problem.exit, problem.message, hint: "use https://, or insist with --unsafe-plain-http yes")
    }
    return address
  }
}
