internal import CLibc
internal import HandbackCore

/// The command line, taken apart by the C library's `getopt_long`.
final class Arguments {
  private(set) var command = Command.help
  private(set) var flags: [Settings.Value] = []
  private(set) var operand: Text?
  /// A bit for each option.
  private var options: UInt32 = 0
  private(set) var waitSeconds: Int64?
  private(set) var deadlineSeconds: Int64?
  private(set) var settingsFile: Text?
  /// Why another hardware ID is pinned in the place of the first.
  private(set) var repinReason: Text?

  func has(_ option: Option) -> Bool { options & Self.bit(option) != 0 }

  private static func bit(_ option: Option) -> UInt32 { 1 << UInt32(option.rawValue) }

  /// `arguments` are those of `main`, with the program's name first; `getopt_long` puts operands
  /// behind options in it.
  init(
    _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  ) throws(Failure) {
    guard count > 1, let first = unsafe arguments[1] else {
      throw Failure(.usage, "no command given", hint: "'handback help' lists the commands")
    }
    let word = unsafe Text(cString: first)
    if word.isEqual(to: "--version") {
      command = .version
    } else if word.isEqual(to: "--help") || word.isEqual(to: "-h") {
      command = .help
    } else if let named = Command(utf8: word) {
      command = named
    } else {
      throw Failure(.usage, "unknown command", hint: "'handback help' lists the commands")
    }
    // What follows the command is parsed as if the command were the program's name.
    try unsafe parse(count - 1, arguments + 1)
  }

  private static let settingBase: Int32 = 1000
  private static let optionBase: Int32 = 2000

  private func parse(
    _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  ) throws(Failure) {
    let table = unsafe Self.table()
    clibc_begin_options()
    while true {
      var argument: UnsafePointer<CChar>?
      let code = unsafe table.span.withUnsafeBufferPointer {
        unsafe clibc_next_option(count, arguments, $0.baseAddress, &argument)
      }
      if code == 0 { break }
      let value = unsafe argument.map { unsafe Text(cString: $0) }
      // The option is the last word read, or the one before if its value is a word of its own.
      let last = Int(clibc_first_operand()) - 1
      let isApart =
        unsafe argument != nil && arguments[last] == UnsafeMutablePointer(mutating: argument)
      let word =
        unsafe arguments[isApart ? last - 1 : last].map { unsafe Text(cString: $0) } ?? ""
      if code >= Self.settingBase, !Self.isWhole(word, code) { throw refusal(-1, word) }
      if code >= Self.optionBase, let option = Option(rawValue: Int(code - Self.optionBase)) {
        try take(option, value)
      } else if code >= Self.settingBase,
        let setting = Setting(rawValue: Int(code - Self.settingBase)), let value
      {
        flags.append(Settings.Value(setting, value, .flag))
      } else if code == Int32(UInt8(ascii: "h")) {
        options |= Self.bit(.help)
      } else {
        throw refusal(code, word)
      }
    }
    try unsafe takeOperands(count, arguments)
  }

  /// GNU's `getopt_long` takes any beginning of a name that fits one: `--license-key KEY`, a
  /// secret on the command line, would be `--license-key-file KEY`.
  private static func isWhole(_ word: Text, _ code: Int32) -> Bool {
    let name =
      Setting(rawValue: Int(code - settingBase))?.name
      ?? Option(rawValue: Int(code - optionBase))?.name
    guard let name else { return false }
    return Self.name(of: word) == "--\(name)"
  }

  /// `--name` of `--name=value`.
  private static func name(of word: Text) -> Text {
    word.prefix(before: UInt8(ascii: "="))
  }

  private func take(_ option: Option, _ value: Text?) throws(Failure) {
    guard option.isTaken(by: command) else {
      throw Failure(
        .usage, "'handback \(command.name)' has no option --\(option.name)",
        hint: "'handback help \(command.name)' lists its options")
    }
    options |= Self.bit(option)
    if option == .config { settingsFile = value }
    if option == .repin { repinReason = value }
    if option == .wait { waitSeconds = try seconds(option, value) }
    if option == .deadline { deadlineSeconds = try seconds(option, value) }
  }

  private func seconds(_ option: Option, _ value: Text?) throws(Failure) -> Int64 {
    let bytes = (value ?? "").bytes
    guard let seconds = Decimal.integer(bytes.span), (0...86_400).contains(seconds) else {
      throw Failure(
        .usage, "--\(option.name) must be a whole number of seconds from 0 to 86400")
    }
    return seconds
  }

  private func takeOperands(
    _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  ) throws(Failure) {
    let first = Int(clibc_first_operand())
    let operandCount = Int(count) - first
    if has(.help) { return }
    let wanted: Int
    switch command.operand {
    case .none: wanted = 0
    case .ticket: wanted = 1
    case .command: wanted = min(operandCount, 1)
    }
    guard operandCount == wanted else {
      throw Failure(
        .usage,
        wanted == 0
          ? "'handback \(command.name)' takes no operand"
          : "'handback \(command.name)' takes one \(command == .help ? "command" : "ticket" as Literal)",
        hint: "'handback help \(command.name)' shows how it is called")
    }
    if wanted == 1 { operand = unsafe arguments[first].map { unsafe Text(cString: $0) } }
  }

  /// Names the option, but never what follows its `=`: that may be a secret.
  private func refusal(_ code: Int32, _ word: Text) -> Failure {
    let name = Self.name(of: word)
    let shown = Text(printable: name.prefix(min(name.bytes.count, 40)))
    let hint: Text = "'handback help \(command.name)' lists its options"
    for secret in [
      "--license-key", "--shared-key", "--api-key", "--password", "--id-token", "--code",
    ] as [Literal]
    where name.isEqual(to: secret) {
      return Failure(
        .usage, "secrets are not taken from the command line, where every user can see them",
        hint: "write it to a file of mode 0600 and use \(secret)-file FILE, or - for standard input"
      )
    }
    switch code {
    case ..<(-256):
      let letter = Text(printable: Text([UInt8(truncatingIfNeeded: -256 - code)]))
      return Failure(.usage, "unknown option -\(letter)", hint: hint)
    case -2: return Failure(.usage, "option \(shown) needs a value", hint: hint)
    case -3: return Failure(.usage, "option \(shown) takes no value", hint: hint)
    default: return Failure(.usage, "unknown option \(shown)", hint: hint)
    }
  }

  /// `struct option` for every setting and option, ended by an empty one.
  private static func table() -> InlineArray<64, clibc_option> {
    let end = unsafe clibc_option(name: nil, has_arg: 0, flag: nil, val: 0)
    var table = unsafe InlineArray<64, clibc_option>(repeating: end)
    var count = 0
    for setting in Setting.allCases {
      unsafe table[count] = entry(setting.name, true, settingBase + Int32(setting.rawValue))
      count += 1
    }
    for option in Option.allCases {
      unsafe table[count] = entry(
        option.name, option.takesValue, optionBase + Int32(option.rawValue))
      count += 1
    }
    precondition(count < 64, "the table of options needs an empty one at its end")
    return unsafe table
  }

  private static func entry(
    _ name: Literal, _ takesValue: Bool, _ value: Int32
  ) -> clibc_option {
    unsafe clibc_option(name: name.cString, has_arg: takesValue ? 1 : 0, flag: nil, val: value)
  }
}
