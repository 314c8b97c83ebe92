internal import HandbackCore

/// `handback help [COMMAND]`.
enum HelpCommand {
  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    guard let operand = arguments.operand else {
      try overview()
      return .ok
    }
    guard let command = Command(utf8: operand) else {
      throw Failure(.usage, "unknown command", hint: "'handback help' lists the commands")
    }
    try explain(command)
    return .ok
  }

  private static func overview() throws(Failure) {
    try Console.print("usage: handback COMMAND [OPTION]...")
    try Console.print("Gives a device's software license back, whatever happens.\n")
    for command in Command.allCases {
      try Console.print(
        "  \(command.name.padded(to: 13))\(command.summary)")
    }
    try Console.print("\n'handback help COMMAND' explains one; handback(1) is the manual.")
  }

  static func explain(_ command: Command) throws(Failure) {
    try Console.print("usage: handback \(command.name)\(usage(command))")
    try Console.print("\(text(command))\n")
    for option in Option.allCases where option.isTaken(by: command) {
      let name: Text = "--\(option.name)\(value(option))"
      try Console.print("  \(name.padded(to: 28))\(option.help)")
    }
    guard command != .help, command != .version else { return }
    try Console.print(
      "\nsettings: each also as HANDBACK_NAME in the environment and in /etc/handback.conf")
    for setting in Setting.allCases where takes(command, setting) {
      let name: Text = "--\(setting.name)"
      let fallback: Text = setting.defaultValue.map { " [\($0)]" } ?? ""
      try Console.print("  \(name.padded(to: 28))\(setting.help)\(fallback)")
    }
  }

  /// What is worth listing: every command takes every setting, so that one file serves all.
  private static func takes(_ command: Command, _ setting: Setting) -> Bool {
    switch command {
    case .deactivate, .settings: true
    case .flush, .retry: setting == .journal || setting.isForSending
    case .agent: setting == .journal || setting.isForSending || setting.isForAgent
    case .id: setting == .journal || setting.isForID
    case .status, .receipt, .withdraw: setting == .journal
    case .help, .version: false
    }
  }

  private static func usage(_ command: Command) -> Literal {
    switch command {
    case .receipt, .retry, .withdraw: " TICKET [OPTION]..."
    case .help: " [COMMAND]"
    default: " [OPTION]..."
    }
  }

  private static func value(_ option: Option) -> Text {
    switch option {
    case .wait, .deadline: " SECONDS"
    case .repin: " REASON"
    case .config: " FILE"
    default: ""
    }
  }

  private static func text(_ command: Command) -> Literal {
    switch command {
    case .id:
      """
      Prints this device's hardware ID. The first call makes it and pins it in the journal; it
      stays the same then, whatever happens to the device. Schemes: hb1 (ours), licensespring
      (the vendor's clients'), machine-id, mac-decimal, random, value:STRING. With
      --root it only looks, unless told --pin or --repin, as in a container that has its host's tree.
      Exit status 69: no ID to be had; 76: the hardware is not that of the pin; 77: --check can't
      read it; 78: another ID is pinned already.
      """
    case .deactivate:
      """
      Accepts a deactivation: when 'queued TICKET' is printed, a power cut can't lose it. Then it
      is sent at once, if the server can be reached. Exit status 0: deactivated, or safely queued.
      A license is named in one way: license-key-file; username; id-token-file or code-file with
      customer-account-code. Secrets are read from files, or with - from standard input.
      """
    case .flush:
      """
      Sends what is pending, in the order of queueing. Exit status 0: nothing is left pending and
      nothing was rejected; 69: the server can't be reached; 75: some are still pending; 65: some
      are damaged; 76: some were rejected; 78: a key, or the key that sealed them, is missing.
      """
    case .agent:
      """
      Stays, asleep until something happens, and sends what is pending when a route to the server
      appears, when something is queued, and when a wait is over. SIGTERM ends it, SIGHUP reads the
      settings again. With --until-empty, exit status 0: nothing is pending any more; 65: the
      same, but some are damaged; 76: the same, but some were rejected meanwhile; 69: the server
      could not be reached before the deadline; 75: some are still pending. 78: a key is missing.
      """
    case .status: "Shows what is pending and why. Needs no network and writes nothing."
    case .receipt:
      """
      Shows when and how a deactivation ended, what the server said, and after how many attempts.
      Exit status 75 while it is pending; 65: damaged, or there is no such ticket.
      """
    case .retry:
      """
      Tries one pending deactivation now; only a server's Retry-After is heeded. Exit status 0:
      deactivated; 69, 75, 78: pending; 76: rejected; 65: no such ticket, or no longer pending.
      """
    case .withdraw:
      """
      Takes a pending deactivation back: it will not be sent. Ends a damaged one, too. The receipt
      stays. Exit status 65: there is no such ticket, or it is no longer pending.
      """
    case .settings: "Shows every setting in force and where it came from. Secrets are not read."
    case .help: "Explains a command."
    case .version: "Prints this program's version and those of SQLite and libcurl."
    }
  }
}
