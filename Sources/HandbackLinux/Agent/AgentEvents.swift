internal import CLibc
public import HandbackCore

/// All that the agent sleeps on, behind one `poll`: signals, the kernel's routes, the journal and
/// the mounts that may bring another, a timer on the boot-time clock and one that hears the wall
/// clock being set. No thread, and nothing that runs by itself.
public final class AgentEvents {
  private let signals: Int32
  /// -1 if the kernel tells nothing (a sandbox without netlink).
  private let network: Int32
  private let journal: JournalWatch
  /// The kernel's list of what is mounted here; -1 where it isn't shown.
  private let mounts: Int32
  private let bootTimer: Int32
  private let wallTimer: Int32

  /// What was heard; whoever acts on it sets it back.
  public var networkRang = false
  public var journalRang = false
  public var clockWasSet = false
  /// SIGHUP.
  public var mustReload = false
  /// SIGTERM or SIGINT: there is no way back.
  public private(set) var mustEnd = false

  /// The `errno` value of what can't be had.
  public struct Failure: Error {
    public let errno: Int32
  }

  public init(journal path: Text) throws(Failure) {
    signals = clibc_signals()
    let boot = clibc_timer(clibc_clock_boottime())
    let wall = clibc_timer(clibc_clock_realtime())
    bootTimer = boot
    wallTimer = wall
    guard let watch = JournalWatch(path), signals >= 0, boot >= 0, wall >= 0 else {
      throw Failure(errno: clibc_errno())
    }
    journal = watch
    network = clibc_route_events()
    let list: Literal = "/proc/self/mountinfo"
    mounts = unsafe clibc_open(list.cString, O_RDONLY, 0)
    hearClock()
  }

  /// Whether the kernel tells of changes of the network.
  public var hearsNetwork: Bool { network >= 0 }

  /// Whether the kernel tells of the journal's changes, as of the last look.
  public private(set) var hearsJournal = true

  /// Forgets what was heard of the journal. A change behind this call is heard anew.
  public func prepareToReadJournal() {
    hearsJournal = journal.prepare()
    journalRang = false
  }

  /// Sleeps until something is heard, or until the boot-time clock shows so much; `nil` is for ever.
  public func sleep(
    untilBootMilliseconds: Int64?, hearsNetwork: Bool, hearsJournal: Bool
  ) {
    clibc_timer_set(bootTimer, 0, untilBootMilliseconds.map { max($0, 1) } ?? 0)
    listen(milliseconds: -1, hearsNetwork: hearsNetwork, hearsJournal: hearsJournal)
  }

  /// A pause on the way, which a signal ends.
  public func pause(milliseconds: Int64) {
    listen(milliseconds: Int32(clamping: milliseconds), hearsNetwork: false, hearsJournal: false)
  }

  /// For a transfer: it waits for these too, and calls `listen` when one is ready.
  public var descriptors: [Int32] { network >= 0 ? [signals, network] : [signals] }

  /// Takes what is there.
  public func listen() { listen(milliseconds: 0, hearsNetwork: true, hearsJournal: false) }

  private func listen(milliseconds: Int32, hearsNetwork: Bool, hearsJournal: Bool) {
    let readable = Int16(POLLIN)
    // A negative descriptor is passed over (poll(2)).
    var waits: InlineArray<6, pollfd> = [
      pollfd(fd: signals, events: readable, revents: 0),
      pollfd(fd: bootTimer, events: readable, revents: 0),
      pollfd(fd: wallTimer, events: readable, revents: 0),
      pollfd(fd: hearsNetwork ? network : -1, events: readable, revents: 0),
      pollfd(fd: hearsJournal ? journal.file : -1, events: readable, revents: 0),
      // > After a change in mounts, select(2) marks the file descriptor as having an exceptional
      // > condition, and poll(2) and epoll_wait(2) mark the file as having a priority event
      // (proc_pid_mounts(5)): it is to be read at any time, and once after each change so.
      pollfd(fd: hearsJournal ? mounts : -1, events: Int16(POLLPRI), revents: 0),
    ]
    var span = waits.mutableSpan
    let ready = unsafe span.withUnsafeMutableBufferPointer {
      unsafe poll($0.baseAddress, nfds_t($0.count), milliseconds)
    }
    guard ready > 0 else { return }
    if waits[0].revents != 0 { takeSignals() }
    if waits[1].revents != 0 { clibc_timer_take(bootTimer) }
    if waits[2].revents != 0 {
      // By itself it expires in the far future, and that is its end.
      if clibc_timer_take(wallTimer) == 1 {
        clockWasSet = true
        hearClock()
      }
    }
    if waits[3].revents != 0, clibc_drain_socket(network) == 1 { networkRang = true }
    if waits[4].revents != 0, journal.hear() { journalRang = true }
    if waits[5].revents != 0 { journalRang = true }
  }

  private func takeSignals() {
    while true {
      switch clibc_next_signal(signals) {
      case 0: return
      case SIGHUP: mustReload = true
      default: mustEnd = true
      }
    }
  }

  private func hearClock() {
    clibc_timer_set(
      wallTimer, clibc_timer_cancel_on_set(), Self.farSeconds * 1000)
  }

  /// The year 9999.
  private static let farSeconds: Int64 = 253_402_300_799
}
