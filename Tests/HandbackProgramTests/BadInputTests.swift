import Foundation
import TestSupport
import Testing

/// Bad input: a clear error, a distinct exit code, and a journal that is unchanged to the byte.
struct BadInputTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let arguments: [String]
    let status: Int32
    let error: String
    var files: [String: String] = [:]
    var environment: [String: String] = [:]
    var testDescription: String { name }
  }

  static let long = String(repeating: "x", count: 300)

  static let cases: [Case] = [
    Case(name: "no command", arguments: [], status: 64, error: "no command given"),
    Case(name: "unknown command", arguments: ["frob"], status: 64, error: "unknown command"),
    Case(
      name: "unknown option", arguments: ["deactivate", "--frob=secret"], status: 64,
      error: "unknown option --frob\n"),
    Case(
      name: "long option with one dash", arguments: ["deactivate", "--json", "-product", "XY"],
      status: 64, error: "unknown option -p\n"),
    Case(
      name: "option of another command", arguments: ["status", "--queue-only"], status: 64,
      error: "'handback status' has no option --queue-only"),
    Case(
      name: "missing value", arguments: ["deactivate", "--product"], status: 64,
      error: "option --product needs a value"),
    Case(
      name: "value for a flag", arguments: ["status", "--json=1"], status: 64,
      error: "option --json takes no value"),
    Case(
      name: "operand where none goes", arguments: ["status", "x"], status: 64,
      error: "'handback status' takes no operand"),
    Case(
      name: "a secret on the command line",
      arguments: ["deactivate", "--license-key", "AAAA-BBBB-CCCC-DDDD"], status: 64,
      error: "secrets are not taken from the command line"),
    Case(
      name: "empty product", arguments: ["deactivate", "--product", ""], status: 65,
      error: "--product is empty"),
    Case(
      name: "over-long product", arguments: ["deactivate", "--product", long], status: 65,
      error: "--product is longer than 128 bytes"),
    Case(
      name: "line break in a field", arguments: ["deactivate", "--product", "a\r\nb"], status: 65,
      error: "--product holds a control character"),
    Case(
      name: "line break in the hardware ID", arguments: ["deactivate", "--hardware-id", "a\nb"],
      status: 65, error: "--hardware-id must be 1 to 256 bytes"),
    Case(
      name: "license_id that is no number", arguments: ["deactivate", "--license-id", "12x"],
      status: 64, error: "--license-id must be a whole number"),
    Case(
      name: "license_id out of range",
      arguments: ["deactivate", "--license-id", "9223372036854775808"], status: 64,
      error: "--license-id must be a whole number"),
    Case(
      name: "two ways to name the license",
      arguments: ["deactivate", "--username", "u", "--license-key-file", "license-key"],
      status: 64, error: "license_key and username are both given"),
    Case(
      name: "SSO without the account", arguments: ["deactivate", "--id-token-file", "license-key"],
      status: 64, error: "no customer account is named"),
    Case(
      name: "empty key file", arguments: ["deactivate", "--license-key-file", "empty"],
      status: 65, error: "cannot read empty (license-key-file): it is empty",
      files: ["empty": "\n"]),
    Case(
      name: "NUL in a key file", arguments: ["deactivate", "--license-key-file", "nul"],
      status: 65, error: "cannot read nul (license-key-file): it holds a NUL byte",
      files: ["nul": "AA\u{0}BB"]),
    Case(
      name: "two lines in a key file", arguments: ["deactivate", "--license-key-file", "two"],
      status: 65, error: "the license_key in two holds a control character",
      files: ["two": "AA\nBB\n"]),
    Case(
      name: "over-long key", arguments: ["deactivate", "--license-key-file", "long"],
      status: 65, error: "the license_key in long is longer than 256 bytes",
      files: ["long": long]),
    Case(
      name: "huge key file", arguments: ["deactivate", "--license-key-file", "huge"],
      status: 65, error: "cannot read huge (license-key-file): larger than 16 KiB",
      files: ["huge": String(repeating: "x", count: 20_000)]),
    Case(
      name: "missing key file", arguments: ["deactivate", "--license-key-file", "none"],
      status: 78, error: "cannot read none (license-key-file): No such file or directory"),
    Case(
      name: "a folder for a key file", arguments: ["deactivate", "--license-key-file", "."],
      status: 78, error: "cannot read . (license-key-file): not a regular file"),
    Case(
      name: "quote in the API key", arguments: ["deactivate", "--api-key-file", "quote"],
      status: 64, error: "--api-key-file names a file whose key holds a quote",
      files: ["quote": "ab\"c"]),
    Case(
      name: "line break in the shared key",
      arguments: ["deactivate", "--shared-key-file", "lines"], status: 64,
      error: "--shared-key-file names a file whose key holds a control character",
      files: ["lines": "a\r\nX-Evil: 1"]),
    Case(
      name: "plain HTTP to another host",
      arguments: ["deactivate", "--server", "http://192.0.2.1"],
      status: 64, error: "--server is plain HTTP"),
    Case(
      name: "plain HTTP to a host that looks like this one",
      arguments: ["deactivate", "--server", "http://127.0.0.1.example.com"],
      status: 64, error: "--server is plain HTTP"),
    Case(
      name: "no address at all", arguments: ["deactivate", "--server", "ftp://x"], status: 64,
      error: "--server must be an address"),
    Case(
      name: "a port that there can't be", arguments: ["deactivate", "--server", "https://h:99999"],
      status: 64, error: "--server must be an address"),
    Case(
      name: "a port that is no number", arguments: ["deactivate", "--server", "https://[::1]:abc"],
      status: 64, error: "--server must be an address"),
    Case(
      name: "an IPv6 address without brackets",
      arguments: ["deactivate", "--server", "https://::1"], status: 64,
      error: "--server must be an address"),
    Case(
      name: "missing file of authorities", arguments: ["deactivate", "--ca-file", "none"],
      status: 78, error: "cannot read none (ca-file): No such file or directory"),
    Case(
      name: "a folder for a file of authorities", arguments: ["deactivate", "--ca-file", "."],
      status: 78, error: "cannot read . (ca-file): Is a directory"),
    Case(
      name: "plain HTTP to a token address of an HTTPS server",
      arguments: [
        "deactivate", "--client-id", "c", "--client-secret-file", "secret", "--token-url",
        "http://127.0.0.1/token",
      ],
      status: 64, error: "--token-url must be an https:// address, as the server's is",
      files: [
        "secret": "s",
        "oauth.conf": "HANDBACK_PRODUCT=XY\nHANDBACK_LICENSE_KEY_FILE=license-key\n",
      ], environment: ["HANDBACK_CONFIG": "oauth.conf"]),
    Case(
      name: "only queued, and waited for",
      arguments: ["deactivate", "--queue-only", "--wait", "5"], status: 64,
      error: "--queue-only and --wait exclude each other"),
    Case(
      name: "help for two commands", arguments: ["help", "agent", "extra"], status: 64,
      error: "'handback help' takes one command"),
    Case(
      name: "rate out of range", arguments: ["flush", "--rate", "-1"], status: 64,
      error: "--rate must be a whole number from 0 to 1000"),
    Case(
      name: "wait out of range", arguments: ["deactivate", "--wait", "x"], status: 64,
      error: "--wait must be a whole number of seconds"),
    Case(
      name: "unknown setting in the environment", arguments: ["status"], status: 78,
      error: "unknown setting HANDBACK_SERVR in the environment",
      environment: ["HANDBACK_SERVR": "x"]),
    Case(
      name: "unknown setting in the file", arguments: ["status", "--config", "conf"], status: 78,
      error: "conf:2: unknown setting HANDBACK_FROB",
      files: ["conf": "# a comment\nHANDBACK_FROB=1\n"]),
    Case(
      name: "no setting at all in the file", arguments: ["status", "--config", "conf"], status: 78,
      error: "conf:1: not of the form NAME=value", files: ["conf": "frob\n"]),
    Case(
      name: "open quote in the file", arguments: ["status", "--config", "conf"], status: 78,
      error: "conf:1: the quote is not closed", files: ["conf": "HANDBACK_SERVER=\"x\n"]),
    Case(
      name: "missing settings file", arguments: ["status", "--config", "none"], status: 78,
      error: "cannot read the settings file none: no such file"),
    Case(
      name: "no ticket", arguments: ["receipt", "frob"], status: 64, error: "that is no ticket"),
    Case(
      name: "ticket of another journal", arguments: ["receipt", "1-000000"], status: 65,
      error: "there is no ticket 1-000000"),
    Case(
      name: "withdraw a ticket of another journal", arguments: ["withdraw", "7-000000"],
      status: 65, error: "there is no ticket 7-000000"),
    Case(
      name: "unknown scheme", arguments: ["id", "--scheme", "frob"], status: 64,
      error: "--scheme must be hb1,"),
  ]

  @Test(arguments: cases)
  func `is refused, and the journal stays as it is`(_ test: Case) throws {
    var device = Device()
    device.run("deactivate", "--queue-only", "--hardware-id", "kept")
    for (name, text) in test.files { device.folder.write(name, text) }
    let before = device.folder.read("state/journal.db")
    let walBefore = device.folder.read("state/journal.db-wal")
    device.program.environment.merge(test.environment) { $1 }
    let result = device.program.run(test.arguments)
    #expect(result.status == test.status, "\(result)")
    #expect(result.errors.hasPrefix("handback: error: " + test.error), "\(result.errors)")
    #expect(result.output == "")
    #expect(device.folder.read("state/journal.db") == before)
    #expect(device.folder.read("state/journal.db-wal") == walBefore)
    #expect(!result.errors.contains("AAAA-BBBB"))
  }

  @Test(arguments: [0o644, 0o604, 0o602])
  func `refuses a secret file that others can read or write`(_ mode: Int) {
    let device = Device()
    device.folder.write("license-key", "AAAA-BBBB-CCCC-DDDD\n", mode: mode)
    chmod(device.folder.path("license-key"), mode_t(mode))
    let result = device.run("deactivate", "--queue-only")
    #expect(result.status == 78)
    #expect(result.errors.contains("refusing \(device.folder.path("license-key"))"))
    #expect(!FileManager.default.fileExists(atPath: device.journal))
  }

  @Test func `refuses a settings file that everybody can write`() {
    let device = Device()
    chmod(device.folder.path("handback.conf"), 0o666)
    let result = device.run("status")
    #expect(result.status == 78)
    #expect(result.errors.contains("everybody can write it"))
  }
}
