import Foundation

/// Another program, run to its end.
struct Tool {
  let status: Int32
  let output: String
  let errors: String

  init(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    let output = Pipe()
    // To a file: a second pipe that nobody reads could fill up.
    let folder = FileManager.default.temporaryDirectory
    let file = folder.appending(path: "errors-\(UUID().uuidString)")
    _ = FileManager.default.createFile(atPath: file.path, contents: nil)
    defer { try? FileManager.default.removeItem(at: file) }
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: file)
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    status = process.terminationStatus
    self.output = String(decoding: data, as: UTF8.self)
    errors = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
  }

  /// The rest of the first line that begins with `name` and a blank.
  func line(_ name: String) -> String? {
    for line in output.split(separator: "\n") where line.hasPrefix(name + " ") {
      return String(line.dropFirst(name.count + 1))
    }
    return nil
  }

  /// Where a tool is, or `nil`: then a test is skipped, in CI it fails.
  static func has(_ tool: String) -> Bool {
    (try? Tool(["sh", "-c", "command -v \(tool)"]).status) == 0
  }
}

/// Where tests run, and what is beside them.
enum Surroundings {
  static let isCI = ProcessInfo.processInfo.environment["CI"] != nil

  /// A program that this package built, in the tests' own configuration.
  static func program(_ name: String) -> String {
    URL(filePath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent()
      .appending(path: name).path
  }
}
