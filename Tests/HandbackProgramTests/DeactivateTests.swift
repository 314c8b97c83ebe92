import Foundation
import TestSupport
import Testing

/// The main job, with the shipped program, real SQLite and the emulator over TLS.
struct DeactivateTests {
  @Test func `gives a license back at once when the server is there`() {
    let emulator = Emulator()
    let device = Device(emulator)
    let result = device.run("deactivate")
    let ticket = Device.ticket(result)
    #expect(result.status == 0)
    #expect(result.output == "queued \(ticket)\ndeactivated \(ticket)\n")
    #expect(result.errors == "")
    #expect(emulator.count("successes") == 1)
    #expect(device.sql("SELECT state, secret IS NULL, attempts FROM deactivation") == "1|1|1")
    let entry = emulator.log.first
    #expect(entry?["authorization_exact"] as? Bool == true)
    #expect((entry?["notes"] as? [Any])?.isEmpty == true)
  }

  @Test func `queues while the server is down, and flushes when it is back`() throws {
    let emulator = Emulator()
    let device = Device(emulator)
    emulator.stop()
    let queued = device.run("deactivate")
    let ticket = Device.ticket(queued)
    #expect(queued.status == 0)
    #expect(queued.output == "queued \(ticket)\n")
    // libcurl 8 has other words for it than 7.
    let errors = queued.errors.replacingOccurrences(
      of: "Could not connect", with: "Couldn't connect")
    #expect(
      errors == """
        handback: not sent yet: not_connected: Couldn't connect to server
        handback: hint: check the network and the address in 'handback settings'
        handback: it stays queued; 'handback flush' sends it, 'handback status' shows it

        """)
    let status = device.run("status")
    #expect(status.status == 0)
    #expect(status.output.hasPrefix("\(ticket)"))
    #expect(status.output.contains("\n1 pending, 0 ended\n"))

    let failed = device.run("flush")
    #expect(failed.status == 69)

    emulator.restart()
    let flushed = device.run("flush")
    #expect(flushed.status == 0)
    #expect(
      flushed.output == "\(ticket)    deactivated\n1 deactivated, 0 rejected, 0 pending\n")
    let receipt = device.json("receipt", ticket)
    #expect(receipt["state"] as? String == "deactivated")
    #expect(receipt["inferred"] as? Bool == false)
    #expect(receipt["attempts"] as? Int == 3)
    #expect(receipt["unanswered_attempts"] as? Int == 0)
    #expect(emulator.count("successes") == 1)
  }

  @Test func `tells what the server rejected, and what to compare`() {
    let emulator = Emulator()
    let device = Device(emulator)
    device.folder.write("license-key", "NO-SUCH-KEY\n")
    let result = device.run("deactivate")
    let ticket = Device.ticket(result)
    #expect(result.status == 76)
    #expect(result.output == "queued \(ticket)\nrejected \(ticket)\n")
    #expect(
      result.errors == """
        handback: error: the server rejected it: license_not_found: License with the provided \
        license user not found (HTTP 400)
        handback: hint: check product and license; queue it again with the right ones

        """)
    let again = device.run("receipt", ticket)
    #expect(again.status == 0)
    #expect(again.output.contains("state        rejected\n"))
  }

  @Test func `only queues when told so, without keys and without a connection`() {
    let emulator = Emulator()
    let device = Device(emulator)
    try? FileManager.default.removeItem(atPath: device.folder.path("shared-key"))
    let result = device.run("deactivate", "--queue-only")
    #expect(result.status == 0)
    #expect(result.output.hasPrefix("queued "))
    #expect(result.errors == "")
    #expect(emulator.count("requests") == 0)
  }

  @Test func `queues without keys being set, and says that it can't send`() {
    let device = Device()
    device.folder.write(
      "handback.conf",
      """
      HANDBACK_JOURNAL=\(device.journal)
      HANDBACK_PRODUCT=XY
      HANDBACK_HARDWARE_ID=demo-device-1
      HANDBACK_LICENSE_KEY_FILE=\(device.folder.path("license-key"))

      """)
    let result = device.run("deactivate")
    #expect(result.status == 0)
    #expect(result.output.hasPrefix("queued "))
    #expect(result.errors.hasPrefix("handback: warning: queued, but not sent: no keys are set"))
    #expect(device.run("flush").status == 78)
    #expect(device.run("deactivate", "--wait", "5").status == 78)
    #expect(device.sql("SELECT state FROM deactivation") == "0")
  }

  @Test func `returns the same ticket for the same license while it is pending`() {
    let emulator = Emulator()
    let device = Device(emulator)
    let first = device.run("deactivate", "--queue-only")
    let second = device.run("deactivate", "--queue-only")
    #expect(second.output == "queued already \(Device.ticket(first))\n")
    #expect(Device.ticket(first) == Device.ticket(second))
    #expect(device.sql("SELECT count(*) FROM deactivation") == "1")
    let other = device.run("deactivate", "--queue-only", "--license-id", "7")
    #expect(Device.ticket(other) != Device.ticket(first))
    device.run("flush")
    let third = device.run("deactivate", "--queue-only")
    #expect(third.output.hasPrefix("queued 3-"))
  }

  @Test func `sends every way to name a license, and every optional field`() throws {
    let emulator = Emulator()
    let device = Device(emulator)
    device.folder.write("token", "ACCESS.TOKEN.VALUE")
    device.folder.write("code", "AUTHCODE")
    device.folder.write("password", "p@ss \"w\" \\ ž 🔑")
    let ways: [[String]] = [
      ["--license-id", "1723642193958949", "--bundle-code", "BUN", "--consumptions", "-3"],
      ["--username", "user@example.com", "--product", "XU"],
      [
        "--username", "user@example.com", "--password-file", device.folder.path("password"),
        "--product", "XU",
      ],
      [
        "--id-token-file", device.folder.path("token"), "--customer-account-code", "CAC",
        "--product", "XU",
      ],
      [
        "--code-file", device.folder.path("code"), "--customer-account-code", "CAC",
        "--redirect-uri", "https://example.com/cb", "--product", "XU", "--sdk-ver", "mine 1",
      ],
    ]
    var bodies: [[String: Any]] = []
    for way in ways {
      _ = device.program.run(["deactivate"] + way)
      let body = emulator.log.last?["body"]
      let text = body as? String ?? ""
      let object =
        body as? [String: Any]
        ?? (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
      bodies.append(object)
    }
    #expect(bodies[0]["license_key"] as? String == "AAAA-BBBB-CCCC-DDDD")
    #expect(bodies[0]["license_id"] as? Int == 1_723_642_193_958_949)
    #expect(bodies[0]["consumptions"] as? Int == -3)
    #expect(bodies[0]["bundle_code"] as? String == "BUN")
    #expect(bodies[0]["sdk_ver"] as? String == "handback 0.1.0")
    #expect(bodies[1]["username"] as? String == "user@example.com")
    #expect(bodies[1]["password"] == nil)
    #expect(bodies[1]["license_key"] == nil)
    #expect(bodies[2]["password"] as? String == "p@ss \"w\" \\ ž 🔑")
    #expect(bodies[3]["id_token"] as? String == "ACCESS.TOKEN.VALUE")
    #expect(bodies[3]["customer_account_code"] as? String == "CAC")
    #expect(bodies[4]["code"] as? String == "AUTHCODE")
    #expect(bodies[4]["redirect_uri"] as? String == "https://example.com/cb")
    #expect(bodies[4]["sdk_ver"] as? String == "mine 1")
  }

  @Test func `takes the license key from standard input`() {
    let emulator = Emulator()
    let device = Device(emulator)
    let result = device.run("deactivate", "--license-key-file", "-", input: "AAAA-BBBB-CCCC-DDDD\n")
    #expect(result.status == 0)
    #expect(result.output.contains("deactivated"))
  }

  @Test func `waits for the verdict when told so`() {
    let emulator = Emulator()
    let device = Device(emulator, settings: ["HANDBACK_BACKOFF_BASE=1"])
    emulator.setFaults(["kind": "status", "status": 500, "count": 1])
    let result = device.run("deactivate", "--wait", "20")
    #expect(result.status == 0)
    #expect(result.output.contains("\ndeactivated "))
    emulator.setFaults(["kind": "status", "status": 500, "count": -1])
    let late = device.run("deactivate", "--wait", "1", "--hardware-id", "demo-device-2")
    #expect(late.status == 75)
    emulator.stop()
    let away = device.run("deactivate", "--wait", "1", "--hardware-id", "demo-device-3")
    #expect(away.status == 69)
  }

  @Test func `prints one stable object with --json`() {
    let emulator = Emulator()
    let device = Device(emulator)
    let result = device.run("deactivate", "--json")
    #expect(result.output.hasSuffix("}\n"))
    #expect(result.output.filter { $0 == "\n" }.count == 1)
    let object = try? JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
    #expect(
      Set(object?.keys.map { $0 } ?? []) == [
        "new", "ticket", "state", "product", "hardware_id", "license_by", "username", "license_id",
        "bundle_code", "queued_at", "attempts", "unanswered_attempts", "last_attempt_at",
        "http_status", "code", "message", "ended_at", "inferred", "license_signature",
        "restored",
      ])
    #expect(object?["state"] as? String == "deactivated")
  }

  @Test func `warns of a token that may expire before the network returns`() {
    let device = Device()
    // {"alg":"none"} . {"exp":1700000000,"sub":"u1"} .
    device.folder.write("token", "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDAsInN1YiI6InUxIn0.x")
    let result = device.run(
      "deactivate", "--queue-only", "--id-token-file", device.folder.path("token"),
      "--customer-account-code", "CAC")
    #expect(result.status == 0)
    #expect(
      result.errors.hasPrefix(
        "handback: warning: the access token expires at 2023-11-14T22:13:20Z; "))
  }
}
