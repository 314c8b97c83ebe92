internal import HandbackCore

/// What the program can be asked to do.
enum Command: Int {
  static var allCases: Cases<Command> { Cases() }

  case id, deactivate, flush, agent, status, receipt, retry, withdraw, settings, help, version

  var name: Literal {
    switch self {
    case .id: "id"
    case .deactivate: "deactivate"
    case .flush: "flush"
    case .agent: "agent"
    case .status: "status"
    case .receipt: "receipt"
    case .retry: "retry"
    case .withdraw: "withdraw"
    case .settings: "settings"
    case .help: "help"
    case .version: "version"
    }
  }

  var summary: Literal {
    switch self {
    case .id: "print this device's hardware ID"
    case .deactivate: "give a license back, now or when the network is there"
    case .flush: "send what is pending"
    case .agent: "stay, and send what is pending whenever the network is there"
    case .status: "show what is pending, and why"
    case .receipt: "show how a deactivation ended"
    case .retry: "try one pending deactivation now"
    case .withdraw: "take a pending deactivation back"
    case .settings: "show the settings in force and where each came from"
    case .help: "explain a command"
    case .version: "print the version and the libraries in use"
    }
  }

  /// The one operand that the command takes.
  var operand: Operand {
    switch self {
    case .receipt, .retry, .withdraw: .ticket
    case .help: .command
    case .id, .deactivate, .flush, .agent, .status, .settings, .version: .none
    }
  }

  enum Operand {
    case none, ticket, command
  }

  init?(utf8 text: Text) {
    for command in Self.allCases where text.isEqual(to: command.name) {
      self = command
      return
    }
    return nil
  }
}

/// Options that are no settings: they say how one call behaves.
enum Option: Int {
  static var allCases: Cases<Option> { Cases() }

  case json, queueOnly, wait, onlyDue, untilEmpty, deadline, all, acceptChangedHardware
  case explain, check, pin, repin, config, help

  var name: Literal {
    switch self {
    case .json: "json"
    case .queueOnly: "queue-only"
    case .wait: "wait"
    case .onlyDue: "only-due"
    case .untilEmpty: "until-empty"
    case .deadline: "deadline"
    case .all: "all"
    case .acceptChangedHardware: "accept-changed-hardware"
    case .explain: "explain"
    case .check: "check"
    case .pin: "pin"
    case .repin: "repin"
    case .config: "config"
    case .help: "help"
    }
  }

  var takesValue: Bool {
    switch self {
    case .wait, .deadline, .config, .repin: true
    case .json, .queueOnly, .onlyDue, .untilEmpty, .all, .acceptChangedHardware, .explain, .check,
      .pin, .help:
      false
    }
  }

  func isTaken(by command: Command) -> Bool {
    switch self {
    case .json: command != .help && command != .agent
    case .queueOnly, .wait, .acceptChangedHardware: command == .deactivate
    case .onlyDue: command == .flush
    case .untilEmpty, .deadline: command == .agent
    case .all: command == .status
    case .explain, .check, .pin, .repin: command == .id
    case .config: command != .help && command != .version
    case .help: true
    }
  }
}
