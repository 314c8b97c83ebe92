internal import CLibc
public import HandbackCore

/// What is told to systemd, or to whoever started us and speaks its protocol: sd_notify(3).
public struct ServiceManager {
  private let socket: Text?
  /// How often a sign of life is wanted, half of what was asked for; `nil` if none is.
  public let watchdogMilliseconds: Int64?

  /// From the environment: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`.
  public init() {
    socket = Process.variable("NOTIFY_SOCKET")
    // sd_watchdog_enabled(3): without a process named, or with us, it is us.
    var isForUs = true
    if let name = Process.variable("WATCHDOG_PID") {
      isForUs = Decimal.integer(name.bytes.span) == Int64(getpid())
    }
    var half: Int64?
    if socket != nil, isForUs, let text = Process.variable("WATCHDOG_USEC"),
      let microseconds = Decimal.integer(text.bytes.span), microseconds > 0
    {
      half = max(microseconds / 2000, 1)
    }
    watchdogMilliseconds = half
  }

  /// Lines of `NAME=value`. Nobody waits for an answer, and nobody has to be there.
  public func tell(_ lines: Text) {
    guard let socket else { return }
    var message: [CChar] = []
    for byte in lines.bytes { message.append(CChar(bitPattern: byte)) }
    _ = unsafe clibc_notify(socket.cString, message, message.count)
  }

  /// `RELOADING=1` with the moment that goes with it.
  public func tellReloading() {
    tell("RELOADING=1\nMONOTONIC_USEC=\(SystemClock.monotonicMicroseconds)")
  }
}
