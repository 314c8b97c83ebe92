import Foundation
import TestSupport
import Testing

/// What a server may ask for, and answers that are unusual but good.
struct FaultTests {
  @Test(arguments: ["one_hundred", "chunked", "slow_bytes", "connection_close"])
  func `takes unusual but good answers`(_ kind: String) {
    let emulator = Emulator()
    let device = Device(emulator)
    emulator.setFaults(["kind": kind])
    #expect(device.run("deactivate").output.contains("\ndeactivated "))
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
    #expect((3_500_000...3_960_000).contains(left ?? 0))
  }

  @Test func `honours Retry-After as a date by the server's own clock`() {
    let emulator = Emulator()
    let device = Device(emulator)
    emulator.setFaults(["kind": "retry_after", "seconds": 600, "form": "date", "status": 503])
    device.run("deactivate")
    let left = (device.json("status")["server"] as? [String: Any])?["next_attempt_in_ms"] as? Int
    #expect((540_000...660_000).contains(left ?? 0))
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

  @Test func `what another server left unanswered proves nothing of this one`() {
    let staging = Emulator()
    let device = Device(staging)
    staging.setFaults(["kind": "reset_after"])
    #expect(device.run("deactivate", "--hardware-id", "unknown").output.hasPrefix("queued "))
    #expect(device.run("status").output.contains("an attempt is unanswered"))
    let other = Emulator()
    let result = device.run("flush", "--server", other.baseURL, "--ca-file", other.authorityFile)
    #expect(result.status == 76, "\(result)")
    #expect(result.output.contains("rejected"))
  }

  @Test func `a server's address with a slash at its end is the same server's`() {
    let emulator = Emulator()
    let device = Device(emulator)
    emulator.setFaults(["kind": "reset_after"])
    device.run("deactivate")
    let result = device.run("flush", "--server", emulator.baseURL + "/")
    #expect(result.output.contains("inferred"), "\(result)")
  }

  @Test func `corrects a clock that the server refuses, once, and keeps it`() {
    let emulator = Emulator("--clock-offset", "86400")
    let device = Device(emulator)
    let result = device.run("deactivate")
    #expect(result.output.contains("\ndeactivated "), "\(result)")
    // A day, as of when its answer was read.
    #expect(result.errors.contains(/the server's clock is 86[34]\d\d s ahead of ours/))
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
