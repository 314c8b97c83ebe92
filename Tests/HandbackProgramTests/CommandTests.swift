import Foundation
import TestSupport
import Testing

/// The commands around the main job.
struct CommandTests {
  /// On its way when it was withdrawn, and done by the server before the command ends.
  @Test(.enabled(if: SystemCallTests.isPossible))
  func `says that the server did it while it was withdrawn`() {
    let emulator = Emulator()
    let device = Device(emulator)
    let ticket = Device.ticket(device.run("deactivate", "--queue-only"))
    emulator.setFaults(["kind": "slow_bytes", "delay_first": 2, "bytes_per_second": 100_000])
    let result = device.shell(
      """
      "$program" flush >/dev/null &
      until "$program" status --json | grep -q '"attempts":1'; do sleep 0.1; done
      strace -f -o /dev/null -P \(device.journal)-copy -e inject=fdatasync:delay_enter=4000000 \
        "$program" withdraw \(ticket) 2>&1
      """)
    #expect(result.status == 65)
    #expect(
      result.output.contains("error: \(ticket) is no longer pending: deactivated\n"), "\(result)")
    #expect(device.json("receipt", ticket)["state"] as? String == "deactivated")
  }

  @Test func `withdraws a pending deactivation, and never sends it`() {
    let emulator = Emulator()
    let device = Device(emulator)
    let ticket = Device.ticket(device.run("deactivate", "--queue-only"))
    let result = device.run("withdraw", ticket)
    #expect(result.status == 0)
    #expect(result.output == "withdrawn \(ticket)\n")
    #expect(device.run("flush").output == "nothing is pending\n")
    #expect(emulator.count("requests") == 0)
    #expect(
      device.sql("SELECT state, secret IS NULL, fingerprint IS NULL FROM deactivation")
        == "3|1|1")
    let again = device.run("withdraw", ticket)
    #expect(again.status == 65)
    #expect(again.errors.hasPrefix("handback: error: \(ticket) is no longer pending: withdrawn\n"))
    #expect(device.run("receipt", ticket).output.contains("state        withdrawn\n"))
  }

  @Test func `retries one that is held`() {
    let emulator = Emulator()
    let device = Device(emulator)
    emulator.setFaults(["kind": "status", "status": 400, "code": "validation_error", "count": 2])
    let ticket = Device.ticket(device.run("deactivate"))
    #expect(device.json("receipt", ticket)["held"] as? Bool == true)
    #expect(device.run("flush", "--only-due").status == 75)
    #expect(emulator.count("requests") == 1)
    let failed = device.run("retry", ticket)
    #expect(failed.status == 75)
    #expect(emulator.count("requests") == 2)
    let result = device.run("retry", ticket)
    #expect(result.status == 0)
    #expect(result.output == "deactivated \(ticket)\n")
  }

  @Test func `shows settings with their sources, and no secret`() {
    var device = Device()
    device.program.environment["HANDBACK_RATE"] = "5"
    device.folder.write("credentials", "")
    try? FileManager.default.removeItem(atPath: device.folder.path("credentials"))
    mkdir(device.folder.path("credentials"), 0o700)
    device.folder.write("credentials/bearer-token", "SECRET-TOKEN")
    device.program.environment["CREDENTIALS_DIRECTORY"] = device.folder.path("credentials")
    let settings = device.json("settings", "--timeout", "7")["settings"] as? [String: [String: Any]]
    #expect(settings?["timeout"]?["source"] as? String == "flag")
    #expect(settings?["rate"]?["source"] as? String == "environment")
    #expect(settings?["product"]?["source"] as? String == "file")
    #expect(settings?["bearer-token-file"]?["source"] as? String == "credentials")
    #expect(settings?["connect-timeout"]?["source"] as? String == "default")
    let lines = device.run("settings")
    #expect(lines.status == 0)
    #expect(!lines.output.contains("SECRET-TOKEN"))
    #expect(!lines.output.contains("AAAA-BBBB"))
  }

  @Test func `takes the journal's folder from systemd`() {
    var device = Device()
    let folder = device.folder.path("var/handback")
    device.program.environment["STATE_DIRECTORY"] = "/other:\(folder):/last"
    device.program.environment["HANDBACK_CONFIG"] = device.folder.write("empty.conf", "")
    let settings = device.json("settings")["settings"] as? [String: [String: Any]]
    #expect(settings?["journal"]?["value"] as? String == folder + "/journal.db")
    // Of a service that calls us: nobody would look there.
    device.program.environment["STATE_DIRECTORY"] = "/var/lib/other"
    let others = device.json("settings")["settings"] as? [String: [String: Any]]
    #expect(others?["journal"]?["value"] as? String == "/var/lib/handback/journal.db")
  }

  @Test func `takes values as systemd does, and refuses what it would take otherwise`() {
    let device = Device()
    func value(_ text: String) -> String? {
      let file = device.folder.write("one.conf", "HANDBACK_PRODUCT=\(text)\n")
      let settings = device.json("settings", "--config", file)["settings"]
      return (settings as? [String: [String: Any]])?["product"]?["value"] as? String
    }
    #expect(value(" XY ") == "XY")
    #expect(value(" \"X Y\" ") == "X Y")
    #expect(value("'X\\Y'") == "X\\Y")
    for wrong in ["\"a\" \"b\"", "\"a\\\"b\"", "12\\", "\"a"] {
      let file = device.folder.write("one.conf", "HANDBACK_PRODUCT=\(wrong)\n")
      #expect(device.run("settings", "--config", file).status == 78, "\(wrong)")
    }
  }

  @Test func `the stronger source says how requests are authorized`() {
    let emulator = Emulator()
    let device = Device(
      emulator, settings: ["HANDBACK_BEARER_TOKEN_FILE=/nonexistent"])
    #expect(device.run("deactivate", "--queue-only").status == 0)
    #expect(device.run("flush").status == 78, "both are in the file")
    let flags = [
      "--api-key-file", device.folder.path("api-key"),
      "--shared-key-file", device.folder.path("shared-key"),
    ]
    #expect(device.program.run(["flush"] + flags).output.contains("1 deactivated"))
  }

  @Test func `a journal must be named by its whole path where nobody sees from where`() {
    var device = Device()
    for text in ["", "rel.db"] {
      device.program.environment["HANDBACK_JOURNAL"] = text
      #expect(device.run("deactivate", "--queue-only").status == 78)
      #expect(device.run("flush").errors.contains("must be an absolute path"))
    }
    #expect(device.run("flush", "--journal", "").status == 64)
  }

  @Test func `explains every command`() {
    let program = Program(in: TemporaryFolder().url.deletingLastPathComponent())
    let overview = program.run("help")
    #expect(overview.status == 0)
    for command in [
      "id", "deactivate", "flush", "status", "receipt", "retry", "withdraw", "settings", "help",
      "version",
    ] {
      #expect(overview.output.contains("\n  \(command) "))
      let help = program.run("help", command)
      #expect(help.status == 0)
      #expect(help.output.hasPrefix("usage: handback \(command)"))
      #expect(program.run(command, "--help").output == help.output)
      #expect(help.errors == "")
    }
    #expect(program.run("--version").output.hasPrefix("handback 0.1.0\nSQLite 3."))
    #expect(program.run("version").output.contains("libcurl "))
  }

  @Test func `the manual is the one that the help makes`() throws {
    let manual = try String(
      contentsOf: Repository.file("cross/packaging/handback.1"), encoding: .utf8)
    let made = TestSupport.Command.run(Repository.file("scripts/manual").path, [Program.path])
    #expect(made.output == manual, "run: scripts/manual > cross/packaging/handback.1")
  }

  @Test func `says so when there is nothing yet`() {
    let device = Device()
    let status = device.run("status")
    #expect(status.status == 0)
    #expect(status.output == "nothing was queued yet (no journal at \(device.journal))\n")
    #expect(device.run("flush").output == "nothing is pending\n")
    #expect(device.run("flush").status == 0)
    #expect(!FileManager.default.fileExists(atPath: device.journal))
  }

  @Test func `one sends at a time`() throws {
    let emulator = Emulator()
    let device = Device(emulator)
    device.run("deactivate", "--queue-only")
    // Two more commands have to come to their end in this time.
    emulator.setFaults(["kind": "slow_bytes", "delay_first": Program.isNative ? 2 : 15])
    let first = device.program.start(["flush"])
    while emulator.count("requests") == 0 { usleep(20_000) }
    let second = device.run("flush")
    #expect(second.status == 75)
    #expect(second.errors.contains("another handback is sending"))
    let queued = device.run("deactivate", "--hardware-id", "demo-device-2")
    // Either of the two sends it.
    #expect(queued.status == 0)
    let result = first.finish()
    #expect(result.status == 0)
    #expect(result.output.contains(" 0 rejected, 0 pending"))
    #expect(emulator.count("successes") == 2)
  }

  /// The time that is set is for the whole of it, and a server may think for most of it.
  @Test func `waits for an answer as long as it may`() {
    let emulator = Emulator()
    let device = Device(emulator)
    emulator.setFaults(["kind": "slow_bytes", "delay_first": 18, "bytes_per_second": 100_000])
    let result = device.run("deactivate", "--timeout", Program.isNative ? "27" : "60")
    #expect(result.output.contains("\ndeactivated "), "\(result)")
  }

  @Test func `another's sending is waited for, but not for long`() {
    let emulator = Emulator()
    let device = Device(emulator)
    device.run("deactivate", "--queue-only")
    let lock = device.journal + "-sender"
    let late = device.shell("flock \(lock) sleep 20 & sleep 1; $program deactivate 2>&1; kill $!")
    #expect(late.output.hasPrefix("queued already "), "\(late)")
    #expect(
      late.output.contains(
        "not sent yet: another handback is sending; 'handback flush' sends what it leaves"))
    // Whatever the last pass found out, this one found another sending.
    emulator.setFaults(["kind": "proxy_407"])
    #expect(device.run("flush").status == 69)
    let ticket = late.output.split(whereSeparator: \.isWhitespace)[2]
    let retried = device.shell(
      "flock \(lock) sleep 20 & sleep 1; $program retry \(ticket); r=$?; kill $!; exit $r")
    #expect(retried.status == 75, "\(retried)")
    let soon = device.shell("flock \(lock) sleep 2 & sleep 1; $program deactivate 2>&1")
    #expect(soon.output.contains("\ndeactivated "), "\(soon)")
  }

  @Test func `a bearer token from a file is sent as it is`() {
    let emulator = Emulator()
    let device = Device(emulator)
    device.folder.write("token", "NOT-A-TOKEN-OF-THIS-SERVER\n")
    device.folder.write(
      "handback.conf",
      """
      HANDBACK_SERVER=\(emulator.baseURL)
      HANDBACK_CA_FILE=\(emulator.authorityFile)
      HANDBACK_BEARER_TOKEN_FILE=\(device.folder.path("token"))
      HANDBACK_LICENSE_KEY_FILE=\(device.folder.path("license-key"))
      HANDBACK_JOURNAL=\(device.journal)
      HANDBACK_PRODUCT=XY
      HANDBACK_HARDWARE_ID=demo-device-1

      """)
    let result = device.run("deactivate")
    #expect(result.status == 0)
    #expect(
      device.json("receipt", Device.ticket(result))["code"] as? String
        == "oauth_token_malformed")
    #expect(device.json("receipt", Device.ticket(result))["held"] as? Bool == true)
  }

  private func clientCredentials(_ emulator: Emulator, _ secret: String) -> Device {
    let device = Device(emulator)
    device.folder.write("client-secret", secret)
    device.folder.write(
      "handback.conf",
      """
      HANDBACK_SERVER=\(emulator.baseURL)
      HANDBACK_CA_FILE=\(emulator.authorityFile)
      HANDBACK_CLIENT_ID=client-id-example
      HANDBACK_CLIENT_SECRET_FILE=\(device.folder.path("client-secret"))
      HANDBACK_LICENSE_KEY_FILE=\(device.folder.path("license-key"))
      HANDBACK_JOURNAL=\(device.journal)
      HANDBACK_PRODUCT=XY
      HANDBACK_HARDWARE_ID=demo-device-1

      """)
    return device
  }

  @Test func `fetches an OAuth token, keeps it in memory, and fetches it anew when refused`() {
    let emulator = Emulator()
    let device = clientCredentials(emulator, "client-secret-example")
    let result = device.run("deactivate")
    #expect(result.output.contains("\ndeactivated "), "\(result)")
    #expect(emulator.log.map { $0["path"] as? String }.count == 3)
    emulator.setFaults([
      "kind": "status", "status": 401, "code": "oauth_token_expired",
      "match": ["path": "/api/v4/deactivate_license"],
    ])
    let again = device.run("deactivate", "--hardware-id", "demo-device-2")
    #expect(again.output.contains("\ndeactivated "), "\(again)")
    let journal = device.folder.read("state/journal.db") ?? Data()
    let log = emulator.log.compactMap { $0["headers"] }.description
    #expect(log.contains("Bearer "))
    #expect(!String(decoding: journal, as: UTF8.self).contains("Bearer"))
  }

  @Test func `takes a token address with a query`() {
    let emulator = Emulator()
    let device = clientCredentials(emulator, "client-secret-example")
    let url = emulator.baseURL + "/realms/user-portal/protocol/openid-connect/token?tenant=a/b"
    let result = device.run("deactivate", "--token-url", url)
    #expect(result.output.contains("\ndeactivated "), "\(result)")
    #expect(emulator.log.count == 2)
  }

  /// The client's secret would be on the network there.
  @Test func `fetches a token from this machine itself past a proxy`() {
    let emulator = Emulator("--plain")
    let proxy = Emulator("--plain")
    // Another one's settings name a file of certificates that is there.
    let encrypted = Emulator()
    var device = clientCredentials(encrypted, "client-secret-example")
    device.program.environment["http_proxy"] = proxy.plainURL
    let url = emulator.plainURL + "/realms/user-portal/protocol/openid-connect/token"
    let result = device.run("deactivate", "--server", emulator.plainURL, "--token-url", url)
    #expect(result.output.contains("\ndeactivated "), "\(result)")
    #expect(proxy.log.isEmpty)
  }

  @Test func `holds everything when the OAuth client is refused`() {
    let emulator = Emulator()
    let device = clientCredentials(emulator, "wrong-secret")
    let result = device.run("deactivate")
    #expect(result.status == 0)
    let receipt = device.json("receipt", Device.ticket(result))
    #expect(receipt["code"] as? String == "invalid_client")
    #expect(receipt["attempts"] as? Int == 0, "nothing was sent for the license")
    #expect(!result.errors.contains("wrong-secret"))
  }
}
