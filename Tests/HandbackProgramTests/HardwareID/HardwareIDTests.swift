import Foundation
import TestSupport
import Testing

/// `handback id` as it ships: what is pinned, and what becomes of it elsewhere.
@Suite(.serialized) struct HardwareIDTests {
  /// Runs the program where `/sys` and libudev are an invented device's.
  private func onDevice(
    _ name: String, _ folder: TemporaryFolder, _ arguments: [String]
  ) -> Identification {
    DeviceSampleTests.mocked(DeviceSamples.own, name, under: folder, arguments)
  }

  @Test(.enabled(if: DeviceSampleTests.canMock))
  func `a copied journal does not give back its sibling's license`() throws {
    let folder = TemporaryFolder()
    folder.write("license-key", "AAAA-BBBB-CCCC-DDDD\n")
    let deactivate = [
      "deactivate", "--queue-only", "--product", "XY", "--license-key-file",
      folder.path("license-key"),
    ]
    let pinned = onDevice("gate-server", folder, ["id", "--pin"])
    #expect(pinned.status == 0)
    #expect(pinned.output.hasPrefix("hb1-psn-"))
    #expect(onDevice("gate-server", folder, ["id", "--check"]).output == "same\n")
    let swapped = "gate-server-nic-swapped"
    #expect(onDevice(swapped, folder, ["id"]).output == pinned.output)
    #expect(
      onDevice(swapped, folder, ["id", "--check"]).output.hasPrefix("same-with-changes\n"))

    let copied = onDevice("gate-server-sibling", folder, deactivate)
    #expect(copied.status == 76)
    #expect(!copied.output.contains("queued"))
    let shown = onDevice("gate-server-sibling", folder, ["id", "--json"])
    #expect(shown.status == 76)
    #expect(shown["state"] == "different")
    #expect(shown["reason"] == "anchor")
    let insisted = onDevice(
      "gate-server-sibling", folder, deactivate + ["--accept-changed-hardware"])
    #expect(insisted.status == 0)
    #expect(onDevice("gate-server", folder, deactivate).status == 0)

    let again = onDevice(
      "gate-server-sibling", folder, ["id", "--repin", "the board was replaced"])
    #expect(again.status == 0)
    #expect(again.output != pinned.output)
    let history = Command.run(
      "sqlite3", [folder.path("state/journal.db"), "SELECT reason FROM identity ORDER BY number"])
    #expect(history.output == "provisioned\nthe board was replaced\n")
    let status = onDevice("gate-server", folder, ["status", "--json"]).output
    let journal = ["", "-wal"].map {
      String(decoding: folder.read("state/journal.db\($0)") ?? Data(), as: UTF8.self)
    }
    for value in DeviceSampleTests.values(below: DeviceSamples.own.tree("gate-server")) {
      for kept in journal + [status] { #expect(!kept.lowercased().contains(value)) }
    }
  }

  /// A container's own hardware is its host's; with the host's tree mounted and named, that counts.
  @Test func `names a container by its host's tree only if that is named`() {
    let folder = TemporaryFolder()
    folder.write("license-key", "AAAA-BBBB-CCCC-DDDD\n")
    let samples = DeviceSamples.own
    var program = Program(in: folder.url)
    program.environment = ["HANDBACK_JOURNAL": folder.path("state/journal.db")]
    program.environment["HANDBACK_ROOT"] = samples.tree("container")
    #expect(program.run("id", "--pin").status == 69)
    #expect(!FileManager.default.fileExists(atPath: folder.path("state")))
    program.environment["HANDBACK_ROOT"] = samples.tree("gate-server")
    let look = program.run("id", "--root", samples.tree("gate-server"))
    #expect(look.output.hasPrefix("hb1-psn-"))
    #expect(!FileManager.default.fileExists(atPath: folder.path("state")), "a look pins nothing")
    #expect(program.run("id").output == look.output)
    #expect(program.run("id", "--json").output.contains("\"state\":\"pinned\""))
    let deactivate = [
      "deactivate", "--queue-only", "--product", "XY", "--license-key-file",
      folder.path("license-key"),
    ]
    #expect(program.run(deactivate).status == 0)
    program.environment["HANDBACK_ROOT"] = samples.tree("gate-server-sibling")
    #expect(program.run(deactivate).status == 76)
    program.environment["HANDBACK_ROOT"] = samples.tree("container")
    #expect(program.run(deactivate).status == 76)
  }

  /// No license can have been activated with an ID whose random part is made now.
  @Test(arguments: ["vm", "gate-server"])
  func `deactivates with no ID that is made by chance`(tree: String) {
    let folder = TemporaryFolder()
    folder.write("license-key", "AAAA-BBBB-CCCC-DDDD\n")
    var program = Program(in: folder.url)
    program.environment = ["HANDBACK_JOURNAL": folder.path("state/journal.db")]
    program.environment["HANDBACK_ROOT"] = DeviceSamples.own.tree(tree)
    if tree != "vm" { program.environment["HANDBACK_SCHEME"] = "random" }
    let deactivate = [
      "deactivate", "--queue-only", "--product", "XY", "--license-key-file",
      folder.path("license-key"),
    ]
    let refused = program.run(deactivate)
    #expect(refused.status == 69, "\(refused)")
    #expect(refused.output == "")
    #expect(refused.errors.contains("'--hardware-id ID' gives the one that it was activated with"))
    #expect(program.run("status", "--json").output.contains("\"pending\":0"))
    #expect(program.run("id", "--pin").status == 0)
    #expect(program.run(deactivate).status == 0)
    // Neither another scheme in passing, nor another device's tree.
    #expect(program.run(deactivate + ["--scheme", "value:other"]).status == 78)
    let root = program.run(deactivate + ["--root", DeviceSamples.own.tree("gate-server")])
    #expect(root.status == 64)
  }

  /// What is to be sent is pinned, and nothing else beside it.
  @Test func `pins the hardware ID that is given`() {
    let folder = TemporaryFolder()
    var program = Program(in: folder.url)
    program.environment = ["HANDBACK_JOURNAL": folder.path("state/journal.db")]
    #expect(program.run("id", "--hardware-id", "given-1", "--pin").output == "given-1\n")
    #expect(program.run("id").output == "given-1\n")
    let other = program.run("id", "--hardware-id", "given-2", "--pin")
    #expect(other.status == 78)
    #expect(other.errors.contains("the hardware ID is pinned already, by the scheme value"))
    #expect(
      program.run("id", "--hardware-id", "given-2", "--repin", "it was wrong").output
        == "given-2\n")
  }

  @Test func `says that no TPM can be asked below a folder`() {
    let folder = TemporaryFolder()
    var program = Program(in: folder.url)
    program.environment = [
      "HANDBACK_ROOT": DeviceSamples.own.tree("gate-server"),
      "HANDBACK_JOURNAL": folder.path("state/journal.db"),
    ]
    #expect(program.run("id", "--tpm", "no").status == 0)
    #expect(program.run("id", "--tpm", "/dev/tpmrm0").status == 64)
    program.environment["HANDBACK_TPM"] = "yes"
    let refused = program.run("id", "--pin")
    #expect(refused.status == 78)
    #expect(refused.errors.contains("HANDBACK_TPM must be no below a folder (root)"))
  }

  @Test(arguments: [
    ("licensespring", "3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9"),
    ("machine-id", "0123456789abcdef0123456789abcdef"),
  ])
  func `makes the official clients' IDs`(_ scheme: String, _ id: String) {
    let folder = TemporaryFolder()
    try? FileManager.default.createDirectory(
      atPath: folder.path("root/etc"), withIntermediateDirectories: true)
    folder.write("root/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    let result = Program(in: folder.url).run(
      "id", "--root", folder.path("root"), "--scheme", scheme)
    #expect(result.output == id + "\n", "\(result)")
  }

  @Test func `pins a value that was given, and changes it only with a reason`() {
    let folder = TemporaryFolder()
    var program = Program(in: folder.url)
    program.environment = ["HANDBACK_JOURNAL": folder.path("journal.db")]
    #expect(program.run("id", "--scheme", "value:my-id").output == "my-id\n")
    #expect(program.run("id").output == "my-id\n")
    let refused = program.run("id", "--scheme", "value:other")
    #expect(refused.status == 64 || refused.status == 78)
    #expect(refused.output == "")
    #expect(program.run("id", "--repin", "").status == 64)
    let changed = program.run("id", "--scheme", "value:other", "--repin", "moved to another tool")
    #expect(changed.output == "other\n")
    #expect(program.run("id").output == "other\n")
  }
}
