internal import CLibc
internal import HandbackLinux

/// The program's `main`: SwiftPM links it under this name, in both modes.
@c(handback_main)
func handbackMain(
  _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> CInt {
  Process.openStandardStreams()
  Process.protect()
  do throws(Failure) {
    return try run(unsafe Arguments(count, arguments)).rawValue
  } catch {
    Console.report(error)
    return error.exit.rawValue
  }
}

private func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
  if arguments.has(.help) {
    try HelpCommand.explain(arguments.command)
    return .ok
  }
  switch arguments.command {
  case .help: return try HelpCommand.run(arguments)
  case .version: return try VersionCommand.run(arguments)
  case .id, .deactivate, .flush, .agent, .status, .receipt, .retry, .withdraw, .settings: break
  }
  let settings = try Settings(flags: arguments.flags, file: arguments.settingsFile)
  switch arguments.command {
  case .id: return try IDCommand.run(arguments, settings)
  case .deactivate: return try DeactivateCommand.run(arguments, settings)
  case .flush: return try FlushCommand.run(arguments, settings)
  case .agent: return try AgentCommand.run(arguments, settings)
  case .status: return try StatusCommand.run(arguments, settings)
  case .receipt: return try ReceiptCommand.run(arguments, settings)
  case .retry: return try RetryCommand.run(arguments, settings)
  case .withdraw: return try WithdrawCommand.run(arguments, settings)
  case .settings: return try SettingsCommand.run(arguments, settings)
  case .help, .version: preconditionFailure("handled above")
  }
}
