import HandbackCore
import TestSupport

/// One line of a table: a client, and what it is asked to live through.
struct Row: Sendable {
  let name: String
  var scenes: [Scene] = Scene.allCases
  let run: @Sendable (Scene, Options) -> FleetResult

  init(
    _ name: String, _ client: some FleetClient, scenes: [Scene] = Scene.allCases,
    retryAfterSeconds: Int64? = nil
  ) {
    self.name = name
    self.scenes = scenes
    run = { scene, options in
      let server = FleetServer(
        requestsPerSecondMax: options.capacity, isBackAfterSeconds: scene.isBackAfterSeconds,
        retryAfterSeconds: retryAfterSeconds)
      return FleetSimulation(client, server, deviceCount: options.deviceCount)
        .run(seed: options.seed)
    }
  }

  private static func handback(
    spread seconds: Int64 = 0, backoff: Backoff = FlushRules().backoff
  ) -> HandbackClient {
    var rules = FlushRules()
    rules.backoff = backoff
    return HandbackClient(rules: rules, firstTrySpreadMilliseconds: seconds * 1000)
  }

  /// Slowest first, since they share the processors.
  static let clients: [Row] = {
    let backoff = FlushRules().backoff
    return [
      Row("Vector: Fibonacci 1..30 s, full jitter", PlainClient(.fibonacci1to30)),
      Row("rauc-hawkbit-updater: 300 s", PlainClient(.fixed(milliseconds: 300_000))),
      Row("Mender: 60..300 s, no jitter", PlainClient(.threeTimesEach)),
      Row("Fluent Bit: full jitter 5..2000 s", PlainClient(.fullJitter5to2000)),
      Row("memfaultd: first 0..900 s, no jitter", PlainClient(.doublingFromRandomStart)),
      Row("Handback's waits without jitter", PlainClient(.doubling(backoff))),
      Row("Handback's waits, equal jitter", PlainClient(.equalJitter(backoff))),
      Row("Handback", handback(), scenes: [.outage]),
      Row("Handback, first-try-spread 0", handback(), scenes: [.crowd]),
      Row("… and Retry-After: 120", handback(), scenes: [.crowd], retryAfterSeconds: 120),
      Row("Handback, first-try-spread 300", handback(spread: 300), scenes: [.crowd]),
      Row(
        "… and Retry-After: 120", handback(spread: 300), scenes: [.crowd], retryAfterSeconds: 120),
      Row("Handback, first-try-spread 600", handback(spread: 600), scenes: [.crowd]),
    ]
  }()

  /// What the defaults could have been.
  static let choices: [Row] = {
    var rows: [Row] = []
    for base in [10, 30, 120] as [Int64] {
      for ceiling in [900, 1800, 3600, 7200] as [Int64] {
        let backoff = Backoff(baseMilliseconds: base * 1000, ceilingMilliseconds: ceiling * 1000)
        rows.append(
          Row(
            "backoff-base \(base), backoff-ceiling \(ceiling)", handback(backoff: backoff),
            scenes: [.outage]))
      }
    }
    for base in [10, 30, 120] as [Int64] {
      for spread in [0, 60, 300, 600, 900] as [Int64] {
        let backoff = Backoff(
          baseMilliseconds: base * 1000,
          ceilingMilliseconds: FlushRules().backoff.ceilingMilliseconds)
        rows.append(
          Row(
            "first-try-spread \(spread), backoff-base \(base)",
            handback(spread: spread, backoff: backoff), scenes: [.crowd]))
      }
    }
    return rows
  }()
}
