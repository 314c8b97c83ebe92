/// How much the agent does in each hour, held against how much happened.
public struct DayCounts: Sendable {
  struct Hour {
    var wakes = 0
    var passes = 0
    var vainPasses = 0
    var requests = 0
    var events = 0
    var linkChanges = 0
  }

  private var hours: [Hour] = []

  mutating func addWake(_ elapsed: Int64) { change(elapsed) { $0.wakes += 1 } }
  mutating func addPass(_ elapsed: Int64) { change(elapsed) { $0.passes += 1 } }
  /// One that found nothing to send.
  mutating func addVainPass(_ elapsed: Int64) { change(elapsed) { $0.vainPasses += 1 } }
  mutating func addRequest(_ elapsed: Int64) { change(elapsed) { $0.requests += 1 } }
  mutating func addEvent(_ elapsed: Int64) { change(elapsed) { $0.events += 1 } }
  /// One of a flapping link, which as a whole is one event.
  mutating func addLinkChange(_ elapsed: Int64) { change(elapsed) { $0.linkChanges += 1 } }

  private mutating func change(_ elapsed: Int64, _ body: (inout Hour) -> Void) {
    let hour = Int(elapsed / 3_600_000)
    while hours.count <= hour { hours.append(Hour()) }
    body(&hours[hour])
  }

  public var wakes: Int { hours.reduce(0) { $0 + $1.wakes } }
  public var passes: Int { hours.reduce(0) { $0 + $1.passes } }
  public var requests: Int { hours.reduce(0) { $0 + $1.requests } }
  public var events: Int { hours.reduce(0) { $0 + $1.events } }

  /// For each thing that happened two tries, and those of a backoff that begins anew, however often
  /// the link flaps; for each a wake, a look at the network and one at the journal. An agent that is
  /// started again while it does counts its changes anew: 69 tries were the most that were seen.
  var problems: [String] {
    var problems: [String] = []
    for (number, hour) in hours.enumerated() {
      if hour.passes > 2 * hour.events + 80 || hour.vainPasses > 3 {
        problems.append(
          "hour \(number): \(hour.passes) passes, \(hour.vainPasses) in vain, for "
            + "\(hour.events) events")
      }
      if hour.wakes > 3 * (hour.events + hour.linkChanges + hour.passes) + 24 {
        problems.append(
          "hour \(number): woke \(hour.wakes) times for \(hour.events) events, "
            + "\(hour.linkChanges) changes of the link and \(hour.passes) passes")
      }
    }
    return problems
  }
}
