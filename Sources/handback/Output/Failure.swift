internal import HandbackCore

/// Why a command ends without having done what it was asked: what a person reads, and the exit
/// code. The message names the step, the thing and the cause; the hint says what to do.
struct Failure: Error {
  let exit: ExitCode
  let message: Line
  let hint: Line?

  init(_ exit: ExitCode, _ message: Line, hint: Line? = nil) {
    self.exit = exit
    self.message = message
    self.hint = hint
  }
}
