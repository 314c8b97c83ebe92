internal import HandbackCore
internal import HandbackLinux

/// `handback agent`: stays, and sends what is pending when it can be sent.
enum AgentCommand {
  static func run(_ arguments: Arguments, _ settings: Settings) throws(Failure) -> ExitCode {
    guard arguments.deadlineSeconds == nil || arguments.has(.untilEmpty) else {
      throw Failure(.usage, "--deadline goes with --until-empty")
    }
    // What is wrong with the settings is found now, and not when the network returns.
    let spread = try settings.checkForAgent()
    let started = SystemClock.now()
    let rules = AgentRules(
      firstTrySpreadMilliseconds: spread,
      endsWhenEmpty: arguments.has(.untilEmpty),
      deadlineBootMilliseconds: arguments.deadlineSeconds.map {
        started.bootMilliseconds + $0 * 1000
      })
    let events: AgentEvents
    do throws(AgentEvents.Failure) {
      events = try AgentEvents(journal: settings.journalPath)
    } catch {
      throw Failure(
        .ioError,
        "cannot listen for events: \(Process.description(ofErrno: error.errno))")
    }
    let watch = AgentWatch(
      events, ServiceManager(), host: try settings.serverAddress().destination,
      deadlineBootMilliseconds: rules.deadlineBootMilliseconds)
    return try Agent(arguments, settings, watch, rules).run()
  }
}

extension Settings {
  /// Everything that sending needs, read once for the sake of its errors. Keys are read again for
  /// each pass and not kept: a new one is taken up, and an agent that sleeps holds none.
  ///
  /// Returns the setting that is the agent's own: `first-try-spread`, in milliseconds.
  func checkForAgent() throws(Failure) -> Int64 {
    _ = try transportOptions()
    _ = try flushRules()
    for setting in [
      Setting.apiKeyFile, .sharedKeyFile, .bearerTokenFile, .clientSecretFile, .sealKeyFile,
    ] {
      if let path = self[setting], path.isEqual(to: "-") {
        throw wrong(setting, "must name a file: the agent reads it more than once")
      }
    }
    guard try authorizer() != nil else { throw Self.noKeys }
    return try seconds(.firstTrySpread, 0...86_400) * 1000
  }

  static var noKeys: Failure {
    Failure(
      .configuration, "no keys are set for the license server",
      hint: "set api-key-file and shared-key-file; what is queued stays queued")
  }
}
