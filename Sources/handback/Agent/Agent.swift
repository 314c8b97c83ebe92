internal import HandbackCore
internal import HandbackLinux

/// The agent at work: the core says what to do next, this does it.
///
/// Between passes neither the journal nor libcurl is open, and no key is in memory: a journal that
/// is moved aside or brought back is seen, and its partition can be unmounted.
final class Agent {
  private let arguments: Arguments
  private var settings: Settings
  private let watch: AgentWatch
  private let endsWhenEmpty: Bool
  private var schedule: AgentSchedule
  private var report: AgentReport
  /// `nil` while the journal can't be read.
  private var tally: JournalTally? = JournalTally()
  private var backlog = Backlog()
  /// Rejections in the journal when the agent began.
  private var rejectedBefore: Int64?
  private var isReady = false
  private var hasToldMute = false
  /// In this pass.
  private var hasTried = false
  /// When the first and the last of the passes in a row was that found another process sending, on
  /// the boot-time clock.
  private var firstBlock: Int64 = 0
  private var lastBlock: Int64?
  /// One that sends that long may be a large flush; one that is stopped sends for ever. Longer
  /// apart, they were two.
  private static let patienceMilliseconds: Int64 = 120_000

  init(
    _ arguments: Arguments, _ settings: Settings, _ watch: AgentWatch, _ rules: AgentRules
  ) throws(Failure) {
    self.arguments = arguments
    self.settings = settings
    self.watch = watch
    endsWhenEmpty = rules.endsWhenEmpty
    schedule = AgentSchedule(rules, at: SystemClock.now(), random: Entropy.next())
    report = AgentReport(watch.manager)
    if !watch.events.hearsNetwork {
      Console.warn("the kernel does not tell of the network here: tries come by the clock alone")
    }
  }

  func run() throws(Failure) -> ExitCode {
    while true {
      hear()
      if watch.events.mustEnd { return end(.temporaryFailure) }
      switch schedule.step(at: SystemClock.now()) {
      case .sleep(let until, let hearsNetwork, let hearsJournal):
        tellState()
        watch.sleep(
          untilBootMilliseconds: until, hearsNetwork: hearsNetwork, hearsJournal: hearsJournal)
      case .readNetwork:
        let view = watch.readNetwork()
        schedule.networkRead(view, at: SystemClock.now(), random: Entropy.next())
      case .readJournal: try readJournal()
      case .pass(let heeding):
        // A first try may take a minute, and a start is not to wait for it.
        if !isReady { tellState() }
        let ended = pass(heeding)
        schedule.passEnded(ended, hasTried: hasTried, at: SystemClock.now())
      case .finished(.empty):
        if tally?.damaged ?? 0 > 0 { return end(.dataError) }
        return end(tally?.rejected ?? 0 > rejectedBefore ?? 0 ? .rejected : .ok)
      case .finished(.deadline):
        let isUnreachable = schedule.reach == .none || backlog.reason.isUnreachable
        return end(isUnreachable ? .unavailable : .temporaryFailure)
      }
    }
  }

  /// Takes what was heard to the schedule.
  private func hear() {
    let events = watch.events
    let now = SystemClock.now()
    if events.networkRang {
      events.networkRang = false
      schedule.networkRang(at: now)
    }
    if events.journalRang {
      events.journalRang = false
      schedule.journalRang(at: now)
    }
    if events.clockWasSet {
      events.clockWasSet = false
      schedule.clockSet(at: now, random: Entropy.next())
    }
    if events.mustReload {
      events.mustReload = false
      reload()
    }
  }

  private func end(_ code: ExitCode) -> ExitCode {
    watch.manager.tell("STOPPING=1\nSTATUS=\(AgentReport.text(tally))")
    // Asked to stop, a service that does so has done what it should.
    if watch.events.mustEnd, !endsWhenEmpty { return .ok }
    return code
  }

  // MARK: - The journal

  private func readJournal() throws(Failure) {
    watch.events.prepareToReadJournal()
    do throws(Failure) {
      tally = JournalTally()
      backlog = Backlog()
      if let journal = try JournalOpening.openIfPresent(settings, .write) {
        try read(journal)
      }
    } catch {
      tally = nil
      // Somebody waits for the end, and it may never come.
      if endsWhenEmpty { throw error }
      report.failed(error)
      return schedule.journalFailed(at: SystemClock.now())
    }
    if backlog.pendingCount == 0 { lastBlock = nil }
    if rejectedBefore == nil { rejectedBefore = tally?.rejected }
    let isHeard = watch.events.hearsJournal
    if !isHeard, !hasToldMute {
      Console.warn("the kernel does not tell of the journal: it is looked at each minute")
    }
    hasToldMute = !isHeard
    schedule.journalRead(backlog, isHeard: isHeard, at: SystemClock.now())
  }

  private func read(_ journal: SQLiteJournal) throws(Failure) {
    do throws(JournalError) {
      let tally = try journal.tally()
      self.tally = tally
      backlog = try journal.backlog(of: tally.pending, at: SystemClock.now())
    } catch {
      throw JournalReading.failure(error, journal)
    }
  }

  // MARK: - A pass

  private func pass(_ heeding: Heeding) -> PassEnd {
    watch.hasNetworkChanged = false
    hasTried = false
    defer { Process.trimMemory() }
    do throws(Sender.Problem) {
      try send(heeding)
    } catch {
      switch error {
      case .busy:
        let now = SystemClock.now().bootMilliseconds
        if now - (lastBlock ?? .min / 2) > Self.patienceMilliseconds { firstBlock = now }
        lastBlock = now
        if now - firstBlock >= Self.patienceMilliseconds {
          report.failed(
            Failure(
              .temporaryFailure, "another handback has been sending from here for a while",
              hint: "look for one that is stopped: it keeps all others from sending"))
        }
        return .blocked
      case .failure(let failure):
        lastBlock = nil
        report.failed(failure)
        return .trouble
      }
    }
    lastBlock = nil
    return watch.hasNetworkChanged ? .networkChanged : .ran
  }

  private func send(_ heeding: Heeding) throws(Sender.Problem) {
    let journal: SQLiteJournal
    var sender: Sender
    do throws(Failure) {
      var rules = try settings.flushRules()
      rules.onlyDue = heeding != .retryAfterAlone
      rules.networkHasChanged = heeding == .allButNetwork
      guard let authorizer = try settings.authorizer() else { throw Settings.noKeys }
      journal = try JournalOpening.open(settings, .write)
      sender = try Sender(settings, journal, authorizer: authorizer, rules: rules, watch: watch)
    } catch {
      throw .failure(error)
    }
    _ = try sender.run { event in
      hasTried = true
      report.tell(event)
    }
  }

  // MARK: - Settings

  /// SIGHUP: the settings are read again. Wrong ones are told, and change nothing.
  private func reload() {
    watch.manager.tellReloading()
    do throws(Failure) {
      let new = try Settings(flags: arguments.flags, file: arguments.settingsFile)
      let spread = try new.checkForAgent()
      guard new.journalPath == settings.journalPath else {
        throw Failure(.configuration, "another journal takes a restart of the agent")
      }
      watch.host = try new.serverAddress().destination
      schedule.setSpread(milliseconds: spread)
      settings = new
      Console.note("settings read again", .notice)
      schedule.networkRang(at: SystemClock.now())
      schedule.asked(at: SystemClock.now())
    } catch {
      Console.warn("the old settings stay: \(error.message)", hint: error.hint)
    }
    watch.manager.tell("READY=1")
  }

  // MARK: - Telling

  private func tellState() {
    let next = schedule.nextTryBootMilliseconds
    report.tellState(
      tally, backlog, reach: schedule.reach, nextTryBootMilliseconds: next, isFirst: !isReady)
    isReady = true
    if let path = settings[.metricsFile] {
      report.writeMetrics(
        path, tally, backlog, reach: schedule.reach, nextTryBootMilliseconds: next)
    }
  }
}
