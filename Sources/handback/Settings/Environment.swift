internal import HandbackCore
internal import HandbackLinux

/// What of the environment is ours.
struct Environment {
  var settings: [Arguments.Flag] = []
  /// `HANDBACK_CONFIG`.
  var settingsFile: String?
  /// systemd's `$CREDENTIALS_DIRECTORY`.
  var credentialsFolder: String?
  /// The first of systemd's `$STATE_DIRECTORY`.
  var stateFolder: String?

  static func read() throws(Failure) -> Environment {
    var environment = Environment()
    var index = 0
    while let entry = Process.environment(index) {
      index += 1
      try environment.take(entry)
    }
    return environment
  }

  private mutating func take(_ entry: String) throws(Failure) {
    let bytes = Array(entry.utf8)
    guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")) else { return }
    let name = bytes[0..<equals]
    let value = String(decoding: bytes[(equals + 1)...], as: UTF8.self)
    let span = bytes.span.extracting(0..<equals)
    if matches("CREDENTIALS_DIRECTORY", span), !value.utf8.isEmpty { credentialsFolder = value }
    if matches("STATE_DIRECTORY", span), !value.utf8.isEmpty {
      let first = value.utf8.prefix { $0 != UInt8(ascii: ":") }
      stateFolder = String(decoding: Array(first), as: UTF8.self)
    }
    guard name.starts(with: "HANDBACK_".utf8) else { return }
    if matches("HANDBACK_CONFIG", span) {
      settingsFile = value
      return
    }
    let text = String(decoding: name, as: UTF8.self)
    guard let setting = Setting(variable: text) else {
      throw Failure(
        .configuration, "unknown setting \(Line(printable: Array(name))) in the environment",
        hint: "'handback settings' lists the settings there are")
    }
    settings.append(Arguments.Flag(setting: setting, value: value))
  }
}
