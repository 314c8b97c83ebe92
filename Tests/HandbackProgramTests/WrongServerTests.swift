import Foundation
import TestSupport
import Testing

/// After each fault the license is still queued, with the reason shown, and the next clean answer
/// settles it: never a false "deactivated", never a loss.
struct WrongServerTests {
  private static let hasty = ["HANDBACK_TIMEOUT=1", "HANDBACK_CONNECT_TIMEOUT=1"]

  @Test(arguments: 0..<4)
  func `keeps the deactivation, and settles it with the next clean answer`(part: Int) {
    let emulator = Emulator()
    for (index, test) in Share.of(WrongServers.cases).enumerated() where index % 4 == part {
      emulator.control("/reset", [:])
      let device = Device(emulator, settings: test.code == "timed_out" ? Self.hasty : [])
      emulator.setFaults(test.fault)
      let ticket = queued(device, test.code, waitsFor: test.waitsFor, test.name)
      emulator.control("/faults/clear", [:])
      settle(device, ticket, inferred: test.acted, test.name)
      #expect(emulator.count("successes") == 1, "\(test.name)")
      #expect(emulator.count("double_successes") == 0, "\(test.name)")
    }
  }

  /// Runs `deactivate` into the fault; returns the ticket.
  private func queued(
    _ device: Device, _ code: String, waitsFor: String, _ name: String
  ) -> String {
    let result = device.run("deactivate")
    let ticket = Device.ticket(result)
    #expect(result.status == 0, "\(name): \(result)")
    #expect(result.output == "queued \(ticket)\n", "\(name): \(result)")
    let status = device.json("status")
    let rows = status["deactivations"] as? [[String: Any]] ?? []
    #expect(rows.count == 1 && rows.first?["state"] as? String == "pending", "\(name): \(status)")
    let shown = rows.first?["code"] as? String ?? "no error code"
    #expect(code.contains(shown), "\(name): \(status)")
    let server = status["server"] as? [String: Any] ?? [:]
    #expect(server["waiting_for"] as? String == waitsFor, "\(name): \(status)")
    #expect(
      device.sql("SELECT state, secret FROM deactivation") == "0|AAAA-BBBB-CCCC-DDDD", "\(name)")
    return ticket
  }

  private func settle(
    _ device: Device, _ ticket: String, inferred: Bool = false, _ name: String,
    flush options: [String] = []
  ) {
    // The device's own times may be for the fault alone.
    let patience = ["--timeout", "60", "--connect-timeout", "60"]
    let flushed = device.program.run(["flush"] + patience + options)
    #expect(flushed.status == 0, "\(name): \(flushed)")
    let receipt = device.json("receipt", ticket)
    #expect(receipt["state"] as? String == "deactivated", "\(name): \(receipt)")
    #expect(receipt["inferred"] as? Bool == inferred, "\(name): \(receipt)")
    #expect(
      device.sql("SELECT count(*) FROM deactivation WHERE secret IS NOT NULL") == "0", "\(name)")
  }

  // MARK: - Certificates

  @Test(arguments: [
    ["--certificate", "expired"], ["--certificate", "wrong-name"],
    ["--certificate", "self-signed"], ["--tls-max", "1.1"],
  ])
  func `sends nothing to a server that can't show who it is`(options: [String]) {
    let emulator = Emulator(options[0], options[1])
    let device = Device(emulator)
    let isExpired = options[1] == "expired"
    let ticket = queued(
      device, isExpired ? "tls_certificate_expired" : "tls_failed",
      waitsFor: isExpired ? "clock" : "network", "\(options)")
    #expect(emulator.count("requests") == 0)
    #expect(device.sql("SELECT open_attempts FROM deactivation") == "0")
    emulator.restart()
    settle(device, ticket, "\(options)")
  }

  @Test func `sends nothing to a server of another authority`() {
    let emulator = Emulator()
    let other = Emulator()
    let device = Device(emulator, settings: ["HANDBACK_CA_FILE=\(other.authorityFile)"])
    let ticket = queued(device, "tls_failed", waitsFor: "network", "another authority")
    #expect(emulator.count("requests") == 0)
    settle(
      device, ticket, "another authority", flush: ["--ca-file", emulator.authorityFile])
  }

  /// libcurl has a folder of authorities beside its file; both are filled here as Debian does it.
  @Test(.enabled(if: FullDiskTests.canMount))
  func `a file of authorities is in place of the system's, its folder too`() {
    let emulator = Emulator()
    let system = TemporaryFolder()
    let other = system.path("ca-certificates.crt")
    Command.run(
      "openssl",
      [
        "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=another", "-out", other,
        "-keyout", system.path("key"),
      ])
    system.write("server.pem", emulator.folder.read("ca.pem") ?? Data())
    Command.run("openssl", ["rehash", system.url.path])
    var device = Device(server: emulator.baseURL)
    device.program.wrapper = [
      "/usr/bin/unshare", "--mount", "sh", "-c",
      "mount --bind \(system.url.path) /etc/ssl/certs && exec \"$0\" \"$@\"",
    ]
    device.program.environment["HANDBACK_CA_FILE"] = device.folder.write(
      "other.pem", system.read("ca-certificates.crt") ?? Data())
    let ticket = queued(device, "tls_failed", waitsFor: "network", "a file of its own")
    #expect(emulator.count("requests") == 0)
    device.program.environment["HANDBACK_CA_FILE"] = nil
    settle(device, ticket, "the system's folder")
  }

  @Test func `a redirect takes nothing to another host`() {
    let emulator = Emulator()
    let other = Emulator()
    let device = Device(emulator)
    for status in [301, 302, 303, 307, 308] {
      emulator.setFaults([
        "kind": "redirect", "status": status,
        "location": other.baseURL + "/api/v4/deactivate_license",
      ])
      #expect(device.run("deactivate").status == 0)
    }
    #expect(other.count("connections") == 0)
    #expect(device.json("status")["pending"] as? Int == 1)
  }

  // MARK: - No way to the server

  /// A name that no resolver may be asked for (RFC 1035 2.3.4), one that doesn't exist, and an
  /// address that nobody has (RFC 5737).
  @Test(arguments: [
    (String(repeating: "a", count: 64), "name_not_resolved"),
    ("license.invalid", "name_not_resolved timed_out"),
    ("192.0.2.1", "not_connected timed_out"),
  ])
  func `keeps it while there is no way to the server`(host: String, code: String) {
    let emulator = Emulator()
    let device = Device(emulator, settings: Self.hasty + ["HANDBACK_SERVER=https://\(host)"])
    let ticket = queued(device, code, waitsFor: "network", host)
    #expect(device.sql("SELECT open_attempts FROM deactivation") == "0")
    settle(device, ticket, host, flush: ["--server", emulator.baseURL])
  }

  // MARK: - Proxies

  @Test(arguments: [407, 502, 302])
  func `a proxy that refuses is no server that might have acted`(status: Int) {
    let emulator = Emulator()
    let proxy = Emulator("--plain")
    var device = Device(emulator)
    device.program.environment["https_proxy"] = proxy.plainURL
    proxy.setFaults(["kind": "status", "status": status, "match": ["method": "CONNECT"]])
    let ticket = queued(device, "proxy_refused", waitsFor: "network", "proxy \(status)")
    #expect(device.sql("SELECT open_attempts FROM deactivation") == "0")
    settle(device, ticket, "proxy \(status)")
    #expect(proxy.log.last?["method"] as? String == "CONNECT", "it went through the proxy")
  }

  /// Plain HTTP to this machine would be on the network there.
  @Test func `goes past a proxy to this machine itself`() {
    let emulator = Emulator("--plain")
    let proxy = Emulator("--plain")
    var device = Device(server: emulator.plainURL)
    device.program.environment["http_proxy"] = proxy.plainURL
    let result = device.run("deactivate")
    #expect(result.output.contains("\ndeactivated "), "\(result)")
    #expect(proxy.log.isEmpty)
  }

  /// The proxy's CONNECT and the request are two, but the request was sent once.
  @Test func `nothing is inferred from a request that went through a proxy`() {
    let emulator = Emulator()
    let proxy = Emulator("--plain")
    var device = Device(emulator)
    device.program.environment["https_proxy"] = proxy.plainURL
    let result = device.run("deactivate", "--hardware-id", "never-activated")
    #expect(result.status == 76, "\(result)")
    #expect(result.output.contains("\nrejected "))
    #expect(proxy.log.count == 1)
  }

  // MARK: - Retry-After

  @Test(arguments: [
    ("0", 1...1100), ("1", 1...1100), ("86400", 86_000_000...86_400_000),
    ("999999999", 86_000_000...86_400_000), ("Fri, 31 Dec 1999 23:59:59 GMT", 1...1100),
    ("Fri, 31 Dec 9999 23:59:59 GMT", 86_000_000...86_400_000),
  ])
  func `takes any Retry-After for a second to a day`(value: String, range: ClosedRange<Int>) {
    let emulator = Emulator()
    let device = Device(emulator)
    emulator.setFaults(["kind": "retry_after", "value": value])
    #expect(device.run("deactivate").status == 0)
    let server = device.json("status")["server"] as? [String: Any] ?? [:]
    #expect(server["waiting_for"] as? String == "retry-after")
    let left = server["next_attempt_in_ms"] as? Int ?? 0
    // A second may have gone by on a busy machine.
    #expect(range.contains(left) || (range.lowerBound == 1 && left == 0), "\(left)")
    #expect(device.json("status")["pending"] as? Int == 1)
  }

  @Test(arguments: ["-5", "soon", "", "1.5", "99999999999999999999", "0x10", "10 s", "1, 2"])
  func `passes over a Retry-After that is none`(value: String) {
    let emulator = Emulator()
    let device = Device(emulator)
    emulator.setFaults(["kind": "retry_after", "value": value])
    #expect(device.run("deactivate").status == 0)
    let server = device.json("status")["server"] as? [String: Any] ?? [:]
    #expect(server["waiting_for"] as? String == "server")
    #expect(device.run("flush").status == 0)
  }
}
