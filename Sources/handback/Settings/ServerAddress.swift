internal import HandbackCore

/// A base URL, as far as it has to be understood: scheme, host and port, path. libcurl does the
/// rest.
struct ServerAddress {
  /// Without a slash at the end.
  let text: String
  let host: String
  let isEncrypted: Bool

  /// This machine itself: nobody is on the way.
  var isLoopback: Bool {
    let bytes = Array(host.utf8)
    return matches("localhost", bytes.span) || matches("[::1]", bytes.span)
      || bytes.starts(with: "127.".utf8)
        && bytes.allSatisfy { Decimal.isDigit($0) || $0 == UInt8(ascii: ".") }
  }

  /// `nil` unless it is `http(s)://host[:port][/path]` in printable ASCII, without user, query or
  /// fragment.
  init?(_ url: String) {
    var bytes = Array(url.utf8)
    guard bytes.count <= 1024 else { return nil }
    while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    let start: Int
    if bytes.starts(with: "https://".utf8) {
      isEncrypted = true
      start = 8
    } else if bytes.starts(with: "http://".utf8) {
      isEncrypted = false
      start = 7
    } else {
      return nil
    }
    guard bytes.count > start else { return nil }
    for byte in bytes {
      guard (0x21..<0x7F).contains(byte), byte != UInt8(ascii: "@"), byte != UInt8(ascii: "?"),
        byte != UInt8(ascii: "#"), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\")
      else { return nil }
    }
    let end = bytes[start...].firstIndex(of: UInt8(ascii: "/")) ?? bytes.count
    var name = Array(bytes[start..<end])
    let isBracketed = name.first == UInt8(ascii: "[")
    let close = name.firstIndex(of: UInt8(ascii: "]")) ?? -1
    if let colon = name.lastIndex(of: UInt8(ascii: ":")), !isBracketed || colon > close {
      name = Array(name[0..<colon])
    }
    guard !name.isEmpty else { return nil }
    host = String(decoding: name, as: UTF8.self)
    text = String(decoding: bytes, as: UTF8.self)
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
