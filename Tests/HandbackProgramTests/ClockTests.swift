import Foundation
import TestSupport
import Testing

/// Wrong clocks, on both sides: the license comes back all the same, and a certificate that has
/// ended stays refused.
struct ClockTests {
  /// 2026-12-20 12:00:00 UTC, after the release.
  static let afterRelease = 1_797_768_000
  static let day = 86_400

  private func journaledFloor(_ device: Device) -> Int {
    Int(device.sql("SELECT clock_floor FROM server")) ?? -1
  }

  private func waitsFor(_ device: Device) -> String? {
    (device.json("status")["server"] as? [String: Any])?["waiting_for"] as? String
  }

  private func code(_ device: Device, _ result: Program.Result) -> String? {
    device.json("receipt", Device.ticket(result))["code"] as? String
  }

  // MARK: - The device's clock

  @Test(arguments: ["1970-01-01 00:00:30", "1999-12-31 23:59:59", "2060-01-01 00:00:00"])
  func `a device whose clock is not set gets its license back`(time: String) {
    let emulator = Emulator()
    var device = Device(emulator)
    device.setWallClock("@" + time)
    let result = device.run("deactivate")
    #expect(result.output.contains("\ndeactivated "), "\(result)")
    // The first was signed with the newest time known, the second with the server's.
    #expect(emulator.count("requests") == 2)
    #expect(emulator.count("tls_failures") == 0)
    let again = device.run("deactivate", "--hardware-id", "demo-device-2")
    #expect(again.output.contains("\ndeactivated "), "\(again)")
    #expect(emulator.count("requests") == 3, "the correction was remembered")
  }

  /// Powered off for months, without a battery: the clock goes on where it stood.
  @Test func `a device whose clock is behind the server's certificate gets its license back`() {
    let emulator = Emulator("--certificate", "not-yet-valid")
    let device = Device(emulator)
    #expect(device.run("deactivate").output.contains("\ndeactivated "))
  }

  @Test(arguments: ["+0", "@1970-01-01 00:00:30", "@2060-01-01 00:00:00", "-2y", "+2y"])
  func `a certificate that ended before the release is refused by any clock`(time: String) {
    let emulator = Emulator("--certificate", "expired")
    var device = Device(emulator)
    device.setWallClock(time)
    let result = device.run("deactivate")
    #expect(code(device, result) == "tls_certificate_expired")
    #expect(waitsFor(device) == "clock")
    #expect(emulator.count("requests") == 0)
  }

  @Test func `a certificate that has ended is refused by a right clock, and then by a lost one`() {
    // A server that is right, six days after the release: two clocks agree, and the floor rises.
    let later = Self.afterRelease + 6 * Self.day
    let right = Emulator("--epoch", String(later))
    var device = Device(right)
    device.setWallClock("@2026-12-26 12:00:00")
    #expect(device.run("deactivate").output.contains("\ndeactivated "))
    #expect(journaledFloor(device) == later, "two clocks agreed")
    // Another, whose certificate has ended by then.
    let emulator = Emulator(
      "--epoch", String(later), "--certificate-until", String(Self.afterRelease + 5 * Self.day))
    device.program.environment["HANDBACK_SERVER"] = emulator.baseURL
    device.program.environment["HANDBACK_CA_FILE"] = emulator.authorityFile
    device.program.environment["HANDBACK_HARDWARE_ID"] = "demo-device-2"
    for time in ["@2026-12-26 12:00:00", "@1970-01-01 00:00:30", "@2060-01-01 00:00:00"] {
      device.setWallClock(time)
      let result = device.run("deactivate")
      #expect(code(device, result) == "tls_certificate_expired", "\(time)")
    }
    #expect(emulator.count("requests") == 0)
    // What can't be known from a release's date alone: see "Trust" in the README.
    _ = device.sql("DELETE FROM server")
    device.setWallClock("@1970-01-01 00:00:30")
    #expect(device.run("flush").output.contains("deactivated"))
  }

  @Test func `a clock that jumps by eleven years and back between two tries does no harm`() {
    let emulator = Emulator()
    var device = Device(emulator)
    for (number, time) in ["+0", "+11y", "-11y", "@2099-01-01 00:00:00", "+0"].enumerated() {
      let license =
        [
          "license_key": "KEY-\(number)", "product": "XY", "id": 100 + number,
          "devices": ["demo-device-1"],
        ] as [String: Any]
      emulator.control("/licenses", [license])
      device.folder.write("license-key", "KEY-\(number)\n")
      device.setWallClock(time)
      let result = device.run("deactivate")
      #expect(result.output.contains("\ndeactivated "), "\(time): \(result)")
    }
    #expect(emulator.count("requests") == 5, "no date was refused")
    #expect(emulator.count("tls_failures") == 0)
  }

  @Test func `a clock that jumped before the first try waits for being set`() {
    let emulator = Emulator()
    var device = Device(emulator)
    device.setWallClock("+11y")
    let result = device.run("deactivate")
    #expect(result.status == 0)
    #expect(code(device, result) == "tls_certificate_expired")
    #expect(waitsFor(device) == "clock")
    #expect(result.errors.contains("or the clock is wrong"))
    #expect(device.run("flush").status == 69)
    device.setWallClock("+0")
    #expect(device.run("flush").output.contains("deactivated"))
    #expect(emulator.count("successes") == 1)
  }

  /// On a 32-bit board OpenSSL's own clock has come to its end then.
  @Test func `a device of 2039 gets its license back`() {
    let time = 2_190_000_000
    let emulator = Emulator(
      "--epoch", String(time), "--certificate-until", String(time + 100 * Self.day))
    var device = Device(emulator)
    device.setWallClock("@2039-05-26 05:20:00")
    let result = device.run("deactivate")
    #expect(result.output.contains("\ndeactivated "), "\(result)")
    #expect(emulator.count("requests") == 1)
    #expect(journaledFloor(device) == time)
    device.setWallClock("@2039-09-03 05:21:00")
    // In the same boot the server's time is known better than the wall clock's.
    let early = device.run("deactivate", "--hardware-id", "demo-device-2")
    #expect(early.output.contains("\ndeactivated "), "\(early)")
    device.startAnotherBoot()
    let late = device.run("deactivate", "--hardware-id", "demo-device-3")
    #expect(code(device, late) == "tls_certificate_expired")
    #expect(journaledFloor(device) == time, "the anchor alone was forgotten")
  }

  // MARK: - The server's clock

  @Test(arguments: [-5, 5]) func `a server's clock may be wrong by hours`(hours: Int) {
    let emulator = Emulator("--clock-offset", String(hours * 3600))
    let device = Device(emulator)
    #expect(device.run("deactivate").output.contains("\ndeactivated "))
    #expect(emulator.count("requests") == 2)
    #expect(journaledFloor(device) == 1_795_392_000, "the release's date, not the server's")
  }

  @Test func `a wrong Date that comes with a clean answer is not learned`() {
    let emulator = Emulator()
    let device = Device(emulator)
    emulator.setFaults(
      ["kind": "set_header", "name": "Date", "value": "Sun, 01 Jan 2060 00:00:00 GMT", "act": true])
    #expect(device.run("deactivate").output.contains("\ndeactivated "))
    #expect(device.sql("SELECT count(*) FROM server WHERE anchor_at IS NOT NULL") == "0")
    let again = device.run("deactivate", "--hardware-id", "demo-device-2")
    #expect(again.output.contains("\ndeactivated "))
    #expect(emulator.count("requests") == 2)
  }

  /// It is followed, since it accepts nothing else; but no later try may suffer from it.
  @Test(arguments: ["+0", "@1970-01-01 00:00:30"])
  func `a server that lives in 2060 for a while spoils nothing`(time: String) {
    let emulator = Emulator("--clock-offset", "1050000000")
    var device = Device(emulator)
    device.setWallClock(time)
    #expect(device.run("deactivate").output.contains("\ndeactivated "))
    #expect(journaledFloor(device) == 1_795_392_000)
    emulator.control("/clock", ["offset": 0])
    let second = device.run("deactivate", "--hardware-id", "demo-device-2")
    #expect(second.output.contains("\ndeactivated "), "\(second)")
    // And in another boot.
    let floor = journaledFloor(device)
    device.startAnotherBoot()
    emulator.control("/reset", [:])
    emulator.control("/clock", ["offset": 0])
    let third = device.run("deactivate")
    #expect(third.output.contains("\ndeactivated "), "\(third)")
    #expect(journaledFloor(device) >= floor, "the anchor alone was forgotten")
    #expect(emulator.count("tls_failures") == 0)
  }

  @Test func `a leap second is the next one`() {
    // 2026-12-31 23:59:59 UTC.
    let emulator = Emulator("--epoch", "1798761599")
    var device = Device(emulator)
    device.setWallClock("@1970-01-01 00:00:30")
    emulator.setFaults(
      ["kind": "set_header", "name": "Date", "value": "Thu, 31 Dec 2026 23:59:60 GMT"])
    #expect(device.run("deactivate").output.contains("\ndeactivated "))
    #expect(device.sql("SELECT anchor_at FROM server") == "1798761600")
    let dates = emulator.log.compactMap { $0["headers"] as? [[String]] }.compactMap { headers in
      headers.first { $0[0] == "Date" }?[1]
    }
    #expect(dates.last == "Fri, 01 Jan 2027 00:00:00 GMT")
  }

  // MARK: - Other TLS libraries

  /// Debian's libcurl with GnuTLS, which takes no time from us.
  @Test(.enabled(if: Program.isNative))
  func `with another TLS library the clock has to be set`() throws {
    let library = "/usr/lib/x86_64-linux-gnu/libcurl-gnutls.so.4"
    try #require(FileManager.default.fileExists(atPath: library), "install libcurl3-gnutls")
    let emulator = Emulator()
    var device = Device(emulator)
    try FileManager.default.createSymbolicLink(
      atPath: device.folder.path("libcurl.so.4"), withDestinationPath: library)
    device.program.environment["LD_LIBRARY_PATH"] = device.folder.url.path
    #expect(device.run("version").output.contains("(GnuTLS/"))
    device.setWallClock("@1970-01-01 00:00:30")
    let result = device.run("deactivate")
    #expect(code(device, result) == "tls_certificate_not_yet_valid")
    #expect(waitsFor(device) == "clock")
    #expect(result.errors.contains("hint: set the clock"))
    #expect(emulator.count("requests") == 0)
    device.setWallClock("+11y")
    let late = device.run("flush")
    #expect(late.output.contains("tls_certificate_expired"), "\(late)")
    device.setWallClock("+0")
    #expect(device.run("flush").output.contains("deactivated"))
  }
}
