import Foundation

/// `handback agent`, running.
public final class RunningAgent {
  public let running: Program.Running
  public var processID: Int32 { running.process.processIdentifier }
  private let errorFile: URL
  private var hasEnded = false

  /// Starts it and waits until it is asleep for the first time.
  public init(_ device: Device, _ arguments: String..., environment: [String: String] = [:]) {
    errorFile = device.folder.url.appendingPathComponent("agent-\(UUID().uuidString)")
    _ = FileManager.default.createFile(atPath: errorFile.path, contents: nil)
    var program = device.program
    for (name, value) in environment { program.environment[name] = value }
    running = program.start(
      ["agent"] + arguments, errors: try! FileHandle(forWritingTo: errorFile))
    _ = waitFor { self.errors.contains("the agent watches") || !running.process.isRunning }
  }

  deinit { if running.process.isRunning { running.signal(SIGKILL) } }

  /// What it told so far.
  public var errors: String { (try? String(contentsOf: errorFile, encoding: .utf8)) ?? "" }

  /// Ends it as systemd does; its exit status, and how long it took.
  @discardableResult
  public func end(_ signal: Int32 = SIGTERM) -> (status: Int32, seconds: Double) {
    let began = Date()
    running.signal(signal)
    let result = running.finish()
    return (result.status, Date().timeIntervalSince(began))
  }

  /// A wrapper that keeps the mounts of other tests from waking it; none where nobody mounts. Where
  /// the file is removed that a network namespace is mounted on, it is unmounted everywhere.
  public static let amongItsOwnMounts =
    getuid() == 0
    ? [
      "/usr/bin/unshare", "--mount", "sh", "-c",
      "umount --recursive --lazy /run/netns 2>/dev/null; exec \"$0\" \"$@\"",
    ] : []

  public var descriptorCount: Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/fd"))?.count ?? -1
  }

  /// How often it went to sleep.
  public var sleepCount: Int {
    let status = (try? String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches") }
    return Int(line?.split(separator: "\t").last ?? "") ?? -1
  }
}

/// Asks every 10 ms until it is so; `false` if it isn't within the time.
public func waitFor(seconds: Double = 20, _ condition: () -> Bool) -> Bool {
  let end = Date().addingTimeInterval(seconds)
  while Date() < end {
    if condition() { return true }
    usleep(10_000)
  }
  return condition()
}
