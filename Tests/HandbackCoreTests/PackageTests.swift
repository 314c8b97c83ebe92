import Foundation
import TestSupport
import Testing

/// The layout's rules (README, "How it works"), checked as tests.
struct PackageTests {
  /// A scratch folder of its own, since SwiftPM holds a lock on the one that these tests run from.
  private static func describe() throws -> PackageRules.Description {
    let scratch = FileManager.default.temporaryDirectory
      .appendingPathComponent("handback-describe-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: scratch) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.currentDirectoryURL = Repository.folder
    process.arguments = [
      "swift", "package", "--scratch-path", scratch.path, "describe", "--type", "json",
    ]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let json = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return try PackageRules.Description(json: json)
  }

  private static func sources() throws -> [(path: String, source: String)] {
    let folder = Repository.file("Sources")
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
    return try names.filter { $0.hasSuffix(".swift") }.map { name in
      (name, try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8))
    }
  }

  @Test func `targets depend one way`() throws {
    let package = try Self.describe()
    #expect(package.targets.count >= 10)
    #expect(PackageRules.findings(package) == [])
  }

  @Test func `sources import one way and stay within Embedded Swift`() throws {
    let sources = try Self.sources()
    #expect(sources.count > 80)
    #expect(sources.flatMap { PackageRules.findings(path: $0.path, source: $0.source) } == [])
  }

  // MARK: - The checks themselves

  private static func package(_ targets: String, dependencies: String = "") throws -> [String] {
    let names = ["handback", "HandbackLinux", "HandbackCore", "CLibc", "CSQLite", "CUdev", "CCurl"]
    let rest = names.filter { !targets.contains("\"name\": \"\($0)\"") }.map {
      "{\"name\": \"\($0)\", \"path\": \"Sources/\($0)\"}"
    }
    let all = ([targets] + rest).filter { !$0.isEmpty }.joined(separator: ",")
    let json = "{\"targets\": [\(all)], \"dependencies\": [\(dependencies)]}"
    return PackageRules.findings(try PackageRules.Description(json: Data(json.utf8)))
  }

  @Test(arguments: [
    ("HandbackCore", "HandbackLinux"), ("HandbackCore", "CLibc"), ("HandbackCore", "handback"),
    ("HandbackLinux", "handback"), ("handback", "CSQLite"), ("handback", "CCurl"),
    ("CLibc", "HandbackCore"), ("HandbackCore", "TestSupport"), ("handback", "AllocationCounter"),
  ])
  func `finds an edge that is not allowed`(from: String, to: String) throws {
    let target =
      #"{"name": "\#(from)", "path": "Sources/\#(from)", "target_dependencies": ["\#(to)"]}"#
    let findings = try Self.package(target)
    #expect(findings.count == 1)
    #expect(findings.first?.hasPrefix("\(from) → \(to) is not allowed: ") == true)
  }

  @Test func `finds other packages, unknown targets and renamed ones`() throws {
    #expect(try Self.package("") == [])
    #expect(try Self.package("", dependencies: "{}").count == 1)
    #expect(try Self.package(#"{"name": "New", "path": "Sources/New"}"#).count == 1)
    #expect(
      try Self.package(
        #"{"name": "HandbackCore", "path": "Sources/x", "product_dependencies": ["NIO"]}"#
      ).count == 1)
    let test =
      #"{"name": "TestSupport", "path": "Tests/x", "target_dependencies": ["HandbackLinux"]}"#
    #expect(try Self.package(test).count == 1)
    let none = try PackageRules.Description(json: Data(#"{"targets":[],"dependencies":[]}"#.utf8))
    #expect(PackageRules.findings(none).count == 7)
  }

  @Test(arguments: [
    ("HandbackCore/A.swift", "import Foundation"),
    ("HandbackCore/A.swift", "internal import CLibc"),
    ("HandbackCore/A.swift", "@testable import HandbackLinux"),
    ("HandbackLinux/A.swift", "import Foundation"), ("HandbackLinux/A.swift", "import CSQLite"),
    ("HandbackLinux/A.swift", "public import CLibc"), ("HandbackLinux/A.swift", "import handback"),
    ("handback/Commands/A.swift", "internal import CLibc"),
    ("handback/Entry.swift", "internal import CSQLite"), ("handback/Entry.swift", "import CLibc"),
    ("handback/A.swift", "import struct Foundation.Data"),
    ("HandbackCore/A.swift", "let x: any Sequence"), ("HandbackCore/A.swift", "let x: [Any] = []"),
    ("HandbackCore/A.swift", "func f() throws {"),
    ("HandbackCore/A.swift", "func f() throws -> Int"),
    ("HandbackCore/A.swift", "func f(_ g: () throws -> Int) rethrows -> Int"),
    ("handback/A.swift", "struct S: Codable {}"), ("handback/A.swift", "struct S: A, Decodable {"),
    ("handback/A.swift", "Mirror(reflecting: x)"),
    ("handback/A.swift", String(repeating: "\n", count: 401)),
  ])
  func `finds what sources must not do`(path: String, source: String) {
    #expect(!PackageRules.findings(path: path, source: source).isEmpty)
  }

  @Test(arguments: [
    ("HandbackLinux/A.swift", "internal import CLibc\npublic import HandbackCore\n"),
    ("handback/Entry.swift", "internal import CLibc"),
    ("handback/CommandLine/A.swift", "internal import CLibc"),
    ("handback/A.swift", "internal import HandbackLinux"),
    ("HandbackCore/A.swift", "// any Sequence throws\n/* import Foundation */ let x = \"any A\""),
    ("HandbackCore/A.swift", "let x = \"\"\"\n  import Foundation \\\"\\\"\\\" throws\n  \"\"\"\n"),
    ("HandbackCore/A.swift", "func f() throws(E) {}; many Things; let any = 1; MirrorImage()"),
    ("HandbackCore/A.swift", String(repeating: "\n", count: 400)),
  ])
  func `lets pass what they may`(path: String, source: String) {
    #expect(PackageRules.findings(path: path, source: source) == [])
  }
}
