import HandbackCore

extension DaySimulation {
  // MARK: - Starts

  func startAgent(_ why: String) {
    note(why)
    startCount += 1
    powerFails = false
    stopsProcess = false
    networkRings = false
    journalRings = false
    told = nil
    stepsAwake = 0
    bench.restart()
    oracle.passEnded()
    schedule = AgentSchedule(
      AgentRules(
        firstTrySpreadMilliseconds: firstTrySpreadMilliseconds, endsWhenEmpty: endsWhenEmpty),
      at: bench.clock.now, random: random.next())
  }

  func cutPower() {
    bench.clock.reboot(
      offMilliseconds: world.milliseconds(upTo: world.once(in: 3) ? 7_200_000 : 60_000))
    oracle.boot(bench.clock)
    if world.once(in: 2) { bench.clock.wallErrorSeconds = world.wallError(bench.clock) }
    startAgent("power was cut")
  }

  func tellClock() {
    oracle.tellChange(bench.clock)
    schedule.clockSet(at: bench.clock.now, random: random.next())
  }

  // MARK: - Events

  var diskIsBroken: Bool { bench.clock.worldMilliseconds < diskIsBrokenUntil }

  func breakJournal() {
    let journal = bench.journal
    guard diskIsBroken else { return }
    let first = journal.callCount + world.number(1...6)
    journal.failing = Set(first..<(first + world.number(1...3)))
    journal.failsAfterWriting = world.once(in: 2)
  }

  /// Lets happen what is due.
  func happen() {
    while let event = next, event.world <= bench.clock.worldMilliseconds {
      // What stops or replaces the process comes between its steps; for the middle of a request
      // `reply` has its own.
      if isInPass, !happensAnyTime(event.event) { return }
      if event.isOfFlap {
        counts.addLinkChange(elapsed)
      } else {
        counts.addEvent(elapsed)
        note("\(event.event)")
      }
      apply(event.event)
      arrange()
    }
  }

  func happensAnyTime(_ event: DayWorld.Event) -> Bool {
    switch event {
    case .link, .flap, .weather, .withdraw, .setServerClock, .breakDisk: true
    case .queue(_, let isSent): !isSent
    case .setWall, .restart, .powerCut, .suspend, .flush, .ask, .occupy: false
    }
  }

  func apply(_ event: DayWorld.Event) {
    switch event {
    case .link(let reach): setLink(reach)
    case .flap(let count): world.flap(count)
    case .weather(let weather): world.weather = weather
    case .queue(let isKnown, let isSent): queue(isKnown: isKnown, isSent: isSent)
    case .withdraw:
      guard !bench.journal.rows.isEmpty else { return }
      bench.journal.withdraw(
        bench.journal.row(world.number(1...bench.journal.rows.count)).ticket)
      journalRings = true
    case .setWall:
      bench.clock.wallErrorSeconds = world.wallError(bench.clock)
      tellClock()
    case .setServerClock: bench.server.clockErrorSeconds = world.serverClockError()
    case .restart: startAgent("restart")
    case .powerCut: cutPower()
    case .suspend: bench.clock.advance(milliseconds: world.milliseconds(upTo: 7_200_000))
    case .flush: runCommand(only: nil)
    case .ask:
      oracle.ask()
      schedule.asked(at: bench.clock.now)
    case .occupy:
      occupiedUntil = bench.clock.worldMilliseconds + world.milliseconds(upTo: 120_000)
    case .breakDisk:
      diskIsBrokenUntil = bench.clock.worldMilliseconds + world.milliseconds(upTo: 1_800_000)
    }
  }

  func setLink(_ reach: Reach) {
    world.setLink(reach)
    networkRings = true
  }

  func queue(isKnown: Bool, isSent: Bool) {
    let license = SampleLicense(.key("LATER-\(bench.journal.rows.count)"))
    if isKnown { bench.server.activate(license) } else { unknown.insert(license.body) }
    let ticket = bench.journal.queue(license)
    journalRings = true
    if isSent { runCommand(only: ticket) }
  }

  /// `handback flush`, or what `handback deactivate` sends by itself.
  func runCommand(only ticket: Ticket?) {
    guard bench.clock.worldMilliseconds >= occupiedUntil else { return }
    let rules = bench.rules
    bench.rules.onlyDue = false
    bench.rules.networkHasChanged = false
    bench.rules.only = ticket
    bench.restart()
    oracle.sender = .person
    breakJournal()
    isInPass = true
    do throws(MemoryJournal.Failure) {
      let end = try bench.pass()
      note("command: \(end.text)")
    } catch {
      note("command: call \(error.call) of the journal failed")
    }
    isInPass = false
    changedInPass = false
    oracle.sender = .agent
    bench.journal.failing = []
    bench.rules = rules
    journalRings = true
    // What came due for the agent meanwhile met the lock.
    occupiedUntil = bench.clock.worldMilliseconds + 1
    if powerFails { cutPower() }
    stopsProcess = false
  }

  // MARK: - Requests

  func reply(_ request: SentRequest) -> ScriptedServer.Reply {
    let mark = world.mark
    happen()
    var reply = world.reply(bench.clock)
    if world.once(in: 60) {
      // No power from here on: nothing more is written.
      powerFails = true
      let call = bench.journal.callCount + 1
      bench.journal.failing = Set(call..<(call + 100))
      bench.journal.failsAfterWriting = false
      if world.once(in: 2) { reply = .serve }
    } else if world.once(in: 60) {
      stopsProcess = true
      reply = hasNetwork && world.once(in: 2) ? .lose(.interrupted) : .unreachable(.interrupted)
    } else if mark != world.mark, world.once(in: 2) {
      changedInPass = true
      reply = .unreachable(.interrupted)
    }
    oracle.hear(reply, bench.clock, serverClockError: bench.server.clockErrorSeconds)
    return reply
  }
}
