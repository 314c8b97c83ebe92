import Foundation
import HandbackCore
import HandbackLinux
import TestSupport
import Testing

/// A TPM in software, Debian's swtpm; its key is made anew with its state.
private final class SoftwareTPM {
  let folder = TemporaryFolder()
  let configuration: Text
  private let process = Process()

  init?() throws {
    let port = Int.random(in: 20_000..<30_000)
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "swtpm", "socket", "--tpm2", "--tpmstate", "dir=\(folder.url.path)",
      "--server", "type=tcp,port=\(port),disconnect", "--ctrl", "type=tcp,port=\(port + 1)",
      "--flags", "not-need-init,startup-clear",
    ]
    configuration = Text("swtpm:host=127.0.0.1,port=\(port)" as String)
    process.standardError = FileHandle.nullDevice
    try process.run()
    for _ in 0..<100 {
      if process.isRunning, try reading()?.isOK == true { return }
      usleep(20_000)
    }
    return nil
  }

  deinit {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  func reading() throws -> HardwareReading? {
    let evidence = try HardwareSurvey.take(
      root: nil, settleDeadlineMilliseconds: 0, tpm: configuration)
    return evidence.readings.first { $0.source == .tpmEndorsementKey }
  }

  /// The mark that stands for the key.
  func mark() throws -> [UInt8]? {
    let evidence = try HardwareSurvey.take(
      root: nil, settleDeadlineMilliseconds: 0, tpm: configuration)
    return evidence.explained().first { $0.reading.source == .tpmEndorsementKey }?.mark.bytes
  }
}

@Suite(.serialized) struct TPMTests {
  static let isPossible = Tool.has("swtpm") && Tool.has("tpm2_createek")

  @Test func `can run in CI`() {
    if Surroundings.isCI { #expect(Self.isPossible, "swtpm and tpm2-tools") }
  }

  @Test(.enabled(if: isPossible))
  func `reads the same key each time, stored in the TPM or not, and another of another TPM`() throws
  {
    let tpm = try #require(try SoftwareTPM())
    #expect(try #require(try tpm.reading()).isOK)
    let mark = try #require(try tpm.mark())
    #expect(mark.count == 4)
    #expect(try tpm.mark() == mark)
    // Installers keep the key where the profile says; then it is read instead of made.
    let place = tpm.configuration.string
    let stored = try Tool([
      "tpm2_createek", "-T", place, "-c", "0x81010001", "-G", "rsa", "-u",
      tpm.folder.path("ek.pub"),
    ])
    #expect(stored.status == 0, "\(stored.errors)")
    #expect(try tpm.mark() == mark)
    let other = try #require(try SoftwareTPM())
    #expect(try other.mark() != mark)
  }

  @Test func `does not take a TPM that can't be reached for none`() throws {
    let evidence = try HardwareSurvey.take(
      root: nil, settleDeadlineMilliseconds: 0, tpm: "device:/dev/null")
    let reading = evidence.readings.first { $0.source == .tpmEndorsementKey }
    #expect(reading?.state.name.description == "unreadable")
  }

  @Test func `asks no TPM that it was not told to`() throws {
    let evidence = try HardwareSurvey.take(root: nil, settleDeadlineMilliseconds: 0)
    #expect(!evidence.readings.contains { $0.source == .tpmEndorsementKey })
  }
}
