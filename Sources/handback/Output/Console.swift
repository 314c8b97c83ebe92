internal import HandbackCore
internal import HandbackLinux

/// All output of the program.
///
/// - What was asked for goes to standard output: facts, one a line, or with `--json` one object
///   on one line.
/// - Everything else goes to standard error with a `handback:` prefix, in lower case and without
///   a full stop: `error:` says what failed, `hint:` what to do, `warning:` what may surprise.
/// - Where standard error is systemd's journal, each line begins with its level (sd-daemon(3)).
/// - Progress goes to standard error only if that is a terminal.
/// - Nothing secret, no value of an argument.
struct Console {
  /// A promise is only made once it is written: what can't be printed is an error.
  @_disfavoredOverload
  static func print(_ line: Text) throws(Failure) {
    try write(("\(line)\n" as Text).bytes)
  }

  @inline(never)
  static func print(_ line: Literal) throws(Failure) {
    try print(Text(line))
  }

  static func write(_ bytes: [UInt8]) throws(Failure) {
    let cause = Descriptor.write(bytes.span, to: 1)
    guard cause == 0 else {
      throw Failure(
        .ioError, "cannot write to standard output: \(Process.description(ofErrno: cause))")
    }
  }

  @_disfavoredOverload
  static func warn(_ text: Text, hint: Text? = nil) {
    note("warning: \(text)", .warning)
    self.hint(hint)
  }

  @inline(never)
  static func warn(_ text: Literal, hint: Literal? = nil) {
    warn(Text(text), hint: hint.map { Text($0) })
  }

  static func report(_ failure: Failure) {
    note("error: \(failure.message)", .error)
    hint(failure.hint)
  }

  static func hint(_ text: Text?) {
    if let text { note("hint: \(text)") }
  }

  /// A line's weight; the numbers are syslog's.
  enum Level: Int {
    case error = 3
    case warning = 4
    case notice = 5
    case information = 6
  }

  @_disfavoredOverload
  static func note(_ text: Text, _ level: Level = .information) {
    // The journal adds the program's name by itself.
    let head: Text = Process.isErrorStreamJournal ? "<\(level.rawValue)>" : "handback: "
    // Nobody is left to be told if standard error can't be written.
    let line: Text = "\(head)\(text)\n"
    _ = Descriptor.write(line.bytes.span, to: 2)
  }

  @inline(never)
  static func note(_ text: Literal) { note(Text(text)) }

  /// A line that the next one overwrites; `nil` removes it.
  static func progress(_ text: Text?) {
    guard Process.isTerminal(2) else { return }
    let line: Text = "\r\u{1B}[K\(text ?? "")"
    _ = Descriptor.write(line.bytes.span, to: 2)
  }
}
