import Foundation

/// The license server emulator, started for one test, over TLS on loopback.
public final class Emulator: @unchecked Sendable {
  public let folder: TemporaryFolder
  private var process = Process()
  /// A command that runs it, and all that speaks to its control address.
  private let wrapper: [String]
  public private(set) var port = 0
  public private(set) var controlURL = ""

  public var baseURL: String { "https://127.0.0.1:\(port)" }
  /// Of one that was started with `--plain`.
  public var plainURL: String { "http://127.0.0.1:\(port)" }
  public var authorityFile: String { folder.path("ca.pem") }

  public init(_ options: String..., wrapper: [String] = []) {
    folder = TemporaryFolder()
    self.wrapper = wrapper
    start(options + ["--port", "0"])
  }

  deinit { stop() }

  public func stop() {
    guard process.isRunning else { return }
    process.terminate()
    process.waitUntilExit()
  }

  /// Starts it again where it was, with the same certificates; its state is the first one again.
  public func restart(_ options: String...) {
    stop()
    start(options + ["--port", String(port)])
  }

  private func start(_ options: [String]) {
    process = Process()
    let words = wrapper + [Repository.file("scripts/emulator").path] + options
    process.executableURL = URL(fileURLWithPath: words[0])
    process.arguments = words.dropFirst() + ["--directory", folder.url.path, "--quiet"]
    // Nothing of the test runner's: an emulator left behind by a crash must not keep it waiting.
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try! process.run()
    for _ in 0..<1000 {
      if let bytes = folder.read("ready.json"),
        let ready = try? JSONSerialization.jsonObject(with: bytes) as? [String: Any],
        ready["pid"] as? Int32 == process.processIdentifier
      {
        port = ready["port"] as? Int ?? 0
        controlURL = ready["control_url"] as? String ?? ""
        return
      }
      usleep(10_000)
    }
    fatalError("the emulator did not start")
  }

  // MARK: - Control

  /// `GET` of the control address, as JSON.
  public func control(_ path: String) -> [String: Any] {
    request(["-s", controlURL + path])
  }

  @discardableResult
  public func control(_ path: String, _ body: Any) -> [String: Any] {
    let bytes = try! JSONSerialization.data(withJSONObject: body)
    // By a file: a command line holds 128 KiB a word.
    let file = folder.write("control.json", bytes)
    return request([
      "-s", controlURL + path, "-H", "Content-Type: application/json", "--data-binary", "@" + file,
    ])
  }

  public func setFaults(_ faults: [String: Any]...) { control("/faults", faults) }

  public var log: [[String: Any]] { control("/log")["entries"] as? [[String: Any]] ?? [] }

  public func count(_ name: String) -> Int { control("/counts")[name] as? Int ?? -1 }

  private func request(_ arguments: [String]) -> [String: Any] {
    let words = wrapper + ["curl"] + arguments
    let result = Command.run(words[0], Array(words.dropFirst()))
    let answer = try? JSONSerialization.jsonObject(with: Data(result.output.utf8))
    return answer as? [String: Any] ?? [:]
  }
}

/// Another program of the system, found on the PATH.
public enum Command {
  @discardableResult
  public static func run(_ name: String, _ arguments: [String]) -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [name] + arguments
    let output = Pipe()
    process.standardOutput = output
    try! process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
  }
}
