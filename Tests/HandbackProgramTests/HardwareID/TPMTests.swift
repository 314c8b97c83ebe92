import Foundation
import TestSupport
import Testing

/// A TPM in software, Debian's swtpm; its key is made anew with its state.
private final class SoftwareTPM {
  /// Where it is, in tpm2-tss's words.
  let place: String
  private let folder = TemporaryFolder()
  private let process = Process()

  init() throws {
    let port = Int.random(in: 20_000..<30_000)
    place = "swtpm:host=127.0.0.1,port=\(port)"
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "swtpm", "socket", "--tpm2", "--tpmstate", "dir=\(folder.url.path)",
      "--server", "type=tcp,port=\(port),disconnect", "--ctrl", "type=tcp,port=\(port + 1)",
      "--flags", "not-need-init,startup-clear",
    ]
    process.standardError = FileHandle.nullDevice
    try process.run()
    for _ in 0..<100 where process.isRunning {
      if Identification(arguments: ["id", "--tpm", place, "--json", "--explain"]).tpm != "?" {
        break
      }
      usleep(20_000)
    }
  }

  deinit {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Stores the key where the TCG's profile wants it, as installers do.
  func storeKey() -> Int32 {
    Command.run(
      "tpm2_createek",
      ["-T", place, "-c", "0x81010001", "-G", "rsa", "-u", folder.path("ek.pub")]
    ).status
  }
}

extension Identification {
  /// The mark of the TPM's key; `?` if it can't be read, nothing if it was not asked for.
  fileprivate var tpm: String {
    guard let source = sources.first(where: { $0.hasPrefix("tpm-ek ") }) else { return "" }
    return source.contains(" ok ") ? String(source.suffix(4)) : "?"
  }
}

@Suite(.serialized) struct TPMTests {
  static let isPossible =
    Program.isNative
    && Command.run("sh", ["-c", "command -v swtpm tpm2_createek >/dev/null"]).status == 0

  @Test func `can run in CI`() {
    if DeviceSamples.isCI, Program.isNative {
      #expect(Self.isPossible, "swtpm and tpm2-tools")
    }
  }

  private func look(_ arguments: String...) -> Identification {
    Identification(arguments: ["id", "--json", "--explain"] + arguments)
  }

  @Test(.enabled(if: isPossible))
  func `reads the same key each time, stored in the TPM or not, and another of another TPM`() throws
  {
    let folder = TemporaryFolder()
    let journal = ["--scheme", "random", "--journal", folder.path("journal.db")]
    func mark(_ tpm: SoftwareTPM) -> String {
      Identification(arguments: ["id", "--json", "--explain", "--tpm", tpm.place] + journal).tpm
    }
    let tpm = try SoftwareTPM()
    let first = mark(tpm)
    #expect(first.count == 4)
    #expect(mark(tpm) == first)
    // Then it is read instead of made.
    #expect(tpm.storeKey() == 0)
    #expect(mark(tpm) == first)
    let other = try SoftwareTPM()
    #expect(mark(other).count == 4)
    #expect(mark(other) != first)
  }

  /// From the pin to giving the license back, on a server that has a good serial number too.
  @Test(.enabled(if: isPossible && DeviceSampleTests.canMock))
  func `names a device by its TPM, and by nothing else afterwards`() throws {
    let folder = TemporaryFolder()
    folder.write("license-key", "AAAA-BBBB-CCCC-DDDD\n")
    func run(_ name: String, _ arguments: String...) -> Identification {
      DeviceSampleTests.mocked(DeviceSamples.own, name, under: folder, arguments)
    }
    let tpm = try SoftwareTPM()
    let pinned = run("gate-server", "id", "--pin", "--json", "--tpm", tpm.place)
    #expect(pinned["class"] == "tpm", "\(pinned)")
    let id = try #require(pinned.id)
    #expect(run("gate-server", "id", "--check", "--tpm", tpm.place).output == "same\n")

    // Without the setting: the pinned ID all the same, unchecked, and what to do about it.
    #expect(run("gate-server", "id").output == id + "\n")
    let unasked = run("gate-server", "id", "--check")
    #expect(unasked.status == 77)
    #expect(unasked.output.hasPrefix("unreadable: tpm-ek can't be read; 'tpm' must be set"))
    #expect(
      run("gate-server", "id", "--repin", "x", "--tpm", "swtpm:host=127.0.0.1,port=1").status == 69)

    // Another TPM in the same box is another device.
    let other = try SoftwareTPM()
    #expect(run("gate-server", "id", "--check", "--tpm", other.place).status == 76)
    let deactivate = [
      "deactivate", "--queue-only", "--product", "XY", "--license-key-file",
      folder.path("license-key"),
    ]
    func deactivated(_ arguments: String...) -> Identification {
      DeviceSampleTests.mocked(
        DeviceSamples.own, "gate-server", under: folder, deactivate + arguments)
    }
    #expect(deactivated("--tpm", other.place).status == 76)
    let warned = deactivated()
    #expect(warned.status == 0)
    #expect(warned.output.contains("warning: the pinned hardware ID could not be checked: tpm-ek"))
    #expect(deactivated("--tpm", tpm.place).output.hasPrefix("queued already"))
  }

  @Test func `does not take a TPM that can't be reached for none`() {
    #expect(look("--tpm", "/dev/null").tpm == "?")
  }

  @Test func `asks no TPM that it was not told to, and none for a dump`() {
    #expect(look().tpm == "")
    #expect(look("--tpm", "no").tpm == "")
    #expect(look("--tpm", "/dev/null", "--root", DeviceSamples.own.tree("gate-server")).tpm == "")
  }

  @Test(arguments: ["maybe", "", "dev/tpm0"])
  func `takes no other words`(value: String) {
    #expect(look("--tpm", value).status == 64)
  }
}
