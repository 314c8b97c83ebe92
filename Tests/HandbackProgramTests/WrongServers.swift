/// Wrong servers and broken ways to them, each as a fault of the emulator's.
enum WrongServers {
  struct Case: @unchecked Sendable {
    let name: String
    let fault: [String: Any]
    /// The code that `status` shows; more than one where the system decides.
    let code: String
    /// What `status` waits for.
    let waitsFor: String
    /// Whether the server did it although nobody heard: then the settlement is inferred.
    let acted: Bool

    init(
      _ name: String, _ fault: [String: Any], _ code: String, waitsFor: String = "network",
      acted: Bool = false
    ) {
      self.name = name
      self.fault = fault.merging(["count": 1]) { old, _ in old }
      self.code = code
      self.waitsFor = waitsFor
      self.acted = acted
    }

    /// Bytes of any kind, then the end of the connection.
    init(_ name: String, answer: String, _ code: String, waitsFor: String = "network") {
      self.init(name, ["kind": "raw", "answer": answer], code, waitsFor: waitsFor)
    }

    /// A whole answer with this status and body.
    init(
      _ name: String, status: Int, body: String = "", fields: String = "", _ code: String,
      waitsFor: String = "network"
    ) {
      self.init(
        name,
        answer: "HTTP/1.1 \(status) Status\r\nContent-Length: \(body.unicodeScalars.count)\r\n"
          + fields + "\r\n" + body,
        code, waitsFor: waitsFor)
    }
  }

  static let word = "\"license_deactivated\""

  static let cases = unreachable + lost + portals + malformed + oversized + refusals

  /// No connection, no TLS, no answer.
  static let unreachable = [
    Case("closed port", ["kind": "refuse", "count": -1], "not_connected"),
    Case("closed at once", ["kind": "close_on_accept"], "tls_failed"),
    // The reset may be seen before or after the connection is made.
    Case("reset at once", ["kind": "close_on_accept", "reset": true], "tls_failed not_connected"),
    Case("no handshake", ["kind": "stall_accept"], "timed_out"),
    Case("handshake cut", ["kind": "tls_close"], "tls_failed"),
    Case("handshake reset", ["kind": "tls_close", "reset": true], "tls_failed"),
    Case("plain HTTP on the TLS port", ["kind": "http_on_https"], "tls_failed"),
  ]

  /// The request arrives, and the answer is lost or cut.
  static let lost = [
    Case("no answer, not done", ["kind": "stall_before"], "timed_out"),
    Case("no answer, done", ["kind": "stall_after"], "timed_out", acted: true),
    Case(
      "a byte now and then", ["kind": "slow_bytes", "bytes_per_second": 5], "timed_out",
      acted: true),
    Case("reset, not done", ["kind": "reset_before"], "connection_cut"),
    Case("reset, done", ["kind": "reset_after"], "connection_cut", acted: true),
    Case("closed without an answer, done", ["kind": "close_after"], "connection_cut", acted: true),
    Case(
      "closed without TLS's goodbye, done", ["kind": "close_after", "clean": false],
      "connection_cut", acted: true),
    Case("cut in the header", ["kind": "truncate", "at": 40], "not_the_license_api", acted: true),
    Case("cut in the body", ["kind": "truncate", "at": -5], "connection_cut", acted: true),
    Case("reset in the body", ["kind": "truncate_reset", "at": -5], "connection_cut", acted: true),
    Case(
      "a Content-Length that is too long", ["kind": "bad_content_length", "by": 10],
      "connection_cut", acted: true),
    Case(
      "a Content-Length that is too short", ["kind": "bad_content_length", "by": -1],
      "not_the_license_api", acted: true),
    Case("a bad chunk", ["kind": "bad_chunk"], "connection_cut", acted: true),
    Case(
      "no last chunk", answer: chunked + "15\r\n\(word)\r\n", "connection_cut"),
    Case(
      "one bit of the word changed", ["kind": "flip", "at": -3], "not_the_license_api",
      acted: true),
    Case(
      "502 of a gateway, done", ["kind": "status_after", "status": 502, "body": "<html>"],
      "no error code", waitsFor: "nothing", acted: true),
  ]

  /// Somebody speaks in the server's place.
  static let portals = [
    Case("captive portal", ["kind": "captive_portal"], "not_the_license_api"),
    Case("captive portal, 511", ["kind": "captive_portal", "status": 511], "not_the_license_api"),
    Case("redirect to a login page", ["kind": "redirect", "status": 302], "not_the_license_api"),
    Case("moved", ["kind": "redirect", "status": 301], "not_the_license_api"),
    Case("see other", ["kind": "redirect", "status": 303], "not_the_license_api"),
    Case(
      "307 that would take the key along", ["kind": "redirect", "status": 307],
      "not_the_license_api"),
    Case(
      "308 that would take the key along", ["kind": "redirect", "status": 308],
      "not_the_license_api"),
    Case("a choice of places", status: 300, body: word, "not_the_license_api"),
    Case("not modified", status: 304, "not_the_license_api"),
    Case("proxy wants a login", ["kind": "proxy_407"], "not_the_license_api"),
    Case("a portal that wants a login", status: 401, body: "<html>", "not_the_license_api"),
    Case(
      "403 of a firewall", ["kind": "status", "status": 403, "body": "<html>no</html>"],
      "not_the_license_api"),
    Case("404 of another site", status: 404, body: "<!doctype html>", "not_the_license_api"),
    Case("another word", ["kind": "wrong_success"], "not_the_license_api"),
    Case("the word in an object", status: 200, body: "{\"code\": \(word)}", "not_the_license_api"),
    Case("the word twice", status: 200, body: word + word, "not_the_license_api"),
    Case("the word in capitals", status: 200, body: "LICENSE_DEACTIVATED", "not_the_license_api"),
    Case("the word and a NUL", status: 200, body: word + "\u{0}", "not_the_license_api"),
    Case(
      "the word behind a byte order mark", status: 200, body: "\u{EF}\u{BB}\u{BF}" + word,
      "not_the_license_api"),
    Case("no UTF-8", status: 200, body: "\u{FF}\u{FE}\u{80}", "not_the_license_api"),
    Case("an empty 200", status: 200, "not_the_license_api"),
    Case(
      "an error object with 200", status: 200, body: "{\"status\": 400, \"code\": \"blacklisted\"}",
      "not_the_license_api"),
    Case("201", status: 201, body: word, "not_the_license_api"),
    Case("204", status: 204, "not_the_license_api"),
    Case(
      "206", status: 206, body: word, fields: "Content-Range: bytes 0-20/21\r\n",
      "not_the_license_api"),
    Case("a status that doesn't exist", status: 777, body: word, "not_the_license_api"),
    // The word, compressed though nobody asked for that.
    Case(
      "gzip", status: 200,
      body:
        "\u{1F}\u{8B}\u{8}\u{0}\u{0}\u{0}\u{0}\u{0}\u{2}\u{FF}\u{53}\u{CA}\u{C9}\u{4C}\u{4E}\u{CD}"
        + "\u{2B}\u{4E}\u{8D}\u{4F}\u{49}\u{4D}\u{4C}\u{2E}\u{C9}\u{2C}\u{4B}\u{2D}\u{49}\u{4D}"
        + "\u{51}\u{2}\u{0}\u{68}\u{5}\u{24}\u{B9}\u{15}\u{0}\u{0}\u{0}",
      fields: "Content-Encoding: gzip\r\n", "not_the_license_api"),
  ]

  /// No HTTP, or not quite.
  static let malformed = [
    Case("garbage", ["kind": "garbage"], "malformed_answer"),
    Case("the word without HTTP", answer: word, "malformed_answer"),
    Case("another protocol", answer: "ICY 200 OK\r\n\r\n" + word, "malformed_answer"),
    Case(
      "a version that doesn't exist", answer: "HTTP/7.1 200 OK\r\n\r\n" + word,
      "malformed_answer"),
    Case("letters for digits", answer: "HTTP/1.1 2OO OK\r\n\r\n" + word, "malformed_answer"),
    Case("a cut status line", answer: "HTTP/1.1 20", "connection_cut"),
    Case("nothing but lines", answer: "\r\n\r\n\r\n", "malformed_answer"),
    Case(
      "a switch of protocols", answer: "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n" + word,
      "not_the_license_api"),
    Case(
      "a Content-Length that is no number",
      answer: "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n" + word, "malformed_answer"),
    Case(
      "a Content-Length below zero",
      answer: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + word, "malformed_answer"),
    Case(
      "two Content-Lengths",
      answer: "HTTP/1.1 200 OK\r\nContent-Length: 21\r\nContent-Length: 5\r\n\r\n" + word,
      "not_the_license_api"),
    Case(
      "a chunk without end", answer: chunked + "FFFFFFFFFFFFFFFFFFFF\r\n\(word)",
      "connection_cut"),
    Case(
      "an unknown coding",
      answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: br\r\n\r\n" + word, "malformed_answer"),
    Case(
      "a second answer in the first",
      answer: "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" + word,
      "no error code", waitsFor: "nothing"),
  ]

  static let oversized = [
    Case("a huge body", ["kind": "huge_body"], "answer_too_large"),
    Case("huge headers", ["kind": "huge_headers"], "answer_too_large"),
    Case("a body without end", ["kind": "endless_body"], "answer_too_large"),
    Case(
      "a flood of interim answers",
      ["kind": "one_hundred", "statuses": [Int](repeating: 103, count: 2000), "act": false],
      "answer_too_large"),
  ]

  /// The server, or what stands before it, says no.
  static let refusals = [
    Case("500", ["kind": "status", "status": 500], "no error code", waitsFor: "nothing"),
    Case(
      "500, done", ["kind": "status_after", "status": 500], "no error code",
      waitsFor: "nothing", acted: true),
    Case("503", ["kind": "status", "status": 503], "no error code", waitsFor: "nothing"),
    Case(
      "504 of a gateway", ["kind": "status", "status": 504, "body": "<html>"], "no error code",
      waitsFor: "nothing"),
    Case(
      "internal_error", ["kind": "status", "status": 400, "code": "internal_error"],
      "internal_error", waitsFor: "nothing"),
    Case("408", ["kind": "status", "status": 408], "no error code", waitsFor: "nothing"),
    Case(
      "413 before the request was read", ["kind": "early_response"], "no error code",
      waitsFor: "settings"),
    Case(
      "an unknown code", ["kind": "status", "status": 400, "code": "brand_new_code"],
      "brand_new_code", waitsFor: "nothing"),
    Case(
      "a code that is no UTF-8", status: 400, body: "{\"code\": \"\u{FF}\u{0}\"}", "no error code",
      waitsFor: "settings"),
    Case(
      "signature_mismatch", ["kind": "status", "status": 401, "code": "signature_mismatch"],
      "signature_mismatch", waitsFor: "settings"),
    Case(
      "no Retry-After on a 429", ["kind": "retry_after", "form": "none"], "no error code",
      waitsFor: "server"),
    Case(
      "a Retry-After that is no time",
      ["kind": "retry_after", "status": 503, "value": "soon"], "no error code",
      waitsFor: "nothing"),
  ]

  private static let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
}
