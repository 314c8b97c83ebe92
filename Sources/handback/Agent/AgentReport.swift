internal import HandbackCore
internal import HandbackLinux

/// What the agent tells: log lines for people, the state for systemd, figures for a dashboard.
///
/// The same failure is told once; how often it came is told with its end.
struct AgentReport {
  private let manager: ServiceManager
  private var lastState: Text = ""
  private var hasToldOffline = false
  private var lastMetrics: Text = ""
  private var hasMetricsFailed = false
  /// The failure that goes on, and how often it came.
  private var failure: Text = ""
  private var failureCount: Int64 = 0
  private var failingSince: Int64 = 0

  init(_ manager: ServiceManager) { self.manager = manager }

  // MARK: - Events

  mutating func tell(_ event: FlushEvent) {
    switch event {
    case .ended(let ticket, let ending, let isInferred, let outcome):
      endFailure()
      if ending == .deactivated {
        Console.note(
          "\(ticket.text) deactivated"
            + (isInferred ? " (inferred: an earlier attempt got through)" : ""), .notice)
      } else {
        Console.warn(
          "\(ticket.text) rejected: \(Words.outcome(outcome))", hint: Words.hint(outcome))
      }
    case .postponed(let ticket, let outcome, _):
      guard outcome.code.map({ !$0.isEqual(to: TransportFault.Kind.interrupted.name) }) ?? true
      else { return }
      let words = Words.outcome(outcome)
      if isNew(words) {
        Console.warn("\(ticket.text) not sent yet: \(words)", hint: Words.hint(outcome))
      }
    case .clockCorrected: EventNote.tell(event)
    case .none: break
    }
    hasToldOffline = false
  }

  /// A fault of this machine: nothing can be read or sent.
  mutating func failed(_ failure: Failure) {
    if isNew(failure.message) { Console.report(failure) }
  }

  private mutating func isNew(_ words: Text) -> Bool {
    failureCount += 1
    if words == failure { return false }
    if failureCount > 2 {
      Console.note("the failure before came \(failureCount - 1) times")
    }
    if failure.isEmpty { failingSince = SystemClock.now().bootMilliseconds }
    failure = words
    failureCount = 1
    return true
  }

  private mutating func endFailure() {
    guard !failure.isEmpty else { return }
    let milliseconds = SystemClock.now().bootMilliseconds - failingSince
    let count: Text = failureCount > 1 ? "; the last failure came \(failureCount) times" : ""
    Console.note(
      "it works again, after \(Duration.text(milliseconds: milliseconds))\(count)", .notice)
    failure = ""
    failureCount = 0
  }

  // MARK: - State

  static func text(_ tally: JournalTally?) -> Text {
    guard let tally else { return "the journal can't be read" }
    return "\(tally.pending) pending"
  }

  /// `tally` is `nil` while the journal can't be read.
  mutating func tellState(
    _ tally: JournalTally?, _ backlog: Backlog, reach: Reach, nextTryBootMilliseconds: Int64?,
    isFirst: Bool
  ) {
    var text = Self.text(tally)
    let isPending = tally?.pending ?? 0 > 0
    if isPending {
      if reach == .none {
        text += "; no network"
      } else if backlog.reason != .none {
        text += "; \(Words.reason(backlog.reason))"
      }
      if let next = nextTryBootMilliseconds {
        let now = SystemClock.now()
        let seconds = now.wallSeconds + (next - now.bootMilliseconds + 999) / 1000
        text += "; next try at \(Timestamp.text(epochSeconds: seconds))"
      }
    }
    if isFirst {
      Console.note("the agent watches: \(text)", .notice)
    } else if reach == .none, isPending, !hasToldOffline {
      Console.note("\(text)", .notice)
    }
    hasToldOffline = reach == .none && isPending || hasToldOffline
    if isFirst || text != lastState {
      manager.tell(isFirst ? "READY=1\nSTATUS=\(text)" : "STATUS=\(text)")
    }
    lastState = text
  }

  // MARK: - Figures

  /// Writes node_exporter's textfile format, whole or not at all, and only when a figure changed.
  mutating func writeMetrics(
    _ path: Text, _ tally: JournalTally?, _ backlog: Backlog, reach: Reach,
    nextTryBootMilliseconds: Int64?
  ) {
    var text: Text = """
      # HELP handback_journal_readable 1 if it can be read; 0, and no other figures, if not.
      # TYPE handback_journal_readable gauge
      handback_journal_readable \(tally == nil ? 0 : 1)

      """
    if let tally {
      text += AgentMetrics.text(
        tally, backlog, reach: reach, nextTryBootMilliseconds: nextTryBootMilliseconds)
    }
    guard text != lastMetrics else { return }
    // Once for each change, even if it fails: the attempt itself may be what the agent hears next.
    lastMetrics = text
    let cause = WholeFile.write(text.bytes, to: path, mode: 0o644)
    if cause != 0, !hasMetricsFailed {
      Console.warn("cannot write \(path): \(Process.description(ofErrno: cause))")
    }
    hasMetricsFailed = cause != 0
  }
}
