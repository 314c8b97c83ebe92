import HandbackCore
import TestSupport
import Testing

/// The kernel's list of routes, in the bytes of linux/rtnetlink.h.
struct RouteListTests {
  /// One RTM_NEWROUTE message, with what of it matters here.
  struct Route {
    var destination: [UInt8] = []
    var prefixLength: UInt8 = 0
    var gateway: [UInt8] = [10, 0, 2, 2]
    var interface: UInt8 = 2
    var table: UInt8 = 254
    var type: UInt8 = 1
    var flags: UInt8 = 0
    /// RTA_CACHEINFO: ages, which change by themselves.
    var age: UInt8 = 0

    var bytes: [UInt8] {
      var body: [UInt8] = [2, prefixLength, 0, 0, table, 3, 0, type, flags, 0, 0, 0]
      func add(_ kind: UInt8, _ value: [UInt8]) {
        guard !value.isEmpty else { return }
        body += [UInt8(value.count + 4), 0, kind, 0] + value
        while body.count % 4 != 0 { body.append(0) }
      }
      add(15, [table, 0, 0, 0])
      add(1, destination)
      add(4, [interface, 0, 0, 0])
      add(5, gateway)
      add(12, [age, 0, 0, 0])
      return RouteListTests.message(24, body)
    }
  }

  private static func message(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
    [UInt8(body.count + 16), 0, 0, 0, type, 0, 2, 0] + [UInt8](repeating: 0, count: 8) + body
  }

  private static func list(_ routes: Route...) -> RouteList {
    var list = RouteList()
    list.takeAll(routes.flatMap(\.bytes))
    return list
  }

  private static let neighbours = Route(
    destination: [10, 0, 2, 0], prefixLength: 24, gateway: [])

  @Test func `a default route leads anywhere, another to neighbours, none nowhere`() {
    #expect(RouteList().reach == .none)
    #expect(Self.list(Route()).reach == .wide)
    #expect(Self.list(Self.neighbours).reach == .narrow)
    #expect(Self.list(Self.neighbours, Route()).reach == .wide)
    #expect(Self.list(Route(), Self.neighbours).reach == .wide)
    // A tunnel's two halves.
    #expect(Self.list(Route(destination: [128, 0, 0, 0], prefixLength: 1)).reach == .wide)
    // Another table than the main one, by a rule.
    #expect(Self.list(Route(table: 100)).reach == .wide)
  }

  @Test(
    arguments: [
      Route(interface: 1), Route(table: 255), Route(type: 7), Route(type: 6), Route(type: 2),
      Route(flags: 1), Route(flags: 16),
      Route(destination: [169, 254, 0, 0], prefixLength: 16, gateway: []),
      Route(
        destination: [0xFE, 0x80] + [UInt8](repeating: 0, count: 14), prefixLength: 64,
        gateway: []),
    ])
  func `what stays on this machine, or leads nowhere, is no way out`(route: Route) {
    #expect(Self.list(route).reach == .none)
  }

  @Test func `the mark tells when a way or an address of ours came or went`() {
    let mark = Self.list(Self.neighbours, Route()).mark
    #expect(Self.list(Route(), Self.neighbours).mark == mark, "in whatever order")
    #expect(Self.list(Self.neighbours, Route(age: 9)).mark == mark, "ages are no news")
    #expect(Self.list(Self.neighbours, Route(), Route(flags: 16)).mark == mark, "no carrier")
    for other in [
      Self.list(Self.neighbours), Self.list(Self.neighbours, Route(gateway: [10, 0, 2, 3])),
      Self.list(Self.neighbours, Route(interface: 3)),
      Self.list(Self.neighbours, Route(), Route()),
      Self.list(
        Self.neighbours, Route(),
        Route(destination: [10, 0, 2, 15], prefixLength: 32, gateway: [], table: 255, type: 2)),
    ] {
      #expect(other.mark != mark)
    }
  }

  @Test func `ends with the kernel's word`() {
    for isEnd in [true, false] {
      var list = RouteList()
      list.takeAll(Route().bytes)
      #expect(!list.isComplete && !list.isRefused)
      list.takeAll(Route().bytes + Self.message(isEnd ? 3 : 2, [0, 0, 0, 0]))
      #expect(list.isComplete == isEnd && list.isRefused == !isEnd)
    }
  }

  @Test func `bytes that are cut or changed at every place do no harm`() {
    let bytes = Self.neighbours.bytes + Route().bytes + Self.message(3, [0, 0, 0, 0])
    for end in 0...bytes.count {
      var list = RouteList()
      list.takeAll(Array(bytes[..<end]))
    }
    for index in bytes.indices {
      for value in [0, 1, 3, 4, 0x7F, 0xFF] as [UInt8] {
        var changed = bytes
        changed[index] = value
        var list = RouteList()
        list.takeAll(changed)
      }
    }
  }
}

extension RouteList {
  fileprivate mutating func takeAll(_ bytes: [UInt8]) { take(bytes.span) }
}
