import Foundation

/// A folder of a test's own, removed with it.
public final class TemporaryFolder: Sendable {
  public let url: URL

  public init(in parent: URL = FileManager.default.temporaryDirectory, mode: Int = 0o700) {
    url =
      parent
      .appendingPathComponent("handback-" + UUID().uuidString)
    try! FileManager.default.createDirectory(
      at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    // The umask has no say.
    try! FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: url.path)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  public func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// Writes a file, for its owner alone unless told otherwise.
  @discardableResult
  public func write(_ name: String, _ text: String, mode: Int = 0o600) -> String {
    write(name, Data(text.utf8), mode: mode)
  }

  @discardableResult
  public func write(_ name: String, _ bytes: Data, mode: Int = 0o600) -> String {
    _ = FileManager.default.createFile(
      atPath: path(name), contents: bytes, attributes: [.posixPermissions: mode])
    return path(name)
  }

  public func read(_ name: String) -> Data? { FileManager.default.contents(atPath: path(name)) }
}
