extension Flusher {
  /// Takes what became of the exchange that `step` asked for, and writes it down.
  ///
  /// `random` is fresh for each call; the jitter is drawn from it.
  public mutating func receive<Journal: FlushJournal & ~Copyable>(
    _ result: ExchangeResult, _ journal: inout Journal, at now: Moment, random: UInt64
  ) throws(Journal.Failure) -> FlushEvent {
    if case .fault(let fault) = result, fault.kind == .interrupted {
      return try conclude(interruption(fault), &journal, at: now)
    }
    switch stage {
    case .awaitingTokenAddress, .awaitingToken:
      defer { if case .answer(let answer) = result { answer.eraseBody() } }
      if takeToken(result, at: now) { return .none }
      return try conclude(tokenTrouble(result, at: now, random: random), &journal, at: now)
    case .awaitingVerdict:
      switch result {
      case .answer(let answer):
        if let event = retriesAtOnce(answer, at: now) {
          try close(answer, &journal, at: now)
          return event
        }
        let change = judge(answer, at: now, random: random)
        return try conclude(change, &journal, at: now)
      case .fault(let fault):
        return try conclude(self.fault(fault, at: now, random: random), &journal, at: now)
      }
    case .choosing, .chosen:
      preconditionFailure("no exchange was asked for")
    }
  }

  /// A change and the words for it.
  struct Judgement {
    var change: RowChange
    var outcome: Outcome
  }

  mutating func conclude<Journal: FlushJournal & ~Copyable>(
    _ judgement: Judgement, _ journal: inout Journal, at now: Moment
  ) throws(Journal.Failure) -> FlushEvent {
    guard let ticket = current?.ticket else {
      preconditionFailure("a deactivation is in hand here")
    }
    switch try write(judgement, &journal, at: now) {
    case .written: break
    case .askedAgain:
      if case .ended(.deactivated, isInferred: false, _) = judgement.change { break }
      return .postponed(ticket, judgement.outcome, isHeld: false)
    case .ended: return .none
    }
    switch judgement.change {
    case .ended(let ending, let isInferred, _):
      return .ended(ticket, ending, isInferred: isInferred, judgement.outcome)
    case .postponed(_, _, let isHeld, _):
      return .postponed(ticket, judgement.outcome, isHeld: isHeld)
    }
  }

  private mutating func write<Journal: FlushJournal & ~Copyable>(
    _ judgement: Judgement, _ journal: inout Journal, at now: Moment
  ) throws(Journal.Failure) -> Conclusion {
    guard let ticket = current?.ticket, let server else {
      preconditionFailure("a deactivation is in hand here")
    }
    // Out of hand first: if the journal fails, its attempt stays open there, and sending it again
    // takes another.
    current = nil
    stage = .choosing
    let written = try journal.conclude(
      ticket, judgement.change, judgement.outcome, server: server == storedServer ? nil : server,
      at: now)
    storedServer = server
    return written
  }

  // MARK: - Answers that are cured by another request at once

  /// Writes down that the attempt was answered, and keeps the deactivation in hand for another: if
  /// the power goes before that one, the refused one must not count as unanswered.
  @inline(never)
  private mutating func close<Journal: FlushJournal & ~Copyable>(
    _ answer: Answer, _ journal: inout Journal, at now: Moment
  ) throws(Journal.Failure) {
    guard let refused = current else { preconditionFailure("a deactivation is in hand here") }
    let written = try write(
      Judgement(
        change: .postponed(
          nil, failures: refused.failures, isHeld: false, openAttempts: refused.openAttempts),
        outcome: Outcome(
          httpStatus: Int64(answer.status), code: answer.text("code"), message: answer.message)),
      &journal, at: now)
    guard case .written = written else { return chooseAgain(refused.ticket) }
    current = refused
    stage = .chosen
  }

  /// A refused date or token: corrected, and the same deactivation is sent again, once each.
  private mutating func retriesAtOnce(_ answer: Answer, at now: Moment) -> FlushEvent? {
    // The first of two copies may have got through: that is written down before another is sent.
    if answer.wasResent { return nil }
    let verdict = Verdict.judge(answer, hasUnansweredAttempt: false)
    if verdict == .tokenRefused, !hasRefreshedToken, let keeper = tokenKeeper {
      hasRefreshedToken = true
      keeper.forget()
      return FlushEvent.none
    }
    guard let seconds = answer.dateSeconds, let clock = server?.clock, !hasCorrectedClock else {
      return nil
    }
    let skew = seconds - clock.seconds(at: now)
    // A wrong clock may also show as a wrong signature, or as a plain 401 or 403.
    let isRefusal =
      verdict == .clockRefused || verdict == .held(.everything) || isSuspect(verdict, answer)
    guard isRefusal, abs(skew) > (verdict == .clockRefused ? 0 : ServerClock.agreementSeconds)
    else { return nil }
    hasCorrectedClock = true
    server?.clock.correct(to: seconds, at: now)
    return .clockCorrected(bySeconds: skew)
  }

  // MARK: - Verdicts

  private mutating func judge(_ answer: Answer, at now: Moment, random: UInt64) -> Judgement {
    guard let openBefore = current?.openAttempts, let failures = current?.failures else {
      preconditionFailure("a deactivation is in hand here")
    }
    let verdict = Verdict.judge(answer, hasUnansweredAttempt: openBefore > 0 || answer.wasResent)
    let outcome = Outcome(
      httpStatus: Int64(answer.status),
      code: words(for: verdict) ?? answer.text("code"),
      message: answer.message)
    let open = openBefore + (Verdict.mayHaveActed(answer) || answer.wasResent ? 1 : 0)
    faultsInARow = 0
    if case .later = verdict { laterInARow += 1 } else { laterInARow = 0 }
    let isSuspect = isSuspect(verdict, answer)
    refusedInARow = isSuspect ? refusedInARow + 1 : 0

    func postponed(_ wait: Wait?, isHeld: Bool) -> Judgement {
      Judgement(
        change: .postponed(wait, failures: failures + 1, isHeld: isHeld, openAttempts: open),
        outcome: outcome)
    }

    switch verdict {
    case .deactivated, .deactivatedInferred, .rejected:
      serverAnswered(answer, at: now)
      let ending: Ending = verdict == .rejected ? .rejected : .deactivated
      return Judgement(
        change: .ended(
          ending, isInferred: verdict == .deactivatedInferred,
          licenseSignature: answer.licenseSignature),
        outcome: outcome)
    case .tokenRefused where !isSuspect:
      // Who keeps it fresh will soon have another.
      serverRefused(.held, rules.backoff, at: now, random: random)
      return postponed(nil, isHeld: true)
    case .clockRefused, .held(.everything):
      serverRefused(.held, rules.heldBackoff, at: now, random: random)
      return postponed(nil, isHeld: true)
    case .tokenRefused, .held(.deactivation):
      if refusedInARow >= FlushRules.refusedInARowMax {
        serverRefused(.held, rules.heldBackoff, at: now, random: random)
        return postponed(nil, isHeld: true)
      }
      serverAnswered(answer, at: now)
      return postponed(
        wait(rules.heldBackoff, failures: failures, at: now, random: random), isHeld: true)
    case .later(let scope):
      if waitsAsTold(by: answer, at: now, random: random) { return postponed(nil, isHeld: false) }
      if scope == .everything || laterInARow >= FlushRules.laterInARowMax {
        serverRefused(.server, rules.backoff, at: now, random: random)
        return postponed(nil, isHeld: false)
      }
      // It isn't out of reach any more; and what had its time is over.
      if let server, server.reason.isUnreachable || server.wait?.millisecondsLeft(at: now) ?? 0 == 0
      {
        self.server?.wait = nil
        self.server?.reason = .none
        if server.reason == .held { self.server?.failures = 0 }
      }
      return postponed(
        wait(rules.backoff, failures: failures, at: now, random: random), isHeld: false)
    case .notOurServer:
      serverRefused(.network, rules.backoff, at: now, random: random)
      return postponed(nil, isHeld: false)
    }
  }

  /// Whether this one's user or token is refused, as it seems while others are not refused alike.
  private func isSuspect(_ verdict: Verdict, _ answer: Answer) -> Bool {
    switch verdict {
    case .held(.deactivation): answer.status == 401 || answer.status == 403
    case .tokenRefused: !bearsToken
    default: false
    }
  }

  private func words(for verdict: Verdict) -> Text? {
    switch verdict {
    case .notOurServer: "not_the_license_api"
    case .deactivated: "license_deactivated"
    case .deactivatedInferred, .rejected, .clockRefused, .tokenRefused, .held, .later: nil
    }
  }

  // MARK: - No answer

  private mutating func fault(
    _ fault: TransportFault, at now: Moment, random: UInt64
  ) -> Judgement {
    guard let openBefore = current?.openAttempts, let failures = current?.failures else {
      preconditionFailure("a deactivation is in hand here")
    }
    faultsInARow += 1
    let concernsThisOne =
      fault.mayHaveReachedServer && failures >= FlushRules.failuresBeforePassing
      && faultsInARow < 2
    var wait: Wait?
    if concernsThisOne {
      wait = self.wait(rules.backoff, failures: failures, at: now, random: random)
    } else {
      serverRefused(fault.waitReason, rules.backoff, at: now, random: random)
    }
    return Judgement(
      change: .postponed(
        wait, failures: failures + (fault.mayHaveReachedServer ? 1 : 0), isHeld: false,
        openAttempts: openBefore + (fault.mayHaveReachedServer ? 1 : 0)),
      outcome: outcome(of: fault))
  }

  /// Stopped from outside: nobody's failure, so nothing waits for it, and the pass ends. What was
  /// sent stays unanswered; what wasn't is known to have done nothing.
  private mutating func interruption(_ fault: TransportFault) -> Judgement {
    guard let openBefore = current?.openAttempts, let failures = current?.failures else {
      preconditionFailure("a deactivation is in hand here")
    }
    end = .stopped(.none, millisecondsLeft: 0)
    var open = openBefore
    if case .awaitingVerdict = stage, fault.mayHaveReachedServer { open += 1 }
    return Judgement(
      change: .postponed(nil, failures: failures, isHeld: false, openAttempts: open),
      outcome: outcome(of: fault))
  }

  private func outcome(of fault: TransportFault) -> Outcome {
    Outcome(
      httpStatus: 0, code: Text(fault.kind.name), message: fault.message)
  }

  // MARK: - Tokens

  /// Whether the answer brought the flush on: an address, or a token.
  private mutating func takeToken(_ result: ExchangeResult, at now: Moment) -> Bool {
    guard case .answer(let answer) = result, let keeper = tokenKeeper else { return false }
    if case .awaitingToken = stage {
      guard keeper.take(answer, at: now) else { return false }
    } else {
      guard answer.status == 200, let url = JSONText.string("url", in: answer.body.span),
        TokenAddress.isAcceptable(url.span)
      else { return false }
      keeper.tokenURL = Text(url)
    }
    // Back to the deactivation in hand.
    stage = .chosen
    return true
  }

  private mutating func tokenTrouble(
    _ result: ExchangeResult, at now: Moment, random: UInt64
  ) -> Judgement {
    guard let open = current?.openAttempts, let failures = current?.failures else {
      preconditionFailure("a deactivation is in hand here")
    }
    let outcome: Outcome
    var isHeld = false
    switch result {
    case .fault(let fault):
      serverRefused(fault.waitReason, rules.backoff, at: now, random: random)
      outcome = self.outcome(of: fault)
    case .answer(let answer):
      let error = answer.text("error")
      var isTold = false
      if case .later = Verdict.judge(answer, hasUnansweredAttempt: false) {
        isTold = waitsAsTold(by: answer, at: now, random: random)
      } else {
        isHeld = (400..<500).contains(answer.status) && !answer.isHTML
      }
      if !isTold {
        serverRefused(
          isHeld ? .held : .network, isHeld ? rules.heldBackoff : rules.backoff, at: now,
          random: random)
      }
      outcome = Outcome(
        httpStatus: Int64(answer.status), code: error ?? "no_access_token", message: answer.message)
    }
    return Judgement(
      change: .postponed(nil, failures: failures, isHeld: isHeld, openAttempts: open),
      outcome: outcome)
  }

  // MARK: - The server's state

  private mutating func serverAnswered(_ answer: Answer, at now: Moment) {
    server?.failures = 0
    server?.wait = nil
    server?.reason = .none
    if let seconds = answer.dateSeconds { server?.clock.confirm(seconds, at: now) }
  }

  /// Nothing more is sent for a while: the pass ends.
  private mutating func serverRefused(
    _ reason: WaitReason, _ backoff: Backoff, at now: Moment, random: UInt64
  ) {
    let failures = failures(before: reason) + 1
    server?.failures = failures
    let wait = Wait(
      milliseconds: backoff.milliseconds(afterFailures: failures, random: random), from: now)
    server?.wait = wait
    server?.reason = reason
    end = .stopped(reason, millisecondsLeft: wait.milliseconds)
  }

  /// Those in a row that say something of this one: an outage says nothing of our keys, nor of a
  /// network that is new. A server that is out of reach by turns with one that answers 500 is one
  /// that has too much to do.
  private func failures(before reason: WaitReason) -> Int64 {
    guard let server, (server.reason == .held) == (reason == .held) else { return 0 }
    return rules.networkHasChanged && reason.isUnreachable ? 0 : server.failures
  }

  private func wait(
    _ backoff: Backoff, failures: Int64, at now: Moment, random: UInt64
  ) -> Wait {
    Wait(
      milliseconds: backoff.milliseconds(afterFailures: failures + 1, random: random), from: now)
  }

  /// Heeds the answer's `Retry-After`; `false` if it has none.
  private mutating func waitsAsTold(
    by answer: Answer, at now: Moment, random: UInt64
  ) -> Bool {
    guard let seconds = retryAfterSeconds(answer, at: now) else { return false }
    // Up to a tenth more, so that a fleet that was told one time comes back over a while.
    let milliseconds = seconds * 1000 + Int64(random % UInt64(seconds * 100 + 1))
    server?.failures += 1
    server?.wait = Wait(milliseconds: milliseconds, from: now)
    server?.reason = .retryAfter
    return true
  }

  /// `Retry-After` in seconds, from 1 to a day. A date counts from the answer's own `Date`, since
  /// our clock may be wrong.
  private func retryAfterSeconds(_ answer: Answer, at now: Moment) -> Int64? {
    let seconds: Int64
    switch answer.retryAfter {
    case .none: return nil
    case .seconds(let value): seconds = value
    case .date(let date):
      seconds = date - (answer.dateSeconds ?? server?.clock.seconds(at: now) ?? date)
    }
    return min(max(seconds, 1), Wait.millisecondsMax / 1000)
  }
}

/// The token address that the License API names.
enum TokenAddress {
  /// HTTPS, without a user, spaces or control characters, at most 2048 bytes.
  static func isAcceptable(_ url: Span<UInt8>) -> Bool {
    guard (9...2048).contains(url.count), matches("https://", url.extracting(0..<8)) else {
      return false
    }
    for index in url.indices where !(0x21..<0x7F).contains(url[index]) || url[index] == 0x40 {
      return false
    }
    return true
  }
}
