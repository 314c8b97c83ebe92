internal import HandbackCore

/// Why a command ends without having done what it was asked: what a person reads, and the exit
/// code. The message names the step, the thing and the cause; the hint says what to do.
///
/// A class: an error that is one word is passed on with one instruction, at each of the many
/// calls that only pass it on.
final class Failure: Error {
  let exit: ExitCode
  let message: Text
  let hint: Text?

  @_disfavoredOverload
  init(_ exit: ExitCode, _ message: Text, hint: Text? = nil) {
    self.exit = exit
    self.message = message
    self.hint = hint
  }

  /// Where nothing is put in: the texts are made here, and not at each of the calls.
  @inline(never)
  convenience init(_ exit: ExitCode, _ message: Literal, hint: Literal? = nil) {
    self.init(exit, Text(message), hint: hint.map { Text($0) })
  }
}
