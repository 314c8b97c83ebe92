import Foundation

/// Two network namespaces and a cable between them: a device, and behind a router that is there too,
/// the license server `license.test`. Made for one test, removed with it.
///
/// The device is 10.0.2.15 and fd00:2::15 on `cable`; the router 10.0.2.2 and fd00:2::2. The server's
/// own addresses, 192.0.2.10 and 2001:db8::10, are reached by a default route only. At 192.0.2.99 and
/// 2001:db8::99 nobody answers.
public final class Networks: @unchecked Sendable {
  public let device: String
  public let server: String
  private static let ip = ["/usr/sbin/ip", "/sbin/ip"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  /// Whether this machine lets a test make network namespaces (root, iproute2, no sandbox).
  public static let areAllowed: Bool = {
    guard let ip, getuid() == 0 else { return false }
    let name = "hb-try-\(getpid())"
    let isMade = Command.run(ip, ["netns", "add", name]).status == 0
    if isMade { Command.run(ip, ["netns", "del", name]) }
    return isMade
  }()

  /// Names that the device knows, as in /etc/hosts.
  public init(hosts: String = "192.0.2.10 license.test\n") {
    let tag = String(UInt32.random(in: 0..<1 << 24), radix: 36)
    device = "hb-device-\(tag)"
    server = "hb-server-\(tag)"
    run("netns", "add", device)
    run("netns", "add", server)
    run("link", "add", "cable", "netns", device, "type", "veth", "peer", "router", "netns", server)
    run("-n", server, "link", "set", "lo", "up")
    run("-n", device, "link", "set", "lo", "up")
    run("-n", server, "addr", "add", "10.0.2.2/24", "dev", "router")
    run("-n", server, "addr", "add", "fd00:2::2/64", "dev", "router", "nodad")
    run("-n", server, "addr", "add", "192.0.2.10/32", "dev", "lo")
    run("-n", server, "addr", "add", "2001:db8::10/128", "dev", "lo", "nodad")
    run("-n", server, "link", "set", "router", "up")
    // Without it, the router would say that it has no route.
    run("-n", server, "-6", "route", "add", "blackhole", "2001:db8::99/128")
    // What `ip netns exec` shows the device in the place of the files in /etc.
    let folder = "/etc/netns/\(device)"
    try? FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true)
    try? "127.0.0.1 localhost\n\(hosts)".write(
      toFile: folder + "/hosts", atomically: true, encoding: .utf8)
    // A name server that never answers.
    try? "nameserver 192.0.2.99\n".write(
      toFile: folder + "/resolv.conf", atomically: true, encoding: .utf8)
  }

  deinit {
    run("netns", "del", device)
    run("netns", "del", server)
    try? FileManager.default.removeItem(atPath: "/etc/netns/\(device)")
  }

  public var inDevice: [String] { [Self.ip ?? "ip", "netns", "exec", device] }
  public var inServer: [String] { [Self.ip ?? "ip", "netns", "exec", server] }

  /// `ip` with these words, in the device.
  @discardableResult
  public func change(_ words: String...) -> Int32 {
    Command.run(Self.ip ?? "ip", ["-n", device] + words).status
  }

  /// Many changes at once, a line each.
  public func changeAll(_ lines: [String]) {
    let folder = TemporaryFolder()
    let file = folder.write("batch", lines.joined(separator: "\n") + "\n")
    Command.run(Self.ip ?? "ip", ["-n", device, "-force", "-batch", file])
  }

  /// Brings the device to the network, over IPv4 and IPv6.
  public func connect() {
    change("link", "set", "cable", "up")
    change("addr", "add", "10.0.2.15/24", "dev", "cable")
    change("addr", "add", "fd00:2::15/64", "dev", "cable", "nodad")
    change("route", "add", "default", "via", "10.0.2.2")
    change("-6", "route", "add", "default", "via", "fd00:2::2")
  }

  public func emulator() -> Emulator {
    // On all addresses, IPv6's and IPv4's.
    Emulator("--bind", "::", "--allow-remote", wrapper: inServer)
  }

  private func run(_ words: String...) {
    let result = Command.run(Self.ip ?? "ip", words)
    if result.status != 0 { print("ip \(words.joined(separator: " ")): \(result)") }
  }
}
