internal import HandbackCore

/// What the program can be asked to do.
enum Command: Int {
  static var allCases: Cases<Command> { Cases() }

  case id, deactivate, flush, agent, status, receipt, retry, withdraw, settings, help, version

  var name: Literal { Self.names[rawValue] }

  static var names: Literals {
    """
    id\0deactivate\0flush\0agent\0status\0receipt\0retry\0withdraw\0settings\0help\0version
    """
  }

  var summary: Literal { Self.summaries[rawValue] }

  static var summaries: Literals {
    """
    print this device's hardware ID\0\
    give a license back, now or when the network is there\0\
    send what is pending\0\
    stay, and send what is pending whenever the network is there\0\
    show what is pending, and why\0\
    show how a deactivation ended\0\
    try one pending deactivation now\0\
    take a pending deactivation back\0\
    show the settings in force and where each came from\0\
    explain a command\0\
    print the version and the libraries in use
    """
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

  var name: Literal { Self.names[rawValue] }

  static var names: Literals {
    """
    json\0queue-only\0wait\0only-due\0until-empty\0deadline\0all\0accept-changed-hardware\0\
    explain\0check\0pin\0repin\0config\0help
    """
  }

  /// What it is for.
  var help: Literal { Self.helps[rawValue] }

  static var helps: Literals {
    """
    print one JSON object on one line\0\
    only accept it; don't open a connection\0\
    wait so long for the verdict; 0 then means deactivated\0\
    heed every wait, as a timer should; else only Retry-After is heeded\0\
    end when nothing is pending; spread nothing and begin at once\0\
    with --until-empty: end after so long in any case\0\
    show what has ended, too\0\
    send the pinned ID although the hardware is not that of the pin\0\
    tell what the ID was made of, and why not of other sources\0\
    compare the pinned ID with the hardware; 76 if they are different\0\
    make and pin the ID at provisioning; nothing else if it is pinned\0\
    pin another in its place; the reason is kept in the ID's history\0\
    the settings file [/etc/handback.conf]\0\
    print this help
    """
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
