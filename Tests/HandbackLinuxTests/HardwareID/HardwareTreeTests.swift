import Foundation
import HandbackCore
import Testing

@testable import HandbackLinux

/// Trees that were made to mislead.
@Suite(.serialized) struct HardwareTreeTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "tree-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: folder.appending(path: "root"), withIntermediateDirectories: true)
    try write("outside", "secret of the host")
  }

  private func write(_ path: String, _ content: String) throws {
    let file = folder.appending(path: path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(content.utf8).write(to: file)
  }

  private func link(_ path: String, to target: String) throws {
    let place = folder.appending(path: path)
    try FileManager.default.createDirectory(
      at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: place.path, withDestinationPath: target)
  }

  private func tree() throws -> HardwareTree {
    try HardwareTree(below: Text(folder.appending(path: "root").path))
  }

  private func read(_ path: String) throws -> String {
    switch try tree().read(Text(path)) {
    case .value(let text): text.string
    case .absent: "absent"
    case .unreadable: "unreadable"
    case .late: "late"
    }
  }

  private func survey() throws -> HardwareEvidence {
    try HardwareSurvey.take(
      root: Text(folder.appending(path: "root").path), settleDeadlineMilliseconds: 0)
  }

  /// The source of the anchor, or why there is none.
  private func outcome() throws -> String {
    let evidence = try survey()
    do throws(IdentityDerivation.Refusal) {
      return try evidence.readings[IdentityDerivation.anchor(of: evidence)].source.name.description
    } catch {
      return error.name.description
    }
  }

  /// A port that names the device where nothing better does.
  private func writePort() throws {
    let device = "root/sys/devices/platform/a.ethernet/net/eth0"
    try link("root/sys/class/net/eth0", to: "../../devices/platform/a.ethernet/net/eth0")
    try write("\(device)/address", "7c:b7:7b:10:20:31\n")
    try write("\(device)/addr_assign_type", "0\n")
    try write("\(device)/type", "1\n")
  }

  @Test func `reads files, through links that stay inside`() throws {
    try write("root/a/b/file", "content")
    try link("root/relative", to: "a/b/../b/file")
    try link("root/absolute", to: "/a/b/file")
    try link("root/folder", to: "a/b")
    #expect(try read("/a/b/file") == "content")
    #expect(try read("/relative") == "content")
    #expect(try read("/absolute") == "content")
    #expect(try read("/folder/file") == "content")
    #expect(try read("/a/./b/../../a/b/file") == "content")
    #expect(try read("/missing/file") == "absent")
    #expect(try read("/a/b/file/more") == "absent")
  }

  @Test func `follows no link out of the root`() throws {
    try link("root/up", to: "../outside")
    try link("root/far", to: "../../../../../../../../etc/passwd")
    try link("root/a/deep", to: "../../outside")
    try link("root/host", to: folder.appending(path: "outside").path)
    try link("root/parent", to: "..")
    for path in ["/up", "/far", "/a/deep", "/host", "/parent/outside", "/../outside", "/.."] {
      #expect(try read(path) == "absent", "\(path)")
    }
    #expect(try tree().linkTarget(Text("/parent/outside")) == nil)
  }

  @Test func `ends at loops`() throws {
    try link("root/one", to: "two")
    try link("root/two", to: "one")
    try link("root/self", to: "self/self")
    #expect(try read("/one") == "absent")
    #expect(try read("/self/x") == "absent")
  }

  @Test func `does not wait for a FIFO, nor read a folder`() throws {
    let fifo = folder.appending(path: "root/etc/machine-id").path
    try write("root/etc/hostname", "x")
    #expect(mkfifo(fifo, 0o600) == 0)
    #expect(try read("/etc/machine-id") == "absent")
    #expect(try read("/etc") == "absent")
  }

  @Test func `cuts what is longer than asked for`() throws {
    try write("root/long", String(repeating: "x", count: 70_000))
    let text = try tree().text(Text("/long"), byteCountMax: 100)
    #expect(text.bytes.count == 100)
    try write("root/empty", "")
    #expect(try read("/empty") == "")
  }

  @Test(arguments: [
    "", "\0", String(repeating: "A", count: 65_536), String(repeating: "7GQ4X21", count: 9000),
    "5f3c9a1be07d2468\u{1}", "\u{1B}[2Jabcdefgh1", "\u{FF}\u{FE}",
  ])
  func `refuses a device tree's serial that is none`(content: String) throws {
    try write("root/proc/device-tree/compatible", "acme,box\0")
    try write("root/proc/device-tree/serial-number", content)
    let evidence = try survey()
    let reading = evidence.readings.first { $0.source == .deviceTreeSerial }
    #expect(reading?.state.name.description == "junk")
  }

  /// Where `/proc` has processes only (ProcSubset=pid), or isn't there.
  @Test func `finds the device tree in sysfs`() throws {
    try write("root/sys/firmware/devicetree/base/compatible", "acme,box\0")
    try write("root/sys/firmware/devicetree/base/serial-number", "5f3c9a1be07d2468\0")
    #expect(try outcome() == "device-tree-serial")
    try write("root/sys/firmware/devicetree/base/hypervisor/compatible", "xen,xen-4.17\0")
    #expect(try survey().platform == .vm)
  }

  /// The same socket in both; the agent's folder is a virtual machine's.
  @Test func `tells LXD's virtual machine from its container`() throws {
    try write("root/dev/lxd/sock", "")
    try write("root/sys/class/dmi/id/sys_vendor", "QEMU\n")
    #expect(try survey().platform == .container)
    try write("root/run/lxd_agent/server.crt", "")
    #expect(try survey().platform == .vm)
  }

  @Test func `takes a serial number without its NUL`() throws {
    try write("root/proc/device-tree/serial-number", "5f3c9a1be07d2468")
    let evidence = try survey()
    #expect(try IdentityDerivation.anchor(of: evidence) == 2)
  }

  /// Which of the two devices is the first hangs on the kernel.
  @Test func `finds the SoC's serial number beside the firmware's device, in either order`() throws
  {
    func id() throws -> Text {
      try IdentityDerivation.identify(
        survey(), by: .hb1, random: nil, epochSeconds: 0, reason: Text("test")
      ).id.text
    }
    try writePort()
    // The low word first: that both orders are one is known by the family alone.
    try write("root/sys/devices/soc0/family", "Freescale i.MX\n")
    try write("root/sys/devices/soc0/serial_number", "E07D24685F3C9A1B\n")
    let alone = try id()
    #expect(try outcome() == "soc-serial")
    let devices = folder.appending(path: "root/sys/devices")
    try FileManager.default.moveItem(
      at: devices.appending(path: "soc0"), to: devices.appending(path: "soc1"))
    try write("root/sys/devices/soc0/family", "jep106:0009\n")
    try write("root/sys/devices/soc0/soc_id", "jep106:0009:0001\n")
    #expect(try id() == alone)
    try write("root/sys/devices/soc1/serial_number", "5F3C9A1BE07D2468\n")
    #expect(try id() == alone)
  }

  @Test func `bears a udev database full of garbage`() throws {
    try writePort()
    let device = "root/sys/devices/platform/a.ethernet/net/eth0"
    try write("\(device)/ifindex", "2\n")
    let clean = try survey()
    let garbage = [
      "\0\u{1}\u{2}E:", "E:\nE:=\nE:DEVTYPE\n", String(repeating: "E:A=", count: 99_999),
    ]
    for content in garbage {
      try write("root/run/udev/data/n2", content)
      let evidence = try survey()
      #expect(
        evidence.readings.map(\.state.name.description)
          == clean.readings.map(\.state.name.description))
      #expect(
        try evidence.readings[IdentityDerivation.anchor(of: evidence)].label == Text("eth0")
      )
    }
    try write("\(device)/ifindex", "../../../../etc/passwd\n")
    #expect(try survey().readings.count == clean.readings.count)
  }

  /// QEMU's blob: 40 bytes of an ACPI table's head, then the GUID (its docs/specs/vmgenid.rst).
  @Test func `reads a virtual machine's generation`() throws {
    let file = "root/sys/firmware/qemu_fw_cfg/by_name/etc/vmgenid_guid/raw"
    let head = String(repeating: "\0", count: 40)
    func reading() throws -> (state: String, mark: String) {
      let explained = try survey().explained().first { $0.reading.source == .vmGeneration }
      return (explained?.reading.state.name.description ?? "", explained?.mark.string ?? "")
    }
    try write(file, head + "0123456789abcdef")
    let first = try reading()
    #expect(first.state == "ok")
    #expect(first.mark.utf8.count == 4)
    try write(file, head + "0123456789abcdef" + String(repeating: "\0", count: 4040))
    #expect(try reading() == first)
    try write(file, head + "1123456789abcdef")
    #expect(try reading().mark != first.mark)
    try write(file, head + "0123456789abcde")
    #expect(try reading().state == "absent")
    try write(file, head + String(repeating: "\0", count: 16))
    #expect(try reading().state == "junk")
    // A kernel that has QEMU's driver built in has its folder on metal, too.
    #expect(try survey().platform == .metal)
    try write("root/sys/firmware/qemu_fw_cfg/rev", "3\n")
    #expect(try survey().platform == .vm)
  }

  @Test func `makes no weaker ID while the udev of the tree's system is busy`() throws {
    try writePort()
    try write("root/run/udev/queue", "")
    #expect(try outcome() == "network-address", "left behind by a udev that is gone")
    let control = folder.appending(path: "root/run/udev/control").path
    #expect(mknod(control, S_IFSOCK | 0o600, 0) == 0)
    #expect(try outcome() == "not-ready")
    try FileManager.default.removeItem(at: folder.appending(path: "root/run/udev/queue"))
    #expect(try outcome() == "network-address")
  }

  @Test func `says when the root itself can't be opened`() {
    #expect(throws: HardwareSurvey.Failure.self) {
      try HardwareSurvey.take(root: Text("/no/such/folder"), settleDeadlineMilliseconds: 0)
    }
  }
}
