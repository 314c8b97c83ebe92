/// How a fleet came back; seconds count from the server's return.
public struct FleetResult: Sendable, Equatable {
  public let deviceCount: Int
  /// Requests that the server answers in a second.
  public let capacity: Int
  public var requestsWhileDown = 0
  /// Requests in each second.
  public private(set) var load: [Int32] = []
  /// Licenses that came back in each second.
  public private(set) var returns: [Int32] = []
  public private(set) var returned = 0

  init(deviceCount: Int, capacity: Int) {
    self.deviceCount = deviceCount
    self.capacity = capacity
  }

  mutating func note(requests: Int, second: Int) {
    while load.count <= second {
      load.append(0)
      returns.append(0)
    }
    load[second] += Int32(requests)
  }

  mutating func noteReturn(second: Int) {
    returns[second] += 1
    returned += 1
  }

  public var peak: Int { Int(load.max() ?? 0) }
  public var requestsAfterReturn: Int { load.reduce(0) { $0 + Int($1) } }
  public var requestsPerDevice: Double {
    Double(requestsWhileDown + requestsAfterReturn) / Double(deviceCount)
  }

  /// Seconds with more requests than the server can answer.
  public var secondsOverCapacity: Int { load.count { $0 > capacity } }

  /// The second in which so many hundredths of the fleet were back; `nil` if they never were.
  public func second(percent: Int) -> Int? {
    let wanted = (deviceCount * percent + 99) / 100
    var count = 0
    for (second, number) in returns.enumerated() {
      count += Int(number)
      if count >= wanted { return second }
    }
    return nil
  }
}
