import Foundation
import TestSupport
import Testing

/// Every secret bears a mark, and the marks are looked for wherever one could have been left: what
/// is printed, the journal's files, and the process's memory as it exits.
struct SecretTests {
  /// A way to name the license and a way to authorize the request.
  struct Ways: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let product: String
    /// Settings whose values are files, and what is in them.
    let secrets: [String: String]
    let plain: [String]
  }

  static let signed = [
    "API_KEY_FILE": "mark-of-the-api-key", "SHARED_KEY_FILE": "mark-of-the-shared-key",
  ]

  /// With the key that AES has of it, by python3-cryptography's `HKDFExpand`.
  static let sealKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
  static let cipherKey = "2c1cf9e192785ecfad9cd2fe59916e634498b423ff679120ad1a7338fae13adf"

  static let ways = [
    Ways(
      testDescription: "license key, signed", product: "XY",
      secrets: signed.merging(["LICENSE_KEY_FILE": "MARK-LICE-NSEK-EY00"]) { $1 }, plain: []),
    Ways(
      testDescription: "user and password, signed", product: "XU",
      secrets: signed.merging(["PASSWORD_FILE": "mark-of-the-password"]) { $1 },
      plain: ["HANDBACK_USERNAME=user@example.com"]),
    Ways(
      testDescription: "id token, signed, sealed", product: "XU",
      secrets: signed.merging(["ID_TOKEN_FILE": "mark.of-the-id.token", "SEAL_KEY_FILE": sealKey]) {
        $1
      },
      plain: ["HANDBACK_CUSTOMER_ACCOUNT_CODE=CAC"]),
    Ways(
      testDescription: "code, client credentials", product: "XU",
      secrets: [
        "CODE_FILE": "mark-of-the-code", "CLIENT_SECRET_FILE": "mark-of-the-client-secret",
      ],
      plain: ["HANDBACK_CUSTOMER_ACCOUNT_CODE=CAC", "HANDBACK_CLIENT_ID=marked-client"]),
    Ways(
      testDescription: "license key, bearer token", product: "XY",
      secrets: [
        "LICENSE_KEY_FILE": "MARK-LICE-NSEK-EY00", "BEARER_TOKEN_FILE": "mark-of-the-bearer-token",
      ], plain: []),
    Ways(
      testDescription: "license key, bearer token, sealed", product: "XY",
      secrets: [
        "LICENSE_KEY_FILE": "MARK-LICE-NSEK-EY00", "BEARER_TOKEN_FILE": "mark-of-the-bearer-token",
        "SEAL_KEY_FILE": sealKey,
      ], plain: []),
  ]

  @Test(.enabled(if: Program.isNative), arguments: ways)
  func `leaves no secret in output, journal or memory`(_ ways: Ways) {
    let emulator = Emulator()
    Self.teach(emulator)
    let device = Device(emulator)
    var settings = [
      "HANDBACK_SERVER=\(emulator.baseURL)", "HANDBACK_CA_FILE=\(emulator.authorityFile)",
      "HANDBACK_JOURNAL=\(device.journal)", "HANDBACK_PRODUCT=\(ways.product)",
    ]
    for (name, content) in ways.secrets {
      settings.append("HANDBACK_\(name)=\(device.folder.write(name, content + "\n"))")
    }
    device.folder.write("handback.conf", (settings + ways.plain).joined(separator: "\n") + "\n")
    let marks = Array(ways.secrets.values)

    /// Runs the program and looks for the marks in its memory; its output is looked through, too.
    @discardableResult
    func run(_ arguments: String...) -> Command.Result {
      let keys =
        ways.secrets["SEAL_KEY_FILE"] == nil
        ? [] : ["hex:" + Self.sealKey, "hex:" + Self.cipherKey]
      // The token that the emulator gives, and what else only its answer has.
      let answer = ["emulator.", "\"refresh_expires_in\": 0"]
      let result = Command.search(
        for: marks + keys + answer, in: [Program.path] + arguments, device.program)
      #expect(result.finds == "", "in the memory of \(arguments)")
      for mark in marks { #expect(!result.output.contains(mark), "printed by \(arguments)") }
      return result
    }

    run("deactivate", "--queue-only", "--hardware-id", "demo-device-1")
    // One answer that refuses, one that is no answer, one that gets lost, and a good one.
    emulator.setFaults(
      ["kind": "status", "status": 503], ["kind": "wrong_success"], ["kind": "reset_after"])
    let metrics = device.folder.path("metrics.prom")
    run("agent", "--until-empty", "--deadline", "2", "--metrics-file", metrics)
    let figures = (try? String(contentsOfFile: metrics, encoding: .utf8)) ?? ""
    #expect(figures.contains("handback_deactivations"))
    for mark in marks { #expect(!figures.contains(mark), "\(mark) is in the metrics") }
    #expect(emulator.count("successes") == 0)
    for _ in 1...3 { run("flush", "--json") }
    #expect(device.sql("SELECT state FROM deactivation") == "1")
    #expect(emulator.count("successes") == 1)
    // One that is rejected, and one that is withdrawn.
    run("deactivate", "--json", "--hardware-id", "unknown")
    #expect(device.sql("SELECT state FROM deactivation WHERE row = 2") == "2")
    let queued = run("deactivate", "--queue-only", "--hardware-id", "another")
    let words = queued.output.split(whereSeparator: \.isWhitespace)
    let ticket = words.first { $0.hasPrefix("3-") }.map(String.init) ?? "no ticket"
    run("withdraw", ticket)
    #expect(device.sql("SELECT state FROM deactivation WHERE row = 3") == "3")
    run("status", "--all", "--json")
    run("receipt", ticket, "--json")
    run("settings", "--json")
    run("settings")

    // All rows have ended: no file of the journal's holds a credential, free pages included.
    let folder = URL(fileURLWithPath: device.journal).deletingLastPathComponent()
    let files = (try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? []
    #expect(!files.isEmpty)
    for file in files {
      let bytes = (try? Data(contentsOf: folder.appendingPathComponent(file))) ?? Data()
      for mark in marks {
        #expect(bytes.range(of: Data(mark.utf8)) == nil, "\(mark) is in \(file)")
      }
    }
  }

  @Test(.enabled(if: SystemCallTests.isPossible))
  func `forbids a core file before it reads a secret, and starts no child`() throws {
    let emulator = Emulator()
    let device = Device(emulator)
    for command in [["deactivate"], ["agent", "--until-empty"]] {
      var traced = device.program
      traced.wrapper = [
        "/usr/bin/strace", "-f", "-o", device.folder.path("trace"), "-e",
        "trace=prctl,openat,execve,execveat,fork,vfork,clone,clone3",
      ]
      #expect(traced.run(command).status == 0)
      let trace = try String(contentsOfFile: device.folder.path("trace"), encoding: .utf8)
      let calls = trace.split(separator: "\n")
      let forbids = calls.firstIndex { $0.contains("PR_SET_DUMPABLE, SUID_DUMP_DISABLE") }
      let reads = calls.firstIndex { $0.contains("shared-key") }
      #expect(try #require(forbids) < #require(reads), "\(trace)")
      #expect(calls.filter { $0.contains("execve") }.count == 1, "\(trace)")
      // libcurl may look names up in a thread.
      let made = calls.filter { $0.contains("fork(") || $0.contains("clone") }
      #expect(
        !made.contains { !$0.contains("CLONE_THREAD") && !$0.contains("resumed") }, "\(trace)")
    }
  }

  @Test(.enabled(if: Program.isNative))
  func `the search of memory finds what is there`() {
    // The keys of the settings file are in memory, as paths; so the search isn't blind.
    let device = Device()
    let result = Command.search(
      for: [device.journal], in: [Program.path, "status"], device.program)
    #expect(result.finds.contains(device.journal))
  }

  /// Has the server know all that is marked.
  private static func teach(_ emulator: Emulator) {
    let devices = ["demo-device-1"]
    let user = ["username": "user@example.com", "password": "mark-of-the-password"]
    let account: [String: Any] = [
      "customer_account_code": "CAC", "id_tokens": ["mark.of-the-id.token"],
      "codes": ["mark-of-the-code"],
    ]
    emulator.control(
      "/licenses",
      [
        "api_keys": ["mark-of-the-api-key": ["shared_key": "mark-of-the-shared-key"]],
        "oauth_clients": ["marked-client": ["client_secret": "mark-of-the-client-secret"]],
        "tokens": [
          "mark-of-the-bearer-token": ["client_id": "marked-client", "expires": 4_102_444_800]
        ],
        "licenses": [
          ["id": 1, "product": "XY", "license_key": "MARK-LICE-NSEK-EY00", "devices": devices],
          ["id": 2, "product": "XU", "user": user, "devices": devices],
          ["id": 3, "product": "XU", "sso": account, "devices": devices],
        ],
      ] as [String: Any])
  }
}

extension Command {
  struct Result {
    let output: String
    /// A line for each find, with what is around it.
    let finds: String
  }

  /// Runs a program under `Tests/Secrets/search_memory.py`.
  static func search(for words: [String], in command: [String], _ program: Program) -> Result {
    let finds = program.folder.appendingPathComponent("finds").path
    let script = Repository.file("Tests/Secrets/search_memory.py").path
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments =
      ["-c", "exec python3 \"$@\" 3>\(finds) 2>&1", "sh", script, words.joined(separator: ",")]
      + command
    process.environment = program.environment
    let pipe = Pipe()
    process.standardOutput = pipe
    try! process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Result(
      output: String(decoding: output, as: UTF8.self),
      finds: (try? String(contentsOfFile: finds, encoding: .utf8)) ?? "nothing was searched")
  }
}
