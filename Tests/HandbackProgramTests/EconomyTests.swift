import Foundation
import TestSupport
import Testing

/// What the program costs, where a number is a promise: counted, not timed.
struct EconomyTests {
  @Test(.enabled(if: Program.isNative))
  func `queueing opens no socket, maps no libcurl, and syncs at most twice`() throws {
    let device = Device()
    device.run("deactivate", "--queue-only")
    let trace = device.folder.path("trace")
    var bytes: [Int] = []
    for index in 0..<8 {
      Command.run(
        "env",
        ["-i", "PATH=/usr/bin:/bin", "HANDBACK_CONFIG=\(device.folder.path("handback.conf"))"]
          + [
            "strace", "-f", "-y", "-o", trace, "-e",
            "trace=fsync,fdatasync,write,pwrite64,socket,openat,mmap", Program.path, "deactivate",
            "--queue-only", "--hardware-id", "device-\(index)",
          ])
      let text = try String(contentsOfFile: trace, encoding: .utf8)
      #expect(!text.contains("socket("))
      #expect(!text.contains("libcurl"))
      #expect(text.matches(of: /f(?:data)?sync\(/).count <= 2)
      bytes.append(
        text.split(separator: "\n").filter { $0.contains("journal.db") && $0.contains("write") }
          .compactMap { Int($0.split(separator: " ").last ?? "") }.reduce(0, +))
    }
    // A commit writes a second copy and two pages; one that splits a page of the tree, five; every
    // seventh second copy begins a block of 4 KiB.
    #expect(bytes.sorted()[4] <= 4200, "\(bytes)")
    #expect(bytes.max() ?? 0 <= 9400, "\(bytes)")
  }

  @Test func `signs 1,000 requests without a call to the allocator`() {
    let environment = ProcessInfo.processInfo.environment
    let probe =
      environment["HANDBACK_SIGNER_PROBE"] ?? Repository.file(".build-embedded/SignerProbe").path
    let result = Command.run(probe, [])
    #expect(result.status == 0)
    #expect(
      result.output == """
        signing 0 canary 1
        Authorization: algorithm="hmac-sha256",headers="date",\
        signature="ieKadwL/A4Oh/21LXnhUdC8gPAhEqppY0WsqDzzLP6g=",\
        apiKey="00000000-1111-2222-3333-444444444444"

        """)
  }

  @Test(.enabled(if: Program.isNative))
  func `is linked to the C library, SQLite and udev alone, and is small`() {
    let dynamic = Command.run("readelf", ["-d", Program.path]).output
    let needed = dynamic.split(separator: "\n").filter { $0.contains("(NEEDED)") }
      .map { String($0.split(separator: "[").last?.dropLast() ?? "") }
    for library in needed {
      #expect(
        // `dlopen` is in libdl before glibc 2.34.
        ["libc.so.6", "libdl.so.2", "libm.so.6", "libsqlite3.so.0", "libudev.so.1"]
          .contains(library))
    }
    let size = try? FileManager.default.attributesOfItem(atPath: Program.path)[.size] as? Int
    #expect(size ?? .max <= 267 * 1024)
  }

  @Test(.enabled(if: Program.isNative), .timeLimit(.minutes(3)))
  func `a flush of 10,000 takes one connection, and no more memory than one of 100`() throws {
    var peaks: [Int] = []
    for count in [100, 10_000] {
      let emulator = Emulator()
      emulator.control(
        "/licenses",
        [
          [
            "id": 42, "product": "XY", "license_key": "AAAA-BBBB-CCCC-DDDD",
            "devices": (1...count).map { "device-\($0)" },
          ]
        ])
      var device = Device(emulator, settings: ["HANDBACK_RATE=0"])
      let memory = device.moveJournalToMemory()
      defer { withExtendedLifetime(memory) {} }
      device.run("deactivate", "--queue-only", "--hardware-id", "device-1")
      // The rest as copies of the first row: 10,000 calls would test nothing more.
      let rows = SealedRows.make(2...count)
      device.folder.write("rows.sql", rows.sql)
      device.sql(".read \(device.folder.path("rows.sql"))")
      memory.write(
        "journal.db-copy", (memory.read("journal.db-copy") ?? Data()).prefix(1024) + rows.copies)
      // `env -i` and `time` are small, so that the peak is the program's own.
      let output = device.folder.path("time")
      let result = Command.run(
        "env",
        ["-i", "PATH=/usr/bin:/bin", "HANDBACK_CONFIG=\(device.folder.path("handback.conf"))"]
          + ["HANDBACK_JOURNAL=\(device.journal)"] + [
            "sh", "-c",
            "'\(Program.path)' flush > \(output) & p=$!; m=0; "
              + "while k=$(sed -n 's/VmHWM:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$p/status) "
              + "&& [ -n \"$k\" ]; do m=$k; sleep 0.02; done; wait $p; echo $m $?",
          ])
      let numbers = result.output.split(whereSeparator: { $0 == " " || $0 == "\n" })
      #expect(numbers.last == "0", "\(result)")
      peaks.append(Int(numbers.first ?? "") ?? 1 << 40)
      #expect(emulator.count("successes") == count)
      #expect(emulator.count("connections") == 1)
      let text = try String(contentsOfFile: output, encoding: .utf8)
      #expect(text.hasSuffix("\n\(count) deactivated, 0 rejected, 0 pending\n"))
    }
    #expect(peaks[1] <= peaks[0] * 11 / 10, "peak KiB at 100 and 10,000: \(peaks)")
  }
}
