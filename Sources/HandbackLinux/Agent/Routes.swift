internal import CLibc
public import HandbackCore

/// The kernel's routes.
public enum Routes {
  /// The ways out as they are now; `nil` if the kernel doesn't tell (a sandbox without netlink).
  ///
  /// If `host` is an address, the kernel knows whether a route leads there; a name's may be any
  /// that has a default route.
  public static func read(to host: Text, throughProxy: Bool) -> NetworkView? {
    let file = clibc_route_list()
    guard file >= 0 else { return nil }
    defer { close(file) }
    var list = RouteList()
    // netlink(7): what is read into has 8 KiB, or messages are cut.
    var buffer = InlineArray<8192, UInt8>(repeating: 0)
    while !list.isComplete {
      var span = buffer.mutableSpan
      let count = unsafe span.withUnsafeMutableBytes {
        unsafe recv(file, $0.baseAddress, $0.count, 0)
      }
      if count > 0 {
        list.take(buffer.span.extracting(0..<count))
        if list.isRefused { return nil }
      } else if count == 0 || clibc_errno() != EINTR {
        return nil
      }
    }
    return NetworkView(reach: reach(list.reach, host, throughProxy), mark: list.mark)
  }

  private static func reach(_ listed: Reach, _ host: Text, _ throughProxy: Bool) -> Reach {
    // A proxy is a neighbour as a rule, and the way to the server is its own. One on this machine, or
    // on a link's own addresses, needs no route that is listed: that is tried now and then.
    if throughProxy { return listed == .none ? .narrow : .wide }
    switch unsafe clibc_has_route_to(host.cString) {
    case 0: return .none
    case 1: return .wide
    default: return listed
    }
  }
}
