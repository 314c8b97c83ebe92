import HandbackCore
import TestSupport
import Testing

/// The simulation behind the README's figures on fleets, at a fiftieth of its size.
struct FleetTests {
  private static let capacity = 40
  private static let deviceCount = 20_000

  private func run(
    _ client: some FleetClient, downSeconds: Int = 0, retryAfterSeconds: Int64? = nil,
    seed: UInt64 = 1
  ) -> FleetResult {
    let server = FleetServer(
      requestsPerSecondMax: Self.capacity, isBackAfterSeconds: downSeconds,
      retryAfterSeconds: retryAfterSeconds)
    return FleetSimulation(
      client, server, deviceCount: Self.deviceCount, horizonSeconds: 20_000
    ).run(seed: seed)
  }

  private static func handback(spreadSeconds: Int64 = 0) -> HandbackClient {
    HandbackClient(firstTrySpreadMilliseconds: spreadSeconds * 1000)
  }

  @Test func `after a night without a server, nobody is refused`() {
    let result = run(Self.handback(), downSeconds: 8 * 3600)
    #expect(result.returned == Self.deviceCount)
    #expect(result.secondsOverCapacity == 0)
    #expect(result.requestsAfterReturn == Self.deviceCount)
    // The ceiling of the backoff is an hour.
    #expect((1800...3600).contains(result.second(percent: 100) ?? 0))
    // 6 doublings to the ceiling, then one try in half an hour.
    #expect((20...28).contains(result.requestsPerDevice))
  }

  @Test func `without jitter all come in one second`() {
    let result = run(PlainClient(.doubling(FlushRules().backoff)), downSeconds: 8 * 3600)
    #expect(result.peak == Self.deviceCount)
    #expect(result.second(percent: 50) == nil)
  }

  @Test func `a spread first try removes the herd`() {
    let herd = run(Self.handback())
    #expect(herd.peak == Self.deviceCount)
    #expect(herd.requestsPerDevice > 4)
    let spread = run(Self.handback(spreadSeconds: 600))
    #expect(spread.peak < 2 * Self.capacity)
    #expect(spread.requestsPerDevice < 1.2)
    #expect(spread.second(percent: 99) ?? .max < 660)
  }

  @Test(arguments: [
    PlainClient.Way.fixed(milliseconds: 300_000), .threeTimesEach, .fibonacci1to30,
    .fullJitter5to2000, .equalJitter(FlushRules().backoff),
  ])
  func `other ways come back worse from one moment`(way: PlainClient.Way) {
    let ours = run(Self.handback(spreadSeconds: 300))
    let other = run(PlainClient(way))
    #expect(other.peak > 20 * ours.peak)
    #expect(other.requestsPerDevice > ours.requestsPerDevice)
  }

  @Test func `Retry-After is kept by all, with less load`() {
    let result = run(Self.handback(), retryAfterSeconds: 120)
    // The first second's refused come after 120 s and within a tenth of it more.
    #expect(result.load[1..<120].allSatisfy { $0 == 0 })
    #expect(result.load[120...132].reduce(0, +) == Int32(Self.deviceCount - Self.capacity))
  }

  @Test func `a seed tells one story`() {
    let result = run(Self.handback(spreadSeconds: 60))
    #expect(run(Self.handback(spreadSeconds: 60)) == result)
    #expect(run(Self.handback(spreadSeconds: 60), seed: 2) != result)
  }

  /// The fleet's devices keep two counts where the product has a `Flusher` and a journal: they
  /// must wait just as long.
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `a device waits as the product does`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var script: [ScriptedServer.Reply] = []
    for _ in 0..<30 {
      switch random.next() % 4 {
      case 0: script.append(.answer(Answer(503)))
      case 1: script.append(.answer(Answer(503, "", fields: ["Retry-After: 120"])))
      default: script.append(.unreachable(.connect))
      }
    }
    let bench = FlushBench(script: script, seed: seed)
    let client = Self.handback()
    var device = FleetDevice()
    var waits = SeededGenerator(seed: seed)
    for reply in script {
      let expected: Int64
      switch reply {
      case .answer(let answer):
        var retryAfterSeconds: Int64?
        if case .seconds(let seconds)? = answer.retryAfter { retryAfterSeconds = seconds }
        expected = client.waitMilliseconds(
          afterRefusalOf: &device, retryAfterSeconds: retryAfterSeconds, random: waits.next())
      default:
        expected = client.waitMilliseconds(afterFaultOf: &device, random: waits.next())
      }
      try bench.pass()
      let now = bench.clock.now
      let left = max(
        bench.journal.server.wait?.millisecondsLeft(at: now) ?? 0,
        bench.journal.row(1).wait?.millisecondsLeft(at: now) ?? 0)
      #expect(left == expected)
      bench.clock.advance(milliseconds: left)
    }
  }
}
