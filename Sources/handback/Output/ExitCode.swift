/// How the program ends; names and numbers are those of `sysexits.h` (design: exit codes).
enum ExitCode: Int32 {
  /// Done, or safely queued.
  case ok = 0
  /// The command line is wrong.
  case usage = 64
  /// A value is wrong: a field, a file's content.
  case dataError = 65
  /// The server, or a hardware ID, can't be had.
  case unavailable = 69
  /// A fault of our own.
  case software = 70
  /// The system has no memory left.
  case outOfMemory = 71
  /// The journal can't be made.
  case cannotCreate = 73
  /// Input or output failed.
  case ioError = 74
  /// Still pending when the wait ran out.
  case temporaryFailure = 75
  /// The server rejected it; or the hardware isn't the one the ID was issued for.
  case rejected = 76
  /// Not permitted.
  case noPermission = 77
  /// Settings are wrong or missing.
  case configuration = 78
}
