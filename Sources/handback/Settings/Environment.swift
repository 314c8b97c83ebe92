internal import HandbackCore
internal import HandbackLinux

/// What of the environment is ours.
struct Environment {
  var settings: [Settings.Value] = []
  /// `HANDBACK_CONFIG`.
  var settingsFile: Text?
  /// systemd's `$CREDENTIALS_DIRECTORY`.
  var credentialsFolder: Text?
  /// The one of systemd's `$STATE_DIRECTORY` that is named `handback`.
  var stateFolder: Text?

  static func read() throws(Failure) -> Environment {
    var environment = Environment()
    var index = 0
    while let entry = Process.environment(index) {
      index += 1
      try environment.take(entry)
    }
    return environment
  }

  /// Of a unit's state folders the one that is ours. Another service's is its own: a journal there
  /// would be seen by nobody who sends.
  private static func ourFolder(_ list: Text) -> Text? {
    var rest = list
    while !rest.isEmpty {
      let folder = rest.prefix(before: UInt8(ascii: ":"))
      if Path.name(of: folder).isEqual(to: "handback") { return folder }
      rest = rest.suffix(from: min(folder.bytes.count + 1, rest.bytes.count))
    }
    return nil
  }

  private mutating func take(_ entry: Text) throws(Failure) {
    guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { return }
    let name = entry.prefix(equals)
    let value = entry.suffix(from: equals + 1)
    if name.isEqual(to: "CREDENTIALS_DIRECTORY"), !value.isEmpty { credentialsFolder = value }
    if name.isEqual(to: "STATE_DIRECTORY") { stateFolder = Self.ourFolder(value) }
    guard name.hasPrefix("HANDBACK_") else { return }
    if name.isEqual(to: "HANDBACK_CONFIG") {
      settingsFile = value
      return
    }
    guard let setting = Setting(variable: name) else {
      throw Failure(
        .configuration, "unknown setting \(Text(printable: name)) in the environment",
        hint: "'handback settings' lists the settings there are")
    }
    settings.append(Settings.Value(setting, value, .environment))
  }
}
