internal import HandbackCore
internal import HandbackLinux

/// What the agent hears, asleep and during a pass: signals, the network, the journal, its deadline;
/// and the signs of life that systemd wants meanwhile.
final class AgentWatch {
  let events: AgentEvents
  let manager: ServiceManager
  let deadlineBootMilliseconds: Int64?
  /// The server's name or address, and whether a proxy is between.
  var host: Text
  private let throughProxy: Bool
  /// As it was read last.
  private(set) var network = NetworkView(reach: .none, mark: 0)
  /// During a pass, the network changed while a connection was waited for.
  var hasNetworkChanged = false
  private var nextLifeSign: Int64 = 0

  init(
    _ events: AgentEvents, _ manager: ServiceManager, host: Text,
    deadlineBootMilliseconds: Int64?
  ) {
    self.events = events
    self.manager = manager
    self.host = host
    self.deadlineBootMilliseconds = deadlineBootMilliseconds
    // libcurl takes these from the environment.
    throughProxy =
      Process.variable("https_proxy") != nil || Process.variable("HTTPS_PROXY") != nil
      || Process.variable("all_proxy") != nil || Process.variable("ALL_PROXY") != nil
  }

  /// Reads the routes. Where the kernel doesn't tell, every try is worth it.
  func readNetwork() -> NetworkView {
    events.networkRang = false
    let routes = events.hearsNetwork ? Routes.read(to: host, throughProxy: throughProxy) : nil
    network = routes ?? NetworkView(reach: .wide, mark: 0)
    return network
  }

  // MARK: - Asleep

  func sleep(untilBootMilliseconds: Int64?, hearsNetwork: Bool, hearsJournal: Bool) {
    giveLifeSign()
    var until = untilBootMilliseconds
    if manager.watchdogMilliseconds != nil { until = min(until ?? .max, nextLifeSign) }
    events.sleep(
      untilBootMilliseconds: until, hearsNetwork: hearsNetwork, hearsJournal: hearsJournal)
  }

  private func giveLifeSign() {
    guard let interval = manager.watchdogMilliseconds else { return }
    let now = SystemClock.now().bootMilliseconds
    guard now >= nextLifeSign else { return }
    manager.tell("WATCHDOG=1")
    nextLifeSign = now + interval
  }

  // MARK: - During a pass

  /// Whether nothing more may be begun.
  var mustStop: Bool {
    giveLifeSign()
    if events.mustEnd || hasNetworkChanged { return true }
    guard let deadline = deadlineBootMilliseconds else { return false }
    return SystemClock.now().bootMilliseconds >= deadline
  }

  /// Whether a transfer is to be stopped. One that is older than a second and hasn't sent anything
  /// is waiting for a network that may be gone; one that has sent is waited for, since only its
  /// answer tells what the server did.
  func stops(hasSent: Bool, sinceBootMilliseconds began: Int64) -> Bool {
    events.listen()
    if mustStop { return true }
    guard events.networkRang, !hasSent, SystemClock.now().bootMilliseconds - began >= 1000
    else { return false }
    let before = network
    hasNetworkChanged = readNetwork() != before
    // The schedule is to see it, too.
    events.networkRang = hasNetworkChanged
    return hasNetworkChanged
  }
}
