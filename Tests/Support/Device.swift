import Foundation

/// A device set up as in the README: settings file, keys, a license, and a journal to be made.
public struct Device {
  public let folder = TemporaryFolder()
  public var program: Program
  public private(set) var journal: String

  /// `server` is a base URL; without an emulator nobody listens there.
  public init(_ emulator: Emulator? = nil, server: String? = nil, settings: [String] = []) {
    journal = folder.path("state/journal.db")
    program = Program(in: folder.url)
    folder.write("license-key", "AAAA-BBBB-CCCC-DDDD\n")
    folder.write("api-key", "demo-api-key\n")
    folder.write("shared-key", "demo-shared-key-not-a-secret\n")
    var lines = [
      // Port 9 is "discard": nothing listens on it here.
      "HANDBACK_SERVER=\(server ?? emulator?.baseURL ?? "https://127.0.0.1:9")",
      "HANDBACK_API_KEY_FILE=\(folder.path("api-key"))",
      "HANDBACK_SHARED_KEY_FILE=\(folder.path("shared-key"))",
      "HANDBACK_LICENSE_KEY_FILE=\(folder.path("license-key"))",
      "HANDBACK_JOURNAL=\(folder.path("state/journal.db"))",
      "HANDBACK_PRODUCT=XY",
      "HANDBACK_HARDWARE_ID=demo-device-1",
    ]
    if let emulator { lines.append("HANDBACK_CA_FILE=\(emulator.authorityFile)") }
    folder.write("handback.conf", (lines + settings).joined(separator: "\n") + "\n")
    program.environment = [
      "HANDBACK_CONFIG": folder.path("handback.conf"), "PATH": "/usr/bin:/bin",
    ]
  }

  /// Keeps the journal in memory, where 20,000 syncs cost nothing.
  public mutating func moveJournalToMemory() -> TemporaryFolder {
    let memory = TemporaryFolder(in: URL(fileURLWithPath: "/dev/shm"))
    journal = memory.path("journal.db")
    program.environment["HANDBACK_JOURNAL"] = journal
    return memory
  }

  /// What the program takes for the time, as a dead battery or a person may set it: `+11y`, or
  /// `@1970-01-01 00:00:30` in UTC. By libfaketime; the clocks that nobody can set stay right.
  public mutating func setWallClock(_ time: String) {
    program.environment["LD_PRELOAD"] = "/usr/$LIB/faketime/libfaketime.so.1"
    program.environment["FAKETIME"] = time
    program.environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"
    program.environment["TZ"] = "UTC"
  }

  @discardableResult
  public func run(_ arguments: String..., input: String? = nil) -> Program.Result {
    program.run(arguments, input: input)
  }

  /// Runs a script with `$program`, in the device's environment.
  public func shell(_ script: String) -> (status: Int32, output: String) {
    var arguments = ["-i", "PATH=/usr/bin:/bin:/usr/sbin:/sbin", "program=\(Program.path)"]
    for (name, value) in program.environment where name != "PATH" {
      arguments.append("\(name)=\(value)")
    }
    return Command.run("timeout", ["60", "env"] + arguments + ["sh", "-c", script])
  }

  /// One fact of the journal, asked for with the `sqlite3` command.
  @discardableResult
  public func sql(_ query: String) -> String {
    Command.run("sqlite3", [journal, query]).output
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The row about the server as another boot finds it: as it is, and sealed.
  public func startAnotherBoot() {
    sql("UPDATE server SET anchor_boot = 1")
    let names = [
      "id", "failures", "reason", "wait_ms", "wait_end_ms", "wait_boot", "clock_floor",
      "anchor_at", "anchor_boot_ms", "anchor_boot", "address",
    ]
    let columns = sql("SELECT \(names.map { "quote(\($0))" }.joined(separator: ", ")) FROM server")
      .split(separator: "|").map(String.init)
    sql("UPDATE server SET seal = \(SealedRows.seal(quoted: columns))")
  }

  /// Standard output of `--json`, taken apart.
  public func json(_ arguments: String...) -> [String: Any] {
    let result = program.run(arguments + ["--json"])
    let object = try? JSONSerialization.jsonObject(with: Data(result.output.utf8))
    return object as? [String: Any] ?? ["unreadable": result.output + result.errors]
  }

  /// The ticket that a command printed.
  public static func ticket(_ result: Program.Result) -> String {
    let words = result.output.split(whereSeparator: { $0 == " " || $0 == "\n" })
    return words.first { $0.contains("-") }.map(String.init) ?? "no ticket: \(result)"
  }
}
