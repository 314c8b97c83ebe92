import Foundation

/// The socket that systemd gives a service (sd_notify(3)); a path, or with @ an abstract name.
public final class NotifySocket {
  public let path: String
  private let file: Int32

  public struct CannotListen: Error {}

  public init(path: String) throws {
    self.path = path
    unlink(path)
    file = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(path.utf8)
    guard bytes.count < 100 else { throw CannotListen() }
    if path.hasPrefix("@") { bytes[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let size = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(file, $0, size) }
    }
    guard code == 0 else { throw CannotListen() }
  }

  deinit { close(file) }

  /// The next message that is so, those before it dropped; `nil` if none comes.
  public func next(seconds: Double = 10, _ isWanted: (String) -> Bool) -> String? {
    let end = Date().addingTimeInterval(seconds)
    while true {
      let left = end.timeIntervalSinceNow
      guard left > 0 else { return nil }
      var waits = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
      guard poll(&waits, 1, Int32(left * 1000) + 1) > 0 else { return nil }
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = recv(file, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      let message = String(decoding: buffer[..<count], as: UTF8.self)
      if isWanted(message) { return message }
    }
  }
}
