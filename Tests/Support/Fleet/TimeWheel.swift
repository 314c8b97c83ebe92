/// The devices that try in each tenth of a second.
///
/// Two thousand million tries are put into it in one run of `scripts/fleet`, so its slots are plain
/// memory: as arrays they took twice the time.
final class TimeWheel {
  static let ticksPerSecond = 10

  private struct Slot {
    var devices: UnsafeMutablePointer<FleetDevice>?
    var count: Int32 = 0
    var capacity: Int32 = 0
  }

  private let slots: UnsafeMutableBufferPointer<Slot>

  init(tickCount: Int) {
    slots = .allocate(capacity: tickCount)
    slots.initialize(repeating: Slot())
  }

  deinit {
    for slot in slots { slot.devices?.deallocate() }
    slots.deallocate()
  }

  /// A try always costs some time: the next is in the next tick at the earliest. What lies beyond
  /// the wheel's end is never taken.
  @inline(__always)
  func put(_ device: FleetDevice, milliseconds: Int64, after tick: Int) {
    let next = tick + max(Int(milliseconds) * Self.ticksPerSecond / 1000, 1)
    guard next < slots.count else { return }
    if slots[next].count == slots[next].capacity { grow(&slots[next]) }
    slots[next].devices.unsafelyUnwrapped[Int(slots[next].count)] = device
    slots[next].count += 1
  }

  private func grow(_ slot: inout Slot) {
    let capacity = max(slot.capacity * 2, 64)
    let devices = UnsafeMutablePointer<FleetDevice>.allocate(capacity: Int(capacity))
    if let old = slot.devices {
      devices.update(from: old, count: Int(slot.count))
      old.deallocate()
    }
    slot.devices = devices
    slot.capacity = capacity
  }

  /// Whose turn it is; the caller gives the memory back.
  func take(_ tick: Int) -> UnsafeMutableBufferPointer<FleetDevice> {
    let slot = slots[tick]
    slots[tick] = Slot()
    return UnsafeMutableBufferPointer(start: slot.devices, count: Int(slot.count))
  }
}
