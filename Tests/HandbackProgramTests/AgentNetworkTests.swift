import Foundation
import TestSupport
import Testing

/// The agent in a network of its own: the way out comes and goes in every way there is, and leads
/// nowhere in some.
@Suite(.enabled(if: Networks.areAllowed, "this machine forbids network namespaces"))
struct AgentNetworkTests {
  /// A device in its own network, and the emulator behind a default route.
  struct Scene {
    let networks: Networks
    let emulator: Emulator
    let device: Device

    init(
      hosts: String = "192.0.2.10 license.test\n", server: String? = nil, settings: [String] = []
    ) {
      networks = Networks(hosts: hosts)
      emulator = networks.emulator()
      var device = Device(
        server: server ?? "https://license.test:\(emulator.port)",
        settings: ["HANDBACK_CA_FILE=\(emulator.authorityFile)"] + settings)
      device.program.wrapper = networks.inDevice
      self.device = device
    }

    /// Queues one, by the ticket; nothing is sent.
    func queue(_ hardwareID: String = "demo-device-1") -> String {
      Device.ticket(device.run("deactivate", "--queue-only", "--hardware-id", hardwareID))
    }

    func isDeactivated(_ ticket: String) -> Bool {
      device.json("receipt", ticket)["state"] as? String == "deactivated"
    }

    func attempts(_ ticket: String) -> Int {
      device.json("receipt", ticket)["attempts"] as? Int ?? -1
    }
  }

  // MARK: - The network returns

  struct Return: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var hosts = "192.0.2.10 license.test\n"
    let before: @Sendable (Networks) -> Void
    let loss: @Sendable (Networks) -> Void
    let comeback: @Sendable (Networks) -> Void
  }

  static let returns = [
    Return(
      testDescription: "the link comes up", before: { $0.connect() },
      loss: { $0.change("link", "set", "cable", "down") },
      comeback: {
        $0.change("link", "set", "cable", "up")
        $0.change("route", "add", "default", "via", "10.0.2.2")
      }),
    Return(
      testDescription: "the carrier comes back",
      before: { $0.connect() },
      loss: { Command.run($0.inServer[0], ["-n", $0.server, "link", "set", "router", "down"]) },
      comeback: {
        Command.run($0.inServer[0], ["-n", $0.server, "link", "set", "router", "up"])
      }),
    Return(
      testDescription: "the address is given", before: { $0.connect() },
      loss: {
        $0.change("-6", "route", "del", "default")
        $0.change("addr", "del", "10.0.2.15/24", "dev", "cable")
      },
      comeback: {
        $0.change("addr", "add", "10.0.2.15/24", "dev", "cable")
        $0.change("route", "add", "default", "via", "10.0.2.2")
      }),
    Return(
      testDescription: "the default route is given", before: { $0.connect() },
      loss: {
        $0.change("-6", "route", "del", "default")
        $0.change("route", "del", "default")
      },
      comeback: { $0.change("route", "add", "default", "via", "10.0.2.2") }),
    Return(
      testDescription: "the default route changes to one that leads there",
      before: {
        $0.connect()
        $0.change("-6", "route", "del", "default")
        $0.change("route", "replace", "default", "via", "10.0.2.77")
      },
      loss: { _ in }, comeback: { $0.change("route", "replace", "default", "via", "10.0.2.2") }),
    Return(
      testDescription: "IPv6 alone", hosts: "2001:db8::10 license.test\n",
      before: { $0.change("link", "set", "cable", "up") }, loss: { _ in },
      comeback: {
        // With duplicate address detection, as on a real network.
        $0.change("addr", "add", "fd00:2::15/64", "dev", "cable")
        $0.change("-6", "route", "add", "default", "via", "fd00:2::2")
      }),
    Return(
      testDescription: "the interface gets another name", before: { $0.connect() },
      loss: { $0.change("link", "set", "cable", "down") },
      comeback: {
        $0.change("link", "set", "cable", "name", "wan0")
        $0.change("link", "set", "wan0", "up")
        $0.change("route", "add", "default", "via", "10.0.2.2")
      }),
  ]

  @Test(arguments: returns)
  func `sends when the network returns, and asks nobody before`(_ test: Return) {
    let scene = Scene(
      hosts: test.hosts,
      settings: ["HANDBACK_BACKOFF_BASE=86400", "HANDBACK_BACKOFF_CEILING=86400"])
    test.before(scene.networks)
    test.loss(scene.networks)
    let agent = RunningAgent(scene.device)
    let ticket = scene.queue()
    // Long enough for a try, if there is one.
    _ = waitFor(seconds: 5) { scene.attempts(ticket) > 0 }
    #expect(scene.emulator.count("requests") == 0)
    test.comeback(scene.networks)
    #expect(waitFor { scene.isDeactivated(ticket) }, "\(agent.errors)")
    #expect(agent.end().status == 0)
    #expect(scene.emulator.count("double_successes") == 0)
  }

  /// How often QEMU goes to sleep says nothing.
  @Test(.enabled(if: Program.isNative))
  func `does not try, nor wake, while no route leads out`() {
    let scene = Scene()
    let ticket = scene.queue()
    var device = scene.device
    device.program.wrapper += RunningAgent.amongItsOwnMounts
    let agent = RunningAgent(device)
    // It has told how it stands, and goes to sleep.
    _ = waitFor(seconds: 1) { false }
    let before = agent.sleepCount
    _ = waitFor(seconds: 3) { false }
    #expect(agent.sleepCount == before)
    #expect(scene.attempts(ticket) == 0)
    #expect(agent.errors.contains("1 pending; no network"))
    agent.end()
  }

  @Test func `a server given by its address needs a route there and no other`() {
    let scene = Scene(server: "https://10.0.2.2:1")
    let ticket = scene.queue()
    let agent = RunningAgent(scene.device)
    scene.networks.change("link", "set", "cable", "up")
    scene.networks.change("addr", "add", "10.9.9.9/24", "dev", "cable")
    _ = waitFor(seconds: 2) { false }
    #expect(scene.attempts(ticket) == 0)
    scene.networks.change("addr", "add", "10.0.2.15/24", "dev", "cable")
    #expect(waitFor { scene.attempts(ticket) > 0 })
    agent.end()
  }

  // MARK: - Storms

  @Test func `a flapping link costs a few tries, and events that are lost lose nothing`() {
    let scene = Scene(
      server: "https://license.test:1",
      settings: ["HANDBACK_BACKOFF_BASE=86400", "HANDBACK_BACKOFF_CEILING=86400"])
    scene.networks.connect()
    let ticket = scene.queue()
    let agent = RunningAgent(scene.device)
    #expect(waitFor { scene.attempts(ticket) >= 1 }, "\(agent.errors)")
    _ = waitFor(seconds: 3) { false }
    let beforeStorm = scene.attempts(ticket)
    scene.networks.changeAll(Self.flapping)
    _ = waitFor(seconds: 3) { false }
    let afterStorm = scene.attempts(ticket)
    #expect((0...8).contains(afterStorm - beforeStorm), "\(afterStorm - beforeStorm) tries")

    // While it can't listen, more is told than its socket holds; the last word is that all is well.
    agent.running.signal(SIGSTOP)
    scene.networks.changeAll(Self.flapping + ["route replace default via 10.0.2.2 metric 5"])
    #expect(Self.lostEvents(scene, agent) > 0)
    agent.running.signal(SIGCONT)
    #expect(waitFor(seconds: 70) { scene.attempts(ticket) > afterStorm }, "\(agent.errors)")
    #expect(agent.end().status == 0)
  }

  /// 1,000 changes of the default route, each an event.
  private static let flapping: [String] = (0..<1000).map { index in
    index % 2 == 0 ? "route del default" : "route add default via 10.0.2.2"
  }

  /// The column "Drops" of the agent's socket.
  private static func lostEvents(_ scene: Scene, _ agent: RunningAgent) -> Int {
    let table = Command.run(
      scene.networks.inDevice[0],
      Array(scene.networks.inDevice.dropFirst()) + ["cat", "/proc/net/netlink"])
    var drops = 0
    for line in table.output.split(separator: "\n") {
      let columns = line.split(separator: " ")
      if columns.count > 8, columns[2] == "\(agent.processID)" { drops += Int(columns[8]) ?? 0 }
    }
    return drops
  }

  // MARK: - Ways that lead nowhere

  struct Nowhere: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let hosts: String
    let code: String
  }

  static let nowhere = [
    Nowhere(
      testDescription: "a route that leads nowhere", hosts: "192.0.2.99 license.test\n",
      code: "timed_out"),
    Nowhere(testDescription: "a name server that is silent", hosts: "", code: "timed_out"),
    Nowhere(
      testDescription: "an IPv6 address that is silent", hosts: "2001:db8::99 license.test\n",
      code: "timed_out"),
  ]

  @Test(arguments: nowhere)
  func `ends a try by its time, and itself within a second of being asked`(_ test: Nowhere) {
    let scene = Scene(
      hosts: test.hosts, settings: ["HANDBACK_CONNECT_TIMEOUT=3", "HANDBACK_BACKOFF_BASE=1"])
    scene.networks.connect()
    let ticket = scene.queue()
    let agent = RunningAgent(scene.device)
    #expect(
      waitFor { scene.device.json("receipt", ticket)["code"] as? String == test.code },
      "\(agent.errors)")
    // Within the next try.
    let done = scene.attempts(ticket)
    #expect(waitFor { scene.attempts(ticket) > done })
    let end = agent.end()
    #expect(end.status == 0)
    #expect(end.seconds < 1)
    // Nothing was sent, and that is known.
    #expect(scene.device.sql("SELECT open_attempts FROM deactivation") == "0")
    #expect(scene.device.json("receipt", ticket)["state"] as? String == "pending")
  }

  @Test func `an IPv6 address that is silent does not keep it from IPv4's`() {
    let scene = Scene(hosts: "2001:db8::99 license.test\n192.0.2.10 license.test\n")
    scene.networks.connect()
    let ticket = scene.queue()
    let agent = RunningAgent(scene.device)
    #expect(waitFor { scene.isDeactivated(ticket) }, "\(agent.errors)")
    agent.end()
  }

  @Test func `a try that hangs is begun again when the way changes`() {
    let scene = Scene(settings: ["HANDBACK_CONNECT_TIMEOUT=60"])
    scene.networks.connect()
    scene.networks.change("-6", "route", "del", "default")
    // A router that isn't there: the kernel would give up only after its own time.
    scene.networks.change("route", "replace", "default", "via", "10.0.2.77")
    scene.networks.change(
      "neigh", "add", "10.0.2.77", "lladdr", "02:00:00:00:00:77", "dev", "cable")
    let ticket = scene.queue()
    let agent = RunningAgent(scene.device)
    #expect(waitFor { scene.attempts(ticket) == 1 })
    _ = waitFor(seconds: 1.5) { false }
    scene.networks.change("route", "replace", "default", "via", "10.0.2.2")
    #expect(waitFor(seconds: 10) { scene.isDeactivated(ticket) }, "\(agent.errors)")
    #expect(scene.device.json("receipt", ticket)["inferred"] as? Bool == false)
    agent.end()
  }

  /// Before 7.87, libcurl waits for its resolver thread when it is freed. Debian's with GnuTLS, in
  /// a guise that says it is one of those.
  @Test(.enabled(if: Program.isNative))
  func `a try that is stopped leaves no descriptor behind, with an old libcurl too`() throws {
    let scene = Scene(settings: ["HANDBACK_CONNECT_TIMEOUT=60"])
    var device = scene.device
    let source = device.folder.write(
      "guise.c",
      """
      #define _GNU_SOURCE
      #include <dlfcn.h>
      struct version { int age; const char *version; unsigned number; };
      struct version *curl_version_info(int age) {
        struct version *(*real)(int) = (struct version *(*)(int))dlsym(RTLD_NEXT, __func__);
        struct version *version = real(age);
        version->number = 0x074a00;
        return version;
      }
      """)
    let made = Command.run(
      "sh",
      [
        "-c",
        "$(command -v cc || echo clang) -shared -fPIC -Wl,--no-as-needed -o \"$@\"",
        "sh", device.folder.path("libcurl.so.4"), source,
        "/usr/lib/x86_64-linux-gnu/libcurl-gnutls.so.4",
      ])
    try #require(made.status == 0, "install libcurl3-gnutls")
    device.program.environment["LD_LIBRARY_PATH"] = device.folder.url.path
    scene.networks.connect()
    scene.networks.change("-6", "route", "del", "default")
    for router in ["10.0.2.77", "10.0.2.78"] {
      scene.networks.change("neigh", "add", router, "lladdr", "02:00:00:00:00:77", "dev", "cable")
    }
    scene.networks.change("route", "replace", "default", "via", "10.0.2.77")
    let ticket = scene.queue()
    let agent = RunningAgent(device)
    var counts: [Int] = []
    for router in ["10.0.2.78", "10.0.2.77", "10.0.2.78"] {
      let tries = counts.count
      #expect(waitFor(seconds: 40) { scene.attempts(ticket) > tries }, "\(agent.errors)")
      _ = waitFor(seconds: 1.5) { false }
      counts.append(agent.descriptorCount)
      scene.networks.change("route", "replace", "default", "via", router)
    }
    #expect(counts.last == counts.first, "\(counts)")
    agent.end()
  }

  /// It may forward over anything, and needs no route that the kernel lists.
  @Test func `tries through a proxy on the device itself, without any route`() {
    let scene = Scene()
    scene.networks.change("link", "set", "lo", "up")
    let ticket = scene.queue()
    let agent = RunningAgent(scene.device, environment: ["https_proxy": "http://127.0.0.1:9"])
    #expect(waitFor { scene.attempts(ticket) == 1 }, "\(agent.errors)")
    #expect(waitFor { agent.errors.contains("not sent yet") }, "\(agent.errors)")
  }
}
