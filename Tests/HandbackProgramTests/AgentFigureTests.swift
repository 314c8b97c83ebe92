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
}
