internal import CLibc
public import HandbackCore

/// The kernel's clocks.
public enum SystemClock {
  public static func now() -> Moment {
    Moment(
      wallSeconds: read(clibc_clock_realtime()).seconds,
      bootMilliseconds: read(clibc_clock_boottime()).milliseconds,
      bootID: bootID)
  }

  /// For systemd: `CLOCK_MONOTONIC`.
  static var monotonicMicroseconds: Int64 {
    let reading = read(clibc_clock_monotonic())
    return reading.seconds * 1_000_000 + reading.nanoseconds / 1000
  }

  private struct Reading {
    var seconds: Int64 = 0
    var nanoseconds: Int64 = 0
    var milliseconds: Int64 { seconds * 1000 + nanoseconds / 1_000_000 }
  }

  private static func read(_ clock: Int32) -> Reading {
    var reading = Reading()
    // Fails for an unknown clock only, and these two are older than every kernel supported.
    unsafe clibc_clock_gettime(clock, &reading.seconds, &reading.nanoseconds)
    return reading
  }

  /// The first half of the kernel's random UUID of this boot
  /// (Documentation/admin-guide/sysctl/kernel.rst, `random`), read once.
  private static let bootID: Int64 = {
    let path: Text = "/proc/sys/kernel/random/boot_id"
    guard let text = try? TextFile.read(path, byteCountMax: 64, trusted: false) else { return 0 }
    var value: UInt64 = 0
    var digits = 0
    for byte in text where digits < 16 {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      default: continue
      }
      value = value << 4 | UInt64(digit)
      digits += 1
    }
    return Int64(bitPattern: value)
  }()

  public static func sleep(milliseconds: Int64) {
    poll(nil, 0, Int32(clamping: milliseconds))
  }
}

/// Randomness from the kernel.
public enum Entropy {
  /// The C function is `getrandom`. Early at boot it waits for the kernel's pool, once.
  public static func next() -> UInt64 {
    // Without getrandom (seccomp, or a kernel before 3.17) jitter still differs between devices.
    word() ?? UInt64(bitPattern: SystemClock.now().bootMilliseconds &* 0x9E37_79B9)
  }

  private static func word() -> UInt64? {
    var value: UInt64 = 0
    var filled = 0
    while filled < 8 {
      let count = unsafe withUnsafeMutableBytes(of: &value) { buffer in
        unsafe getrandom(buffer.baseAddress.map { unsafe $0 + filled }, 8 - filled, 0)
      }
      if count > 0 { filled += count } else if clibc_errno() != EINTR { return nil }
    }
    return value
  }

  /// 32 bytes of it; `nil` where the kernel gives none, as an ID must not be made of the clock.
  public static func block() -> InlineArray<32, UInt8>? {
    var bytes = InlineArray<32, UInt8>(repeating: 0)
    for index in 0..<4 {
      guard let value = word() else { return nil }
      for byte in 0..<8 {
        bytes[8 * index + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
      }
    }
    return bytes
  }
}
