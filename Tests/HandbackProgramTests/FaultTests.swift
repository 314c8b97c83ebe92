import Foundation
import TestSupport
import Testing

/// Wrong servers and broken ways to them. After each fault the license is still queued, with the
/// reason shown, and the next clean answer settles it: never a false "deactivated", never a loss.
struct FaultTests {
  struct Case: @unchecked Sendable, CustomTestStringConvertible {
    let name: String
    let fault: [String: Any]
    /// The code that `status` shows.
    let code: String
    /// Whether the server did it although nobody heard: then the settlement is inferred.
    var acted = false
    var testDescription: String { name }

    init(_ name: String, _ fault: [String: Any], _ code: String, acted: Bool = false) {
      self.name = name
      self.fault = fault.merging(["count": 1]) { old, _ in old }
      self.code = code
      self.acted = acted
    }
  }

  static let cases: [Case] = [
    Case("closed port", ["kind": "refuse", "count": -1], "not_connected"),
    Case("closed at once", ["kind": "close_on_accept"], "tls_failed"),
    // The reset may be seen before or after the connection is made.
    Case("reset at once", ["kind": "close_on_accept", "reset": true], "tls_failed not_connected"),
    Case("no handshake", ["kind": "stall_accept"], "timed_out"),
    Case("handshake cut", ["kind": "tls_close"], "tls_failed"),
    Case("plain HTTP on the TLS port", ["kind": "http_on_https"], "tls_failed"),
    Case("no answer, not done", ["kind": "stall_before"], "timed_out"),
    Case("no answer, done", ["kind": "stall_after"], "timed_out", acted: true),
    Case("reset, not done", ["kind": "reset_before"], "connection_cut"),
    Case("reset, done", ["kind": "reset_after"], "connection_cut", acted: true),
    Case("closed without an answer, done", ["kind": "close_after"], "connection_cut", acted: true),
    Case("cut in the header", ["kind": "truncate", "at": 40], "not_the_license_api", acted: true),
    Case("cut in the body", ["kind": "truncate", "at": -5], "connection_cut", acted: true),
    Case("reset in the body", ["kind": "truncate_reset", "at": -5], "connection_cut", acted: true),
    Case("500", ["kind": "status", "status": 500], "no error code"),
    Case("500, done", ["kind": "status_after", "status": 500], "no error code", acted: true),
    Case(
      "502 of a gateway, done", ["kind": "status_after", "status": 502, "body": "<html>"],
      "no error code", acted: true),
    Case("503", ["kind": "status", "status": 503], "no error code"),
    Case(
      "internal_error", ["kind": "status", "status": 400, "code": "internal_error"],
      "internal_error"),
    Case("408", ["kind": "status", "status": 408], "no error code"),
    Case(
      "403 of a firewall", ["kind": "status", "status": 403, "body": "<html>no</html>"],
      "not_the_license_api"),
    Case(
      "an unknown code", ["kind": "status", "status": 400, "code": "brand_new_code"],
      "brand_new_code"),
    Case(
      "signature_mismatch", ["kind": "status", "status": 401, "code": "signature_mismatch"],
      "signature_mismatch"),
    Case("redirect to a login page", ["kind": "redirect", "status": 302], "not_the_license_api"),
    Case(
      "307 that would take the key along", ["kind": "redirect", "status": 307],
      "not_the_license_api"),
    Case("captive portal", ["kind": "captive_portal"], "not_the_license_api"),
    Case("captive portal, 511", ["kind": "captive_portal", "status": 511], "not_the_license_api"),
    Case("proxy wants a login", ["kind": "proxy_407"], "not_the_license_api"),
    Case("another word", ["kind": "wrong_success"], "not_the_license_api"),
    Case("garbage", ["kind": "garbage"], "malformed_answer"),
    Case("a huge body", ["kind": "huge_body"], "answer_too_large"),
    Case("huge headers", ["kind": "huge_headers"], "answer_too_large"),
    Case("a body without end", ["kind": "endless_body"], "answer_too_large"),
    Case(
      "a Content-Length that is too long", ["kind": "bad_content_length", "by": 10],
      "connection_cut", acted: true),
    Case("a bad chunk", ["kind": "bad_chunk"], "connection_cut", acted: true),
    Case(
      "one bit of the word changed", ["kind": "flip", "at": -3], "not_the_license_api",
      acted: true),
    Case("no Retry-After on a 429", ["kind": "retry_after", "form": "none"], "no error code"),
  ]

  @Test(arguments: cases)
  func `keeps the deactivation, and settles it with the next clean answer`(_ test: Case) {
    let emulator = Emulator()
    let device = Device(
      emulator, settings: ["HANDBACK_TIMEOUT=2", "HANDBACK_CONNECT_TIMEOUT=2"])
    emulator.setFaults(test.fault)
    let result = device.run("deactivate")
    let ticket = Device.ticket(result)
    #expect(result.status == 0)
    #expect(result.output == "queued \(ticket)\n", "\(result)")
    #expect(device.sql("SELECT state, secret FROM deactivation") == "0|AAAA-BBBB-CCCC-DDDD")
    let shown = (device.json("receipt", ticket)["code"] as? String) ?? "no error code"
    #expect(test.code.contains(shown), "\(device.json("receipt", ticket))")

    emulator.control("/faults/clear", [:])
    let flushed = device.run("flush")
    #expect(flushed.status == 0, "\(flushed)")
    let receipt = device.json("receipt", ticket)
    #expect(receipt["state"] as? String == "deactivated")
    #expect(receipt["inferred"] as? Bool == test.acted)
    #expect(emulator.count("successes") == 1)
    #expect(emulator.count("double_successes") == 0)
    #expect(device.sql("SELECT count(*) FROM deactivation WHERE secret IS NOT NULL") == "0")
  }

  @Test(arguments: ["one_hundred", "chunked", "slow_bytes", "connection_close"])
  func `takes unusual but good answers`(_ kind: String) {
    let emulator = Emulator()
    let device = Device(emulator)
    emulator.setFaults(["kind": kind])
    #expect(device.run("deactivate").output.contains("\ndeactivated "))
  }

  @Test(arguments: ["expired", "wrong-name", "self-signed"])
  func `sends nothing to a server whose certificate is wrong`(_ certificate: String) {
    let emulator = Emulator("--certificate", certificate)
    let device = Device(emulator)
    let result = device.run("deactivate")
    #expect(result.status == 0)
    #expect(!result.output.contains("deactivated"))
    #expect(emulator.count("requests") == 0)
    let code = device.json("receipt", Device.ticket(result))["code"] as? String ?? ""
    #expect(code.hasPrefix("tls_"))
    if certificate == "expired" { #expect(code == "tls_certificate_expired") }
    #expect(device.sql("SELECT open_attempts FROM deactivation") == "0")
  }

  @Test func `honours Retry-After, for a person at the keyboard too, and over a restart`() {
    let emulator = Emulator()
    let device = Device(emulator)
    emulator.setFaults(["kind": "retry_after", "seconds": 3600])
    device.run("deactivate")
    let before = emulator.count("requests")
    let result = device.run("flush")
    #expect(result.status == 75)
    #expect(result.errors.contains("the server asked to wait (Retry-After)"))
    #expect(emulator.count("requests") == before)
    let queued = device.run("deactivate", "--hardware-id", "demo-device-2")
    #expect(queued.status == 0)
    #expect(queued.errors.hasPrefix("handback: not sent yet: the server asked to wait"))
    #expect(emulator.count("requests") == before)
    let left = (device.json("status")["server"] as? [String: Any])?["next_attempt_in_ms"] as? Int
    #expect((3_590_000...3_960_000).contains(left ?? 0))
  }

  @Test func `honours Retry-After as a date by the server's own clock`() {
    let emulator = Emulator()
    let device = Device(emulator)
    emulator.setFaults(["kind": "retry_after", "seconds": 600, "form": "date", "status": 503])
    device.run("deactivate")
    let left = (device.json("status")["server"] as? [String: Any])?["next_attempt_in_ms"] as? Int
    #expect((590_000...660_000).contains(left ?? 0))
  }

  @Test func `one server's Retry-After does not hold up another server`() {
    let busy = Emulator()
    let device = Device(busy)
    busy.setFaults(["kind": "retry_after", "seconds": 3600])
    device.run("deactivate")
    #expect(device.run("flush").status == 75)
    let other = Emulator()
    let result = device.run("flush", "--server", other.baseURL, "--ca-file", other.authorityFile)
    #expect(result.status == 0, "\(result)")
  }

  @Test func `corrects a clock that the server refuses, once, and keeps it`() {
    let emulator = Emulator("--clock-offset", "86400")
    let device = Device(emulator)
    let result = device.run("deactivate")
    #expect(result.output.contains("\ndeactivated "), "\(result)")
    #expect(result.errors.contains("the server's clock is 8640"))
    #expect(emulator.count("requests") == 2)
    let again = device.run("deactivate", "--hardware-id", "demo-device-2")
    #expect(again.output.contains("\ndeactivated "))
    #expect(emulator.count("requests") == 3, "the correction was remembered")
  }

  @Test func `heeds backoff with --only-due, and not without`() {
    let emulator = Emulator()
    let device = Device(
      emulator,
      settings: [
        "HANDBACK_BACKOFF_BASE=86400",
        "HANDBACK_BACKOFF_CEILING=86400",
      ])
    emulator.setFaults(["kind": "captive_portal"])
    device.run("deactivate")
    #expect(device.run("flush", "--only-due").status == 69)
    #expect(emulator.count("requests") == 1)
    #expect(device.run("flush").status == 0)
  }
}
