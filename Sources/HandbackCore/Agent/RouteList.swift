/// The kernel's list of routes, as netlink tells it, boiled down to what the agent has to know.
///
/// Layout: linux/netlink.h and linux/rtnetlink.h; rtnetlink(7).
public struct RouteList: Sendable {
  public private(set) var reach = Reach.none
  public private(set) var mark: UInt64 = 0
  /// The kernel said that this was all.
  public private(set) var isComplete = false
  /// It said that it won't tell.
  public private(set) var isRefused = false

  public init() {}

  public var view: NetworkView { NetworkView(reach: reach, mark: mark) }

  /// Takes what one `recv` brought: whole messages.
  public mutating func take(_ bytes: Span<UInt8>) {
    var start = 0
    while start + 16 <= bytes.count {
      let length = Int(clamping: Self.word(bytes, start))
      guard length >= 16, length <= bytes.count - start else { break }
      switch Self.half(bytes, start + 4) {
      case Self.messageEnd: isComplete = true
      case Self.messageError: isRefused = true
      case Self.messageRoute: takeRoute(bytes.extracting((start + 16)..<(start + length)))
      default: break
      }
      start += Self.aligned(length)
    }
  }

  private mutating func takeRoute(_ route: Span<UInt8>) {
    guard route.count >= 12 else { return }
    let prefixLength = route[1]
    let type = route[7]
    let flags = Self.word(route, 8)
    // Without a carrier a route leads nowhere; it is listed all the same.
    guard flags & (Self.flagDead | Self.flagLinkDown | Self.flagCloned) == 0 else { return }
    guard type == Self.typeUnicast || type == Self.typeLocal else { return }
    // FNV-1a; the sum over the routes is the same in whatever order they come.
    var hash = Self.hash(0xCBF2_9CE4_8422_2325, route.extracting(0..<8))
    var table = UInt32(route[4])
    var interface: UInt32 = 0
    var isLinkLocal = false
    var start = 12
    while start + 4 <= route.count {
      let length = Int(Self.half(route, start))
      guard length >= 4, start + length <= route.count else { break }
      let value = route.extracting((start + 4)..<(start + length))
      let kind = Self.half(route, start + 2)
      switch kind {
      case Self.table where value.count == 4: table = Self.word(value, 0)
      case Self.interface where value.count == 4: interface = Self.word(value, 0)
      case Self.destination: isLinkLocal = Self.isLinkLocal(value)
      default: break
      }
      if Self.namesTheWay(kind) { hash = Self.hash(hash, value) }
      start += Self.aligned(length)
    }
    mark &+= hash
    // The local table's are our own addresses, and those over the loopback stay here.
    guard type == Self.typeUnicast, table != Self.tableLocal, interface != Self.loopback,
      !isLinkLocal
    else { return }
    // Tunnels take all traffic by two halves of the default route.
    if prefixLength <= 1 { reach = .wide } else if reach == .none { reach = .narrow }
  }

  /// What differs when the way differs; ages and measures don't.
  private static func namesTheWay(_ kind: UInt16) -> Bool {
    switch kind {
    case destination, interface, gateway, priority, preferredSource, multipath, table, via, nextHop:
      true
    default: false
    }
  }

  private static func isLinkLocal(_ address: Span<UInt8>) -> Bool {
    if address.count == 4 { return address[0] == 169 && address[1] == 254 }
    return address.count == 16 && address[0] == 0xFE && address[1] & 0xC0 == 0x80
  }

  private static func hash(_ start: UInt64, _ bytes: Span<UInt8>) -> UInt64 {
    var hash = start
    for index in bytes.indices { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
    return hash
  }

  private static func aligned(_ length: Int) -> Int { (length + 3) & ~3 }

  /// In the machine's byte order, as the kernel writes it: every board's is little-endian.
  private static func word(_ bytes: Span<UInt8>, _ at: Int) -> UInt32 {
    var value: UInt32 = 0
    for index in 0..<4 { value |= UInt32(bytes[at + index]) << UInt32(8 * index) }
    return value
  }

  private static func half(_ bytes: Span<UInt8>, _ at: Int) -> UInt16 {
    UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8
  }

  // NLMSG_DONE, NLMSG_ERROR, RTM_NEWROUTE.
  private static let messageEnd: UInt16 = 3
  private static let messageError: UInt16 = 2
  private static let messageRoute: UInt16 = 24
  // RTN_UNICAST, RTN_LOCAL; RT_TABLE_LOCAL; LOOPBACK_IFINDEX of the kernel's net/flow.h.
  private static let typeUnicast: UInt8 = 1
  private static let typeLocal: UInt8 = 2
  private static let tableLocal: UInt32 = 255
  private static let loopback: UInt32 = 1
  // RTNH_F_DEAD, RTNH_F_LINKDOWN, RTM_F_CLONED.
  private static let flagDead: UInt32 = 1
  private static let flagLinkDown: UInt32 = 16
  private static let flagCloned: UInt32 = 0x200
  // RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC, RTA_MULTIPATH, RTA_TABLE, RTA_VIA,
  // RTA_NH_ID.
  private static let destination: UInt16 = 1
  private static let interface: UInt16 = 4
  private static let gateway: UInt16 = 5
  private static let priority: UInt16 = 6
  private static let preferredSource: UInt16 = 7
  private static let multipath: UInt16 = 9
  private static let table: UInt16 = 15
  private static let via: UInt16 = 18
  private static let nextHop: UInt16 = 30
}
