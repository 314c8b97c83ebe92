internal import HandbackCore
internal import HandbackLinux

/// Drives a flush: the core says what to do next, this does it and tells each event.
///
/// Holds the sender's lock while it runs, so that one process sends at a time.
struct Sender: ~Copyable {
  private let journal: SQLiteJournal
  private let transport: CurlTransport
  private var flusher: Flusher
  /// What may stop it from outside; nothing, for a command at a keyboard.
  private let watch: AgentWatch?
  /// Whether a deactivation has ended, and left what was erased of it in the WAL.
  private var hasEnded = false
  /// Whether something was tried: were the WAL's end damaged, an attempt that was answered would
  /// count as unanswered again.
  private var hasTried = false

  /// What a pass came to.
  struct Summary {
    var deactivated: Int64 = 0
    var rejected: Int64 = 0
    var postponed: Int64 = 0
    /// Passed over, as their credentials can't be read here.
    var sealed: Int64 = 0
    var end = FlushEnd.done
  }

  enum Problem: Error {
    /// Another process is sending, and takes what is queued along.
    case busy
    case failure(Failure)
  }

  init(
    _ settings: Settings, _ journal: SQLiteJournal, authorizer: consuming Authorizer,
    rules: FlushRules, watch: AgentWatch? = nil
  ) throws(Failure) {
    let options = try settings.transportOptions()
    do throws(TransportError) {
      transport = try CurlTransport(options)
    } catch {
      throw Self.failure(error)
    }
    if case .noKey = journal.sealing { Self.addKey(settings, journal) }
    self.journal = journal
    self.watch = watch
    flusher = Flusher(authorizer: authorizer, rules: rules)
  }

  /// A key that can't be had hinders only what is sealed: there it is told.
  private static func addKey(_ settings: Settings, _ journal: SQLiteJournal) {
    do throws(Failure) {
      if let cipher = try settings.credentialCipher() { journal.sealing = .key(cipher) }
    } catch {
      journal.sealing = .noKey(error.message)
    }
  }

  /// Runs until nothing is left to do now; `tell` gets each event as it comes.
  mutating func run(
    _ tell: (FlushEvent) throws(Failure) -> Void
  ) throws(Problem) -> Summary {
    let lock: SenderLock
    do throws(SenderLock.Failure) {
      lock = try SenderLock(journal: journal.path)
    } catch {
      throw Self.problem(error, journal.path)
    }
    hasEnded = false
    hasTried = false
    defer {
      // However the pass ends: it may be the last one on this device. On a full disk, the room that
      // the WAL has is kept.
      if hasEnded || (hasTried && journal.hasReserve) {
        JournalOpening.emptyWAL(journal, hasErased: hasEnded)
      }
      JournalOpening.tell(journal)
      lock.release()
    }
    do throws(Failure) {
      return try pass(lock, tell)
    } catch {
      throw .failure(error)
    }
  }

  private mutating func pass(
    _ lock: SenderLock, _ tell: (FlushEvent) throws(Failure) -> Void
  ) throws(Failure) -> Summary {
    flusher.beginPass(behind: lock.lastRow)
    var summary = Summary()
    var journal = self.journal
    while true {
      if let watch, watch.mustStop { return summary }
      let event: FlushEvent
      switch try step(&journal) {
      case .finished(let end):
        summary.end = end
        return summary
      case .pause(let milliseconds):
        if let watch {
          watch.events.pause(milliseconds: milliseconds)
        } else {
          SystemClock.sleep(milliseconds: milliseconds)
        }
        continue
      case .passed(let passed):
        if case .postponed(_, let outcome, _) = passed, outcome.isSealed { summary.sealed += 1 }
        event = passed
      case .send(let exchange):
        lock.keep(lastRow: flusher.resumeRow)
        hasTried = true
        let began = SystemClock.now().bootMilliseconds
        let result = transport.perform(exchange, watching: watch?.events.descriptors ?? []) {
          watch?.stops(hasSent: $0, sinceBootMilliseconds: began) ?? false
        }
        event = try receive(result, &journal)
      }
      switch event {
      case .ended(_, let ending, _, _):
        hasEnded = true
        if ending == .deactivated { summary.deactivated += 1 } else { summary.rejected += 1 }
      case .postponed: summary.postponed += 1
      case .clockCorrected, .none: break
      }
      try tell(event)
    }
  }

  private mutating func step(_ journal: inout SQLiteJournal) throws(Failure) -> FlushStep {
    do throws(JournalError) {
      return try flusher.step(&journal, at: SystemClock.now())
    } catch {
      throw JournalOpening.failure(error, "cannot send from \(journal.path)", journal.path)
    }
  }

  private mutating func receive(
    _ result: ExchangeResult, _ journal: inout SQLiteJournal
  ) throws(Failure) -> FlushEvent {
    do throws(JournalError) {
      return try flusher.receive(result, &journal, at: SystemClock.now(), random: Entropy.next())
    } catch {
      throw JournalOpening.failure(
        error, "cannot write the answer to \(journal.path)", journal.path)
    }
  }

  private static func problem(_ error: SenderLock.Failure, _ path: Text) -> Problem {
    switch error {
    case .held: return .busy
    case .cannotOpen(let code):
      // The journal could be opened, so it is its owner who is kept out.
      let isForbidden = Process.isForbidden(errno: code)
      return .failure(
        Failure(
          isForbidden ? .noPermission : .ioError,
          "cannot open \(path)-sender: \(Process.description(ofErrno: code))",
          hint: isForbidden ? "'handback flush' as root gives it to the journal's owner" : nil))
    }
  }

  private static func failure(_ error: TransportError) -> Failure {
    switch error {
    case .libraryMissing:
      Failure(
        .unavailable, "nothing can be sent: libcurl.so.4 is missing, or could not be loaded",
        hint: """
          install it (Debian: libcurl4, Yocto: curl, Buildroot: BR2_PACKAGE_LIBCURL); \
          what is queued stays queued
          """)
    case .libraryTooOld(let version):
      Failure(
        .unavailable, "nothing can be sent: libcurl \(version) is older than 7.68",
        hint: "what is queued stays queued")
    case .libraryFailed:
      Failure(
        .unavailable, "nothing can be sent: libcurl could not be started",
        hint: "what is queued stays queued")
    }
  }
}

extension Settings {
  func transportOptions() throws(Failure) -> TransportOptions {
    let address = try serverAddress()
    let tokens = self[.tokenURL].flatMap { ServerAddress($0, takesQuery: true) }
    return TransportOptions(
      baseURL: address.text, authorityFile: self[.caFile],
      allowsPlainHTTP: !address.isEncrypted, isDirect: address.isPlainLoopback,
      isTokenDirect: tokens?.isPlainLoopback ?? false,
      connectTimeoutMilliseconds: Int(try seconds(.connectTimeout, 1...600) * 1000),
      timeoutMilliseconds: Int(try seconds(.timeout, 1...600) * 1000))
  }

  func flushRules() throws(Failure) -> FlushRules {
    FlushRules(
      requestsPerSecondMax: try integer(.rate, 0...1000) ?? 10,
      backoff: Backoff(
        baseMilliseconds: try seconds(.backoffBase, 1...86_400) * 1000,
        ceilingMilliseconds: try seconds(.backoffCeiling, 1...86_400) * 1000))
  }
}
