import Foundation
import TestSupport
import Testing

/// `handback agent` on a machine whose network is as it is: what wakes it, what it tells, how it
/// ends.
struct AgentTests {
  private static func state(_ device: Device, _ ticket: String) -> String {
    device.json("receipt", ticket)["state"] as? String ?? "-"
  }

  /// An emulator with a license for so many devices, `device-1` and up.
  private static func emulator(deviceCount: Int) -> Emulator {
    let emulator = Emulator()
    let devices = (1...deviceCount).map { "device-\($0)" }
    emulator.control(
      "/licenses",
      [["id": 42, "product": "XY", "license_key": "AAAA-BBBB-CCCC-DDDD", "devices": devices]])
    return emulator
  }

  // MARK: - Waking

  @Test func `sends what another process queues, in a journal that was not there before`() {
    let emulator = Emulator()
    let device = Device(emulator)
    let agent = RunningAgent(device)
    #expect(!FileManager.default.fileExists(atPath: device.journal), "the agent made a journal")
    let ticket = Device.ticket(device.run("deactivate", "--queue-only"))
    #expect(waitFor { Self.state(device, ticket) == "deactivated" }, "\(agent.errors)")
    let second = Device.ticket(
      device.run("deactivate", "--queue-only", "--hardware-id", "demo-device-2"))
    #expect(waitFor { Self.state(device, second) == "deactivated" }, "\(agent.errors)")
    #expect(agent.end().status == 0)
    #expect(
      agent.errors.split(separator: "\n").map(String.init) == [
        "handback: the agent watches: 0 pending", "handback: \(ticket) deactivated",
        "handback: \(second) deactivated",
      ])
  }

  @Test func `leaves the sending to the command that queues`() {
    let emulator = Self.emulator(deviceCount: 5)
    let device = Device(emulator)
    let agent = RunningAgent(device)
    for index in 1...5 {
      let result = device.run("deactivate", "--hardware-id", "device-\(index)")
      // The agent lets it go first for a second, which QEMU on a busy machine may take to begin.
      #expect(
        result.output.contains("\ndeactivated ")
          || !Program.isNative && result.errors.contains("another handback is sending"), "\(result)"
      )
    }
    #expect(waitFor { emulator.count("successes") == 5 }, "\(agent.errors)")
    #expect(agent.end().status == 0)
    #expect(emulator.count("double_successes") == 0)
  }

  /// How often QEMU goes to sleep says nothing.
  @Test(.enabled(if: Program.isNative))
  func `does not wake with nothing to do, nor when somebody looks at the journal`() {
    var device = Device(settings: ["HANDBACK_BACKOFF_BASE=86400", "HANDBACK_BACKOFF_CEILING=86400"])
    device.run("deactivate", "--queue-only")
    device.run("flush")
    device.program.wrapper = RunningAgent.amongItsOwnMounts
    let agent = RunningAgent(device)
    _ = waitFor(seconds: 3) { false }
    let before = agent.sleepCount
    for _ in 0..<5 { device.run("status") }
    _ = waitFor(seconds: 3) { false }
    #expect(agent.sleepCount == before)
    #expect(agent.end().status == 0)
  }

  /// How often QEMU goes to sleep says nothing.
  @Test(.enabled(if: Program.isNative))
  func `looks at the journal for no other file, and not for its own vain figures`() {
    var device = Device()
    device.program.wrapper = RunningAgent.amongItsOwnMounts
    let figures = device.folder.path("figures")
    try? FileManager.default.createDirectory(
      atPath: figures, withIntermediateDirectories: false)
    // The journal's folder isn't there yet: the one above is watched.
    let agent = RunningAgent(device, "--metrics-file", figures)
    _ = waitFor(seconds: 1.5) { false }
    let before = agent.sleepCount
    try? FileManager.default.createDirectory(
      atPath: device.folder.path("state.old"), withIntermediateDirectories: false)
    #expect(waitFor { agent.sleepCount > before })
    // A look at the journal would come a second later.
    _ = waitFor(seconds: 3) { false }
    #expect(agent.sleepCount == before + 1)
    #expect(agent.errors.components(separatedBy: "cannot write \(figures)").count == 2)
    agent.end()
  }

  @Test(.enabled(if: FullDiskTests.canMount))
  func `sends what a partition brings that is mounted later`() {
    let emulator = Emulator()
    var device = Device(emulator)
    let ticket = Device.ticket(device.run("deactivate", "--queue-only"))
    let state = device.folder.path("state")
    let partition = device.folder.path("partition")
    try? FileManager.default.moveItem(atPath: state, toPath: partition)
    try? FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: false)
    device.program.wrapper = RunningAgent.amongItsOwnMounts
    let agent = RunningAgent(device)
    #expect(agent.errors.contains("0 pending"))
    Command.run(
      "nsenter",
      ["--target", String(agent.processID), "--mount", "mount", "--bind", partition, state])
    device.program.wrapper = []
    device.program.environment["HANDBACK_JOURNAL"] = partition + "/journal.db"
    #expect(waitFor { Self.state(device, ticket) == "deactivated" }, "\(agent.errors)")
    #expect(agent.end().status == 0)
  }

  @Test func `waits for another sender, and takes what it leaves`() {
    let emulator = Self.emulator(deviceCount: 4)
    let device = Device(emulator, settings: ["HANDBACK_TIMEOUT=60"])
    emulator.setFaults(["kind": "stall_before", "seconds": 3])
    device.run("deactivate", "--queue-only", "--hardware-id", "device-1")
    device.run("deactivate", "--queue-only", "--hardware-id", "device-2")
    let other = device.program.start(["flush"])
    #expect(waitFor { emulator.count("requests") == 1 })
    let agent = RunningAgent(device)
    // Killed, it leaves nothing but a lock that dies with it, and an attempt without an answer.
    let third = device.run("deactivate", "--queue-only", "--hardware-id", "device-3")
    #expect(third.status == 0)
    other.signal(SIGKILL)
    _ = other.finish()
    let fourth = device.run("deactivate", "--queue-only", "--hardware-id", "device-4")
    #expect(fourth.status == 0)
    #expect(waitFor { emulator.count("successes") == 4 }, "\(agent.errors)")
    #expect(agent.end().status == 0)
  }

  // MARK: - Journals that can't be used

  @Test func `tells once of a journal that can't be read, stays, and goes on when it can`() {
    let emulator = Emulator()
    let device = Device(emulator)
    let ticket = Device.ticket(device.run("deactivate", "--queue-only"))
    #expect(chmod(device.journal, 0o644) == 0)
    let agent = RunningAgent(device)
    for _ in 0..<3 {
      agent.running.signal(SIGHUP)
      _ = waitFor(seconds: 1.2) { false }
    }
    #expect(agent.errors.components(separatedBy: "can be read or written by others").count == 2)
    #expect(chmod(device.journal, 0o600) == 0)
    agent.running.signal(SIGHUP)
    #expect(waitFor { Self.state(device, ticket) == "deactivated" }, "\(agent.errors)")
    #expect(agent.errors.contains("it works again"))
    #expect(agent.end().status == 0)
  }

  @Test func `mends a damaged journal, says so, and sends what was pending`() {
    let emulator = Emulator()
    let device = Device(emulator)
    let ticket = Device.ticket(device.run("deactivate", "--queue-only"))
    device.folder.write("state/journal.db", "this is no database, it is a text of some length\n")
    let agent = RunningAgent(device)
    #expect(waitFor { Self.state(device, ticket) == "deactivated" }, "\(agent.errors)")
    #expect(agent.errors.contains("state/journal.db.damaged-1"))
    #expect(agent.errors.contains("brought back from second copies: 1"))
    #expect(device.json("receipt", ticket)["restored"] as? Bool == true)
    #expect(agent.end().status == 0)
  }

  // MARK: - Ending

  @Test func `ends within a second, asleep`() {
    let agent = RunningAgent(Device())
    for signal in [SIGTERM, SIGINT] {
      let agent = signal == SIGTERM ? agent : RunningAgent(Device())
      let end = agent.end(signal)
      #expect(end.status == 0)
      #expect(end.seconds < 1)
    }
  }

  @Test func `ends within a second in the middle of a request, whose attempt stays unanswered`() {
    let emulator = Emulator()
    let device = Device(emulator)
    emulator.setFaults(["kind": "stall_after"])
    let ticket = Device.ticket(device.run("deactivate", "--queue-only"))
    let agent = RunningAgent(device)
    #expect(waitFor { emulator.count("requests") == 1 })
    let end = agent.end()
    #expect(end.status == 0)
    #expect(end.seconds < 1)
    let receipt = device.json("receipt", ticket)
    #expect(receipt["unanswered_attempts"] as? Int == 1, "\(receipt)")
    #expect(receipt["code"] as? String == "interrupted")
    // It got through, and nobody waits for a backoff to find that out.
    let next = RunningAgent(device)
    #expect(waitFor { Self.state(device, ticket) == "deactivated" }, "\(next.errors)")
    #expect(device.json("receipt", ticket)["inferred"] as? Bool == true)
    next.end()
  }

  @Test func `until empty: what is left decides the exit code`() {
    let emulator = Emulator()
    let device = Device(emulator)
    func end(_ arguments: String...) -> Int32 {
      device.program.run(["agent", "--until-empty"] + arguments).status
    }
    #expect(end() == 0, "there is no journal")
    device.run("deactivate", "--queue-only")
    #expect(end("--first-try-spread", "86400") == 0)
    #expect(emulator.count("successes") == 1)
    device.run("deactivate", "--queue-only", "--hardware-id", "a-stranger")
    #expect(end() == 76)
    #expect(end() == 0, "only what was rejected meanwhile counts")
    device.run("deactivate", "--queue-only", "--hardware-id", "demo-device-2")
    #expect(end("--deadline", "0") == 75)
    emulator.setFaults(["kind": "retry_after", "seconds": 600])
    #expect(end("--deadline", "2") == 75)
    #expect(device.run("agent", "--deadline", "2").status == 64)
  }

  @Test func `until empty: 65 when one was lost, as from a flush`() {
    let device = Device()
    device.run("deactivate", "--queue-only")
    _ = device.sql("UPDATE deactivation SET queued_at = 1")
    device.folder.write("state/journal.db-copy", "")
    for command in [["agent", "--until-empty"], ["flush"]] {
      let result = device.program.run(command)
      #expect(result.status == 65, "\(result)")
    }
  }

  @Test(.enabled(if: SystemCallTests.isPossible))
  func `looks by the minute where the kernel has no watch left, and says so`() {
    var device = Device()
    device.program.wrapper = [
      "/usr/bin/env", "strace", "-f", "-o", "/dev/null", "-e",
      "inject=inotify_add_watch:error=ENOSPC",
    ]
    let result = device.run("agent", "--until-empty")
    #expect(
      result.errors.hasPrefix(
        "handback: warning: the kernel does not tell of the journal: it is looked at each minute\n"),
      "\(result)")
  }

  @Test func `until empty: 69 when the server was not reached before the deadline`() {
    let device = Device()
    device.run("deactivate", "--queue-only")
    #expect(device.run("agent", "--until-empty", "--deadline", "2").status == 69)
    // A request that hangs is stopped, too.
    let emulator = Emulator()
    emulator.setFaults(["kind": "stall_accept"])
    let result = device.run(
      "agent", "--until-empty", "--deadline", "2", "--server", emulator.baseURL, "--ca-file",
      emulator.authorityFile)
    #expect(result.status == 75, "\(result)")
    #expect(device.sql("SELECT open_attempts FROM deactivation") == "0")
  }

  // MARK: - Settings

  @Test func `refuses wrong settings at the start`() {
    let device = Device()
    #expect(device.run("agent", "--first-try-spread", "x").status == 64)
    #expect(device.run("agent", "--api-key-file", "-").status == 64)
    #expect(device.run("agent", "--api-key-file", "/nowhere").status == 78)
    device.folder.write("handback.conf", "HANDBACK_JOURNAL=\(device.journal)\n")
    #expect(device.run("agent").status == 78)
  }

  @Test func `SIGHUP reads the settings again, and keeps the old ones if they are wrong`() {
    let emulator = Emulator()
    let device = Device(settings: ["HANDBACK_BACKOFF_BASE=86400", "HANDBACK_BACKOFF_CEILING=86400"])
    let agent = RunningAgent(device)
    let ticket = Device.ticket(device.run("deactivate", "--queue-only"))
    #expect(waitFor { agent.errors.contains("not_connected") })
    let file = device.folder.path("handback.conf")
    let old = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
    device.folder.write("handback.conf", old + "HANDBACK_NONSENSE=1\n")
    agent.running.signal(SIGHUP)
    #expect(waitFor { agent.errors.contains("the old settings stay: ") }, "\(agent.errors)")
    device.folder.write(
      "handback.conf",
      old + "HANDBACK_SERVER=\(emulator.baseURL)\nHANDBACK_CA_FILE=\(emulator.authorityFile)\n")
    agent.running.signal(SIGHUP)
    #expect(waitFor { Self.state(device, ticket) == "deactivated" }, "\(agent.errors)")
    #expect(agent.errors.contains("settings read again"))
    agent.end()
  }

  @Test func `tells the same failure once, and how often it came`() {
    let device = Device(settings: ["HANDBACK_BACKOFF_BASE=1", "HANDBACK_BACKOFF_CEILING=1"])
    let ticket = Device.ticket(device.run("deactivate", "--queue-only"))
    let agent = RunningAgent(device)
    #expect(waitFor { (device.json("receipt", ticket)["attempts"] as? Int ?? 0) >= 3 })
    #expect(agent.errors.components(separatedBy: "not_connected").count == 2, "\(agent.errors)")
    let emulator = Emulator()
    let file = device.folder.path("handback.conf")
    let old = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
    device.folder.write(
      "handback.conf",
      old + "HANDBACK_SERVER=\(emulator.baseURL)\nHANDBACK_CA_FILE=\(emulator.authorityFile)\n")
    agent.running.signal(SIGHUP)
    #expect(waitFor { agent.errors.contains("it works again, after ") }, "\(agent.errors)")
    agent.end()
  }

  // MARK: - Telling

  @Test func `writes its figures whole, and only when they change`() {
    let emulator = Emulator()
    var device = Device(emulator)
    // As a hardened unit sets it; the collector is another user all the same.
    device.program.wrapper = ["/bin/sh", "-c", "umask 077; exec \"$0\" \"$@\""]
    let file = device.folder.path("handback.prom")
    let agent = RunningAgent(device, "--metrics-file", file)
    func figures() -> String { (try? String(contentsOfFile: file, encoding: .utf8)) ?? "" }
    #expect(waitFor { figures().contains("handback_deactivations{state=\"pending\"} 0\n") })
    device.run("deactivate", "--queue-only")
    #expect(
      waitFor { figures().contains("handback_deactivations{state=\"deactivated\"} 1\n") })
    #expect(!FileManager.default.fileExists(atPath: file + ".new"))
    let mode = try? FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
    #expect(mode == 0o644)
    // Each figure has a type, and nothing else is in the file.
    for line in figures().split(separator: "\n") {
      #expect(
        line.wholeMatch(of: /# (HELP|TYPE) handback_.*|handback_[a-z_]+(\{.*\})? -?\d+/) != nil)
    }
    agent.end()
  }

  @Test func `tells systemd how it stands`() throws {
    let emulator = Emulator()
    let device = Device(emulator)
    for isAbstract in [false, true] {
      let manager = try NotifySocket(
        path: isAbstract ? "@handback-\(UUID().uuidString)" : device.folder.path("notify"))
      let agent = RunningAgent(
        device, environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000"])
      #expect(manager.next { $0.wholeMatch(of: /READY=1\nSTATUS=\d pending.*/) != nil } != nil)
      #expect(manager.next { $0 == "WATCHDOG=1" } != nil)
      #expect(manager.next { $0 == "WATCHDOG=1" } != nil)
      device.run("deactivate", "--queue-only", "--hardware-id", "demo-device-\(isAbstract ? 1 : 2)")
      #expect(manager.next { $0.hasPrefix("STATUS=") || $0 == "WATCHDOG=1" } != nil)
      agent.running.signal(SIGHUP)
      #expect(
        manager.next { $0.wholeMatch(of: /RELOADING=1\nMONOTONIC_USEC=\d+/) != nil } != nil)
      #expect(manager.next { $0 == "READY=1" } != nil)
      agent.running.signal(SIGTERM)
      #expect(manager.next { $0.hasPrefix("STOPPING=1") } != nil)
      #expect(agent.running.finish().status == 0)
    }
  }

  @Test func `where standard error is the journal, lines begin with their levels`() {
    let device = Device()
    let script = """
      export JOURNAL_STREAM=$(stat -L -c %d:%i /dev/stderr)
      export HANDBACK_CONFIG='\(device.folder.path("handback.conf"))'
      '\(Program.path)' deactivate --queue-only >/dev/null
      '\(Program.path)' agent --until-empty --deadline 6
      '\(Program.path)' agent --deadline 2
      """
    let file = device.folder.path("errors")
    Command.run(
      "env", ["-i", "PATH=/usr/bin:/bin", "sh", "-c", "{ \(script)\n} 2>'\(file)'"])
    let lines = ((try? String(contentsOfFile: file, encoding: .utf8)) ?? "").split(separator: "\n")
    #expect(lines.count >= 4)
    #expect(lines.first?.hasPrefix("<5>the agent watches: 1 pending") == true, "\(lines)")
    #expect(lines.contains { $0.hasPrefix("<4>warning: ") && $0.contains("not_connected") })
    #expect(lines.contains { $0.hasPrefix("<6>hint: ") })
    #expect(lines.last == "<3>error: --deadline goes with --until-empty")
  }

  @Test func `gives signs of life only when asked`() throws {
    let device = Device()
    let manager = try NotifySocket(path: device.folder.path("notify"))
    let agent = RunningAgent(
      device,
      environment: [
        "NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1",
      ])
    #expect(manager.next { $0.hasPrefix("READY=1") } != nil)
    #expect(manager.next(seconds: 1) { $0 == "WATCHDOG=1" } == nil)
    agent.end()
  }
}
