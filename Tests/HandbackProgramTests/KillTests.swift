import Foundation
import TestSupport
import Testing

/// SIGKILL at random moments of queueing and flushing: what was acknowledged is never lost, and
/// the server never does one license twice.
struct KillTests {
  static let kills = Share.of(0..<200).count

  @Test func `loses nothing that was acknowledged, and does nothing twice`() {
    // Another seed by HANDBACK_SEED=N; each run prints its own when it fails.
    let environment = ProcessInfo.processInfo.environment
    let seed = environment["HANDBACK_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1..<1 << 32)
    var random = SeededGenerator(seed: seed)
    let emulator = Emulator()
    let devices = (1...Self.kills).map { "device-\($0)" }
    emulator.control(
      "/licenses",
      [
        [
          "id": 42, "product": "XY", "license_key": "AAAA-BBBB-CCCC-DDDD", "devices": devices,
        ]
      ])
    let device = Device(emulator, settings: ["HANDBACK_RATE=0"])
    var acknowledged: [String] = []
    var killed = 0
    // How long a whole call takes, from before its first write to after its last: as the first one,
    // and then as found out as it goes: longer after each kill, shorter after each call that came to
    // its end. About three in four are killed so, on a fast machine and under QEMU.
    let begun = Date()
    acknowledged.append(Device.ticket(device.run("deactivate", "--hardware-id", devices[0])))
    var spanMicroseconds = Date().timeIntervalSince(begun) * 1_000_000
    for name in devices.dropFirst() {
      let running = device.program.start(
        random.next() % 4 == 0
          ? ["flush", "--hardware-id", name] : ["deactivate", "--hardware-id", name])
      usleep(UInt32(random.next() % UInt64(spanMicroseconds)))
      kill(running.process.processIdentifier, SIGKILL)
      let result = running.finish()
      let wasKilled = result.signal == SIGKILL
      if wasKilled { killed += 1 }
      spanMicroseconds = max(spanMicroseconds * (wasKilled ? 1.03 : 0.9), 100)
      if result.output.hasPrefix("queued") { acknowledged.append(Device.ticket(result)) }
    }
    #expect(killed > Self.kills / 4, "seed \(seed): too few were killed to mean anything")
    #expect(!acknowledged.isEmpty)

    let flushed = device.run("flush")
    #expect(flushed.status == 0, "seed \(seed): \(flushed)")
    for ticket in acknowledged {
      let receipt = device.json("receipt", ticket)
      #expect(receipt["state"] as? String == "deactivated", "seed \(seed): \(receipt)")
    }
    let states = device.sql("SELECT state, count(*) FROM deactivation GROUP BY state")
    #expect(states.hasPrefix("1|") && !states.contains("\n"), "seed \(seed): \(states)")
    #expect(emulator.count("double_successes") == 0, "seed \(seed)")
    let rows = Int(device.sql("SELECT count(*) FROM deactivation"))
    #expect(emulator.count("successes") == rows, "seed \(seed)")
    #expect(device.sql("PRAGMA integrity_check") == "ok")
  }
}
