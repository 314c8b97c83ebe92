import Foundation
import TestSupport
import Testing

/// The agent's figures, where something is in their way.
struct AgentFigureTests {
  /// The folder is node_exporter's, say, and not the agent's alone.
  @Test(arguments: ["mkfifo", "ln victim", "ln -s victim"])
  func `nothing that has the new file's name is opened`(_ script: String) {
    let device = Device()
    device.folder.write("victim", "another's\n")
    let file = device.folder.path("handback.prom")
    _ = device.shell("cd \(device.folder.url.path); \(script) \(file).new")
    let agent = RunningAgent(device, "--metrics-file", file)
    #expect(waitFor { FileManager.default.fileExists(atPath: file) }, "\(agent.errors)")
    #expect(device.folder.read("victim") == Data("another's\n".utf8))
    let victim = device.folder.path("victim")
    let mode = try? FileManager.default.attributesOfItem(atPath: victim)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    #expect(!FileManager.default.fileExists(atPath: file + ".new"))
    #expect(agent.end().seconds < 1)
  }

  @Test func `a journal that can't be read is not an empty one`() throws {
    let emulator = Emulator()
    let device = Device(emulator)
    device.run("deactivate", "--queue-only")
    #expect(chmod(device.journal, 0o644) == 0)
    let manager = try NotifySocket(path: device.folder.path("notify"))
    let file = device.folder.path("handback.prom")
    func figures() -> String { (try? String(contentsOfFile: file, encoding: .utf8)) ?? "" }
    let agent = RunningAgent(
      device, "--metrics-file", file, environment: ["NOTIFY_SOCKET": manager.path])
    #expect(agent.errors.contains("the agent watches: the journal can't be read\n"))
    #expect(manager.next { $0 == "READY=1\nSTATUS=the journal can't be read" } != nil)
    #expect(waitFor { figures().contains("\nhandback_journal_readable 0\n") })
    #expect(!figures().contains("handback_deactivations"))
    #expect(chmod(device.journal, 0o600) == 0)
    agent.running.signal(SIGHUP)
    #expect(
      waitFor { figures().contains("\nhandback_deactivations{state=\"deactivated\"} 1\n") })
    #expect(figures().contains("\nhandback_journal_readable 1\n"))
    #expect(chmod(device.journal, 0o644) == 0)
    agent.running.signal(SIGHUP)
    #expect(manager.next { $0 == "STATUS=the journal can't be read" } != nil)
    agent.running.signal(SIGTERM)
    #expect(manager.next { $0 == "STOPPING=1\nSTATUS=the journal can't be read" } != nil)
    #expect(agent.running.finish().status == 0)
  }
}
