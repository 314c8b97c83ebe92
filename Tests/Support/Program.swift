import Foundation

/// Runs the program as its users do: the shipped, Embedded binary, or the one that
/// `HANDBACK_PROGRAM` names (a cross-built one under QEMU, say).
public struct Program {
  public static let path =
    ProcessInfo.processInfo.environment["HANDBACK_PROGRAM"]
    ?? Repository.file(".build-embedded/handback").path

  /// Not under QEMU, whose own calls and memory would be counted.
  public static let isNative =
    ProcessInfo.processInfo.environment["HANDBACK_PROGRAM_IS_EMULATED"] == nil

  public struct Result: Sendable {
    public let status: Int32
    public let output: String
    public let errors: String
    /// The signal that ended it, or `nil`.
    public let signal: Int32?
  }

  /// The environment, whole: nothing of the caller's leaks in.
  public var environment: [String: String] = [:]
  public var folder: URL
  /// A command that runs it, with its arguments: another network namespace, say.
  public var wrapper: [String] = []

  public init(in folder: URL) {
    self.folder = folder
  }

  @discardableResult
  public func run(_ arguments: String..., input: String? = nil) -> Result {
    run(arguments, input: input)
  }

  public func run(_ arguments: [String], input: String? = nil) -> Result {
    let process = start(arguments, input: input)
    return process.finish()
  }

  /// `errors` takes what it writes to standard error in the place of `finish`.
  public func start(
    _ arguments: [String], input: String? = nil, errors errorFile: FileHandle? = nil
  ) -> Running {
    let process = Process()
    let words = wrapper + [Self.path] + arguments
    process.executableURL = URL(fileURLWithPath: words[0])
    process.arguments = Array(words.dropFirst())
    process.environment = environment
    process.currentDirectoryURL = folder
    let output = Pipe()
    let errors = Pipe()
    process.standardOutput = output
    process.standardError = errors
    if let errorFile {
      process.standardError = errorFile
      // Nobody writes to it, so that its reader sees its end.
      try? errors.fileHandleForWriting.close()
    }
    let feed = Pipe()
    process.standardInput = input == nil ? FileHandle.nullDevice : feed
    do {
      try process.run()
    } catch {
      fatalError("cannot start \(Self.path): \(error); run scripts/build first")
    }
    if let input {
      feed.fileHandleForWriting.write(Data(input.utf8))
      try? feed.fileHandleForWriting.close()
    }
    return Running(process: process, output: output, errors: errors)
  }

  public final class Running: @unchecked Sendable {
    public let process: Process
    private let output: Pipe
    private let errors: Pipe

    init(process: Process, output: Pipe, errors: Pipe) {
      self.process = process
      self.output = output
      self.errors = errors
    }

    /// Sends a signal; the program's own, since wrappers make room for it.
    public func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    public func finish() -> Result {
      // Both are read to their ends at once: a full pipe would block the program.
      nonisolated(unsafe) var errorBytes = Data()
      let group = DispatchGroup()
      let handle = errors.fileHandleForReading
      DispatchQueue.global().async(group: group) { errorBytes = handle.readDataToEndOfFile() }
      let outputBytes = output.fileHandleForReading.readDataToEndOfFile()
      group.wait()
      process.waitUntilExit()
      let isSignalled = process.terminationReason == .uncaughtSignal
      return Result(
        status: process.terminationStatus,
        output: String(decoding: outputBytes, as: UTF8.self),
        errors: String(decoding: errorBytes, as: UTF8.self),
        signal: isSignalled ? process.terminationStatus : nil)
    }
  }
}
