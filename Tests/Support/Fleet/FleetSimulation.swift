import HandbackCore

/// The server that a fleet comes back to.
public struct FleetServer: Sendable {
  /// Answered in one second; the rest gets a 503.
  public var requestsPerSecondMax: Int
  /// No answer to anybody before that.
  public var isBackAfterSeconds: Int
  /// With each 503.
  public var retryAfterSeconds: Int64?

  public init(
    requestsPerSecondMax: Int, isBackAfterSeconds: Int = 0, retryAfterSeconds: Int64? = nil
  ) {
    self.requestsPerSecondMax = requestsPerSecondMax
    self.isBackAfterSeconds = isBackAfterSeconds
    self.retryAfterSeconds = retryAfterSeconds
  }
}

/// A fleet before one server, from a seed: every device has one license to give back and tries
/// until it could.
///
/// Time is a wheel of tenths of a second; in each lie the devices that try then. A device is only
/// what it remembers: they are all alike, so none needs a name.
public struct FleetSimulation<Client: FleetClient> {
  public let client: Client
  public let server: FleetServer
  public let deviceCount: Int
  /// Watched from the server's return on.
  public let horizonSeconds: Int

  public init(
    _ client: Client, _ server: FleetServer, deviceCount: Int = 1_000_000,
    horizonSeconds: Int = 172_800
  ) {
    self.client = client
    self.server = server
    self.deviceCount = deviceCount
    self.horizonSeconds = horizonSeconds
  }

  public func run(seed: UInt64) -> FleetResult {
    var random = SeededGenerator(seed: seed)
    let backTick = server.isBackAfterSeconds * TimeWheel.ticksPerSecond
    let tickCount = backTick + horizonSeconds * TimeWheel.ticksPerSecond
    let wheel = TimeWheel(tickCount: tickCount)
    var result = FleetResult(deviceCount: deviceCount, capacity: server.requestsPerSecondMax)

    for _ in 0..<deviceCount {
      let wait = client.firstWaitMilliseconds(random: random.next())
      wheel.put(FleetDevice(), milliseconds: wait, after: 0)
    }
    var answered = 0
    for tick in 1..<tickCount {
      let devices = wheel.take(tick)
      defer { devices.deallocate() }
      if tick % TimeWheel.ticksPerSecond == 0 { answered = 0 }
      guard !devices.isEmpty else { continue }
      if tick < backTick {
        result.requestsWhileDown += devices.count
        for var device in devices {
          let wait = client.waitMilliseconds(afterFaultOf: &device, random: random.next())
          wheel.put(device, milliseconds: wait, after: tick)
        }
        continue
      }
      result.note(requests: devices.count, second: (tick - backTick) / TimeWheel.ticksPerSecond)
      for var device in devices {
        if answered < server.requestsPerSecondMax {
          answered += 1
          result.noteReturn(second: (tick - backTick) / TimeWheel.ticksPerSecond)
        } else {
          let wait = client.waitMilliseconds(
            afterRefusalOf: &device, retryAfterSeconds: server.retryAfterSeconds,
            random: random.next())
          wheel.put(device, milliseconds: wait, after: tick)
        }
      }
      if result.returned == deviceCount { break }
    }
    return result
  }
}
