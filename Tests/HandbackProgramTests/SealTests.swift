import Foundation
import TestSupport
import Testing

/// Credentials that are encrypted in the journal, with the program and its system's libcrypto.
struct SealTests {
  private static let licenseKey = "AAAA-BBBB-CCCC-DDDD"
  private static let key = String(repeating: "0123456789abcdef", count: 4)
  private static let otherKey = String(repeating: "fedcba9876543210", count: 4)

  private static func device(_ emulator: Emulator? = nil) -> Device {
    var device = Device(emulator)
    setKey(key, &device)
    return device
  }

  private static func setKey(_ key: String?, _ device: inout Device) {
    guard let key else {
      device.program.environment["HANDBACK_SEAL_KEY_FILE"] = nil
      return
    }
    device.program.environment["HANDBACK_SEAL_KEY_FILE"] = device.folder.write(
      "seal-key", key + "\n")
  }

  /// What `Tests/Secrets/sealed.py` says.
  private static func tool(_ arguments: String..., input: String = "") -> String {
    let script = Repository.file("Tests/Secrets/sealed.py").path
    let quoted = ([script] + arguments).map { "'\($0)'" }.joined(separator: " ")
    return Command.run("sh", ["-c", "printf '%s' '\(input)' | python3 \(quoted)"]).output
  }

  private static func secret(_ device: Device, _ row: Int = 1) -> String {
    device.sql("SELECT substr(secret, 3) FROM deactivation WHERE row = \(row)")
  }

  private static func facts(_ device: Device, _ ticket: String) -> [String: Any] {
    device.json("receipt", ticket)
  }

  /// The journal's files that hold the license key.
  private static func plainFiles(_ device: Device) -> [String] {
    let folder = URL(fileURLWithPath: device.journal).deletingLastPathComponent()
    let files = (try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? []
    return files.filter { name in
      let bytes = FileManager.default.contents(atPath: folder.appendingPathComponent(name).path)
      return bytes?.range(of: Data(licenseKey.utf8)) != nil
    }
  }

  // MARK: - With the key

  @Test func `no file holds the credential before it is sent, nor after`() {
    let emulator = Emulator()
    let device = Self.device(emulator)
    let queued = device.run("deactivate", "--queue-only")
    let ticket = Device.ticket(queued)
    #expect(queued.output == "queued \(ticket)\n")
    #expect(queued.errors == "")
    #expect(Self.plainFiles(device) == [])
    // Asked again, nothing is written.
    let before = device.folder.read("state/journal.db-wal")
    #expect(device.run("deactivate", "--queue-only").output == "queued already \(ticket)\n")
    #expect(device.folder.read("state/journal.db-wal") == before)
    #expect(device.run("flush").output.hasPrefix("\(ticket)    deactivated\n"))
    #expect(emulator.count("successes") == 1)
    #expect(device.sql("SELECT secret IS NULL AND fingerprint IS NULL FROM deactivation") == "1")
    #expect(Self.plainFiles(device) == [])
  }

  @Test func `another tool opens it, and the program what another tool sealed`() {
    let emulator = Emulator()
    let device = Self.device(emulator)
    device.run("deactivate", "--queue-only")
    let keyFile = device.folder.path("seal-key")
    #expect(Self.tool("open", device.journal, keyFile, "1") == "\(Self.licenseKey)\n")
    let sealed = Self.tool("make", device.journal, keyFile, "1", input: Self.licenseKey)
    _ = Self.tool("write", device.journal, "1", input: "^^\(sealed)")
    #expect(device.run("flush").status == 0)
    #expect(emulator.count("successes") == 1)
  }

  @Test func `is found below systemd's credentials`() {
    var device = Device()
    let folder = device.folder.path("credentials")
    #expect(Command.run("mkdir", ["-m", "700", folder]).status == 0)
    device.folder.write("credentials/seal-key", Self.key)
    device.program.environment["CREDENTIALS_DIRECTORY"] = folder
    #expect(device.run("deactivate", "--queue-only").status == 0)
    #expect(Self.plainFiles(device) == [])
    #expect(device.run("settings").output.contains("\(folder)/seal-key"))
  }

  // MARK: - Without it

  /// What the settings say, and what is told of it.
  private static let troubles = [
    ("removed", nil, "seal_key_missing: no seal key is set"),
    ("another", otherKey, "seal_key_wrong"),
    (
      "cut short", "0123",
      "seal_key_missing: HANDBACK_SEAL_KEY_FILE names a file that doesn't hold 64 hexadecimal digits"
    ),
  ]

  @Test(arguments: troubles)
  func `what can't be read is held, the others go on, and it is sent when the key is back`(
    _ name: String, _ key: String?, _ words: String
  ) {
    let emulator = Emulator()
    var device = Self.device(emulator)
    let sealed = Device.ticket(device.run("deactivate", "--queue-only"))
    Self.setKey(nil, &device)
    let plain = Device.ticket(
      device.run("deactivate", "--queue-only", "--hardware-id", "demo-device-2"))
    Self.setKey(key, &device)

    let flushed = device.run("flush")
    #expect(flushed.status == 78)
    #expect(
      flushed.output == """
        \(sealed)    pending      \(words)
        \(plain)    deactivated
        1 deactivated, 0 rejected, 1 pending

        """)
    let hint = "give the key that it was queued with as seal-key-file; it is sent then"
    #expect(flushed.errors == "handback: hint: \(hint)\n")
    #expect(emulator.count("requests") == 1)
    #expect(device.run("retry", sealed).status == 78)
    let status = device.run("status")
    #expect(status.status == 0)
    #expect(status.output.contains("not tried yet, \(words); held; waits"))
    #expect(status.errors == "handback: hint: \(hint)\n")
    let facts = Self.facts(device, sealed)
    #expect(facts["state"] as? String == "pending")
    #expect(facts["held"] as? Bool == true)
    #expect(words.hasPrefix(facts["code"] as? String ?? "-"))
    #expect(facts["attempts"] as? Int == 0)
    #expect(device.run("receipt", sealed).status == 75)

    Self.setKey(Self.key, &device)
    #expect(device.run("flush").status == 0)
    #expect(Self.facts(device, sealed)["state"] as? String == "deactivated")
    #expect(emulator.count("successes") == 2)
  }

  @Test func `withdraws without the key`() {
    var device = Self.device()
    let ticket = Device.ticket(device.run("deactivate", "--queue-only"))
    Self.setKey(nil, &device)
    #expect(device.run("withdraw", ticket).output == "withdrawn \(ticket)\n")
    #expect(device.run("receipt", ticket).status == 0)
  }

  @Test func `the agent names it, and sends it when it is told that the key is back`() {
    let emulator = Emulator()
    var device = Self.device(emulator)
    let ticket = Device.ticket(device.run("deactivate", "--queue-only"))
    Self.setKey(Self.otherKey, &device)
    let agent = RunningAgent(device)
    #expect(waitFor { agent.errors.contains("\(ticket) not sent yet: seal_key_wrong\n") })
    #expect(agent.errors.contains("hint: give the key that it was queued with"))
    #expect(emulator.count("requests") == 0)
    Self.setKey(Self.key, &device)
    agent.running.signal(SIGHUP)
    #expect(waitFor { Self.facts(device, ticket)["state"] as? String == "deactivated" })
    #expect(agent.end().status == 0)
  }

  // MARK: - A journal that somebody wrote to

  @Test func `what was changed or moved is never sent, and reported`() {
    let emulator = Emulator()
    let device = Self.device(emulator)
    let first = Device.ticket(device.run("deactivate", "--queue-only"))
    let second = Device.ticket(
      device.run("deactivate", "--queue-only", "--hardware-id", "demo-device-2"))
    let sealed = Self.secret(device)
    #expect(sealed.count == 2 * (36 + Self.licenseKey.count))
    // Either byte that marks it; then the whole of another row, too little, and nothing.
    var forged = ["^A\(sealed)", "A^\(sealed)", "^^\(Self.secret(device, 2))"].map {
      ($0, "seal_broken")
    }
    forged += [("^^\(sealed.dropLast(2))", "seal_broken"), ("^^", "seal_broken")]
    // A digit of the key's check, the nonce, the ciphertext, the tag.
    for index in [0, 15, 16, 39, 40, 77, 78, sealed.count - 1] {
      var text = Array(sealed)
      text[index] = text[index] == "0" ? "1" : "0"
      forged.append(("^^\(String(text))", index < 16 ? "seal_key_wrong" : "seal_broken"))
    }
    for (text, code) in forged {
      _ = Self.tool("write", device.journal, "1", input: text)
      #expect(device.run("retry", first).status == 78)
      #expect(Self.facts(device, first)["code"] as? String == code, "\(text)")
    }
    #expect(emulator.count("requests") == 0)
    // Queued again, it is sealed again, and keeps its ticket.
    #expect(device.run("deactivate").output.contains("queued already \(first)\ndeactivated"))
    #expect(device.run("flush").status == 0)
    #expect(Self.facts(device, second)["state"] as? String == "deactivated")
  }

  // MARK: - Keys that come and go

  @Test func `a key that is set later seals what is asked for again`() {
    let emulator = Emulator()
    var device = Device(emulator)
    let ticket = Device.ticket(device.run("deactivate", "--queue-only"))
    #expect(Self.plainFiles(device).contains("journal.db-copy"))
    Self.setKey(Self.key, &device)
    #expect(device.run("deactivate", "--queue-only").output == "queued already \(ticket)\n")
    #expect(Self.secret(device).count == 2 * (36 + Self.licenseKey.count))
    #expect(!Self.plainFiles(device).contains("journal.db-copy"))
    #expect(device.run("deactivate", "--queue-only").output == "queued already \(ticket)\n")
    #expect(device.run("flush").status == 0)
    #expect(emulator.count("successes") == 1)
    #expect(Self.plainFiles(device) == [])
  }

  @Test(arguments: [nil, otherKey])
  func `a user's license keeps its ticket with another key, or with none`(_ key: String?) {
    var device = Self.device()
    device.program.environment["HANDBACK_USERNAME"] = "user@example.com"
    device.program.environment["HANDBACK_PASSWORD_FILE"] = device.folder.write(
      "password", "MARK-OF-A-PASSWORD")
    let ticket = Device.ticket(device.run("deactivate", "--queue-only"))
    #expect(device.sql("SELECT hex(substr(secret, 1, 2)) FROM deactivation") == "0101")
    let before = Self.secret(device)
    Self.setKey(key, &device)
    #expect(device.run("deactivate", "--queue-only").output == "queued already \(ticket)\n")
    #expect(Self.secret(device) != before)
    #expect(device.sql("SELECT count(*) FROM deactivation") == "1")
  }

  // MARK: - What is wrong with the key

  @Test(
    arguments: [
      (key + "0", 78), (String(key.dropLast()), 78), (key + "\n\n", 78),
      ("g" + key.dropFirst(), 78),
      ("", 65),
    ] as [(String, Int32)])
  func `a file that holds no key is refused before anything is written`(
    _ content: String, _ status: Int32
  ) {
    var device = Device()
    Self.setKey(content, &device)
    let result = device.run("deactivate", "--queue-only")
    #expect(result.status == status, "\(result)")
    #expect(result.errors.contains("SEAL_KEY_FILE") || result.errors.contains("seal-key-file"))
    #expect(!FileManager.default.fileExists(atPath: device.folder.path("state")))
  }

  @Test func `a key that others can read, or that isn't there, is refused`() {
    var device = Self.device()
    device.folder.write("open-key", Self.key, mode: 0o604)
    for (name, words) in [("open-key", "every user can read"), ("no-key", "No such file")] {
      device.program.environment["HANDBACK_SEAL_KEY_FILE"] = device.folder.path(name)
      let result = device.run("deactivate", "--queue-only")
      #expect(result.status == 78)
      #expect(result.errors.contains(words))
      #expect(!FileManager.default.fileExists(atPath: device.folder.path("state")))
    }
  }

  /// Files of these names that are no libraries stand for a system without libcrypto.
  @Test(.enabled(if: Program.isNative))
  func `without libcrypto nothing is queued`() {
    var device = Self.device()
    for name in ["libcrypto.so.3", "libcrypto.so.1.1"] {
      device.folder.write(name, "no library")
    }
    device.program.environment["LD_LIBRARY_PATH"] = device.folder.url.path
    let result = device.run("deactivate", "--queue-only")
    #expect(result.status == 78)
    #expect(result.errors.contains("libcrypto.so.3 or libcrypto.so.1.1 is not on this system"))
    #expect(result.errors.contains("hint: install OpenSSL's library"))
    #expect(!FileManager.default.fileExists(atPath: device.folder.path("state")))
    Self.setKey(nil, &device)
    #expect(device.run("deactivate", "--queue-only").status == 0)
  }
}
