/// What came back over HTTP: status, the fields we look at, the body.
///
/// The transport hands on raw bytes; what they mean is decided here, where tests reach it.
public struct Answer: Sendable {
  /// The License API's answers are a few hundred bytes; more is not one of them.
  public static let bodyByteCountMax = 64 * 1024

  public var status: Int
  /// Whether the request was written more than once: a kept connection was cut before an answer
  /// came, and the server may have acted on the first.
  public var wasResent = false
  public private(set) var body: [UInt8] = []
  /// The server's `Date`, seconds since 1970-01-01 UTC.
  public private(set) var dateSeconds: Int64?
  public private(set) var retryAfter: RetryAfter?
  /// `LicenseSignature`, kept in the receipt as evidence.
  public private(set) var licenseSignature: Text?
  private var isDeclaredHTML = false

  /// RFC 9110, section 10.2.3.
  public enum RetryAfter: Sendable {
    case seconds(Int64)
    case date(Int64)
  }

  public init(status: Int) {
    self.status = status
  }

  /// Takes one field line, `Name: value` CR LF or without; one that isn't of that form, or isn't
  /// looked at, is passed over.
  public mutating func addField(_ line: Span<UInt8>) {
    guard let colon = firstIndex(of: UInt8(ascii: ":"), in: line) else { return }
    let name = line.extracting(0..<colon)
    let rest = line.extracting((colon + 1)..<line.count)
    let value = rest.extracting(trimmedRange(rest))
    if matchesIgnoringCase("date", name) {
      dateSeconds = HTTPDate.parse(value)
    } else if matchesIgnoringCase("retry-after", name) {
      if let seconds = Decimal.integer(value) {
        retryAfter = seconds >= 0 ? .seconds(seconds) : nil
      } else if let date = HTTPDate.parse(value) {
        retryAfter = .date(date)
      }
    } else if matchesIgnoringCase("content-type", name) {
      isDeclaredHTML =
        value.count >= 9 && matchesIgnoringCase("text/html", value.extracting(0..<9))
    } else if matchesIgnoringCase("licensesignature", name), (1...1024).contains(value.count) {
      licenseSignature = Text(printable: value)
    }
  }

  /// `false` if the body would pass its limit; the rest need not be read then.
  public mutating func appendBody(_ bytes: Span<UInt8>) -> Bool {
    let byteCount = body.count + bytes.count
    guard byteCount <= Self.bodyByteCountMax else { return false }
    if byteCount > body.capacity {
      // By hand: what an array leaves behind where it grows isn't erased, and may be a token's.
      var larger: [UInt8] = []
      larger.reserveCapacity(byteCount * 2)
      for byte in body { larger.append(byte) }
      eraseBody()
      body = larger
    }
    for index in bytes.indices { body.append(bytes[index]) }
    return true
  }

  /// Overwrites the body where it lies, so for all copies of this answer: it held a token.
  func eraseBody() {
    unsafe body.withUnsafeBytes {
      unsafe erase(UnsafeMutableRawBufferPointer(mutating: $0))
    }
  }

  /// HTML by its name or its first byte: a portal or a proxy speaks, not the License API.
  var isHTML: Bool {
    if isDeclaredHTML { return true }
    let range = trimmedRange(body.span)
    return !range.isEmpty && body[range.lowerBound] == UInt8(ascii: "<")
  }

  /// Whether the body is the word of success, bare or as a JSON string, white space around it
  /// trimmed, and nothing else.
  ///
  /// The documentation says "the string `license_deactivated`" and leaves open whether it is
  /// quoted.
  public var saysDeactivated: Bool {
    let text = body.span.extracting(trimmedRange(body.span))
    return matches("license_deactivated", text) || matches("\"license_deactivated\"", text)
  }

  /// The error object's `code`; `nil` if the body has none.
  public var code: [UInt8]? { JSONText.string("code", in: body.span) }

  /// The error object's `message`.
  public var message: Text? { text("message") }

  /// A member's text, made safe to print and to keep: at most 256 bytes.
  func text(_ name: Literal) -> Text? {
    guard let bytes = JSONText.string(name, in: body.span) else { return nil }
    return Text(printable: bytes.span.extracting(0..<min(bytes.count, 256)))
  }
}

func firstIndex(of byte: UInt8, in bytes: Span<UInt8>) -> Int? {
  for index in bytes.indices where bytes[index] == byte { return index }
  return nil
}

/// What is left without white space at both ends: space, tab, CR, LF.
public func trimmedRange(_ bytes: Span<UInt8>) -> Range<Int> {
  var start = 0
  var end = bytes.count
  while start < end, isSpace(bytes[start]) { start += 1 }
  while end > start, isSpace(bytes[end - 1]) { end -= 1 }
  return start..<end
}

private func isSpace(_ byte: UInt8) -> Bool {
  byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
}
