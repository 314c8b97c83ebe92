import Foundation
import TestSupport
import Testing

/// What has ended is erased from the WAL, too, however the pass ends that sent it: it may be the
/// last one on this device.
struct ErasureTests {
  /// Two are queued; the server answers about the first, and lets the second hang.
  private func prepared() -> (emulator: Emulator, device: Device) {
    let emulator = Emulator()
    let device = Device(emulator)
    for name in ["demo-device-1", "demo-device-2"] {
      device.run("deactivate", "--queue-only", "--hardware-id", name)
    }
    emulator.setFaults(["kind": "connection_close"], ["kind": "stall_after"])
    return (emulator, device)
  }

  private func expectErased(_ device: Device, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(
      device.folder.read("state/journal.db-wal") == Data(), sourceLocation: sourceLocation)
    #expect(
      device.sql("SELECT group_concat(state) FROM deactivation") == "1,0",
      sourceLocation: sourceLocation)
  }

  @Test func `by an agent that is asked to end`() {
    let (emulator, device) = prepared()
    let agent = RunningAgent(device)
    #expect(waitFor { emulator.count("requests") == 2 }, "\(agent.errors)")
    #expect(agent.end().status == 0)
    expectErased(device)
  }

  @Test func `by an agent at its deadline`() {
    let (emulator, device) = prepared()
    #expect(device.run("agent", "--until-empty", "--deadline", "3").status == 75)
    #expect(emulator.count("requests") == 2)
    expectErased(device)
  }

  @Test func `by a flush whose output can't be written`() {
    let (emulator, device) = prepared()
    #expect(device.shell("$program flush --timeout 3 >/dev/full").status == 74)
    #expect(emulator.count("requests") == 2)
    expectErased(device)
  }
}
