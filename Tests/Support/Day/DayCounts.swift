/// How much the agent does in each hour, held against how much happened.
public struct DayCounts: Sendable {
  struct Hour {
    var wakes = 0
    var passes = 0
    var requests = 0
    var events = 0
  }

  private var hours: [Hour] = []

  mutating func addWake(_ elapsed: Int64) { change(elapsed) { $0.wakes += 1 } }
  mutating func addPass(_ elapsed: Int64) { change(elapsed) { $0.passes += 1 } }
  mutating func addRequest(_ elapsed: Int64) { change(elapsed) { $0.requests += 1 } }
  /// A storm of a thousand changes of the link is one event.
  mutating func addEvent(_ elapsed: Int64) { change(elapsed) { $0.events += 1 } }

  private mutating func change(_ elapsed: Int64, _ body: (inout Hour) -> Void) {
    let hour = Int(elapsed / 3_600_000)
    while hours.count <= hour { hours.append(Hour()) }
    body(&hours[hour])
  }

  public var wakes: Int { hours.reduce(0) { $0 + $1.wakes } }
  public var passes: Int { hours.reduce(0) { $0 + $1.passes } }
  public var requests: Int { hours.reduce(0) { $0 + $1.requests } }
  public var events: Int { hours.reduce(0) { $0 + $1.events } }

  /// Two tries for each thing that happened, and those of a backoff that begins anew; a wake for
  /// each, a look at the journal and one at the network. In 20,000 days there were never more than
  /// 14 and 11 beyond the multiples.
  var problems: [String] {
    var problems: [String] = []
    for (number, hour) in hours.enumerated() {
      if hour.passes > 2 * hour.events + 24 {
        problems.append("hour \(number): \(hour.passes) passes for \(hour.events) events")
      }
      if hour.wakes > 3 * (hour.events + hour.passes) + 24 {
        problems.append(
          "hour \(number): woke \(hour.wakes) times for \(hour.events) events and "
            + "\(hour.passes) passes")
      }
    }
    return problems
  }
}
