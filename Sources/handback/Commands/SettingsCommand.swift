internal import HandbackCore
internal import HandbackLinux

/// `handback settings`: what is in force and where it came from. Secrets are files, and only
/// their paths are shown.
enum SettingsCommand {
  static func run(_ arguments: Arguments, _ settings: Settings) throws(Failure) -> ExitCode {
    if arguments.has(.json) {
      try printJSON(settings)
    } else {
      try printLines(settings)
    }
    return .ok
  }

  private static func printLines(_ settings: Settings) throws(Failure) {
    try Console.print("settings file \(settings.file)")
    for setting in Setting.allCases {
      let value = shown(setting, settings)
      let text: Text = value.map { Text(printable: $0.text) } ?? "-"
      let source: Text = value.map { Text($0.source.name) } ?? "not set"
      try Console.print(
        "\(setting.name.padded(to: 24))\(text.padded(to: 40)) \(source)")
    }
    if let host = tokenHost(settings) { try Console.print("tokens come from \(host)") }
  }

  private static func printJSON(_ settings: Settings) throws(Failure) {
    var json = JSONOutput()
    json.begin()
    json.member("settings_file", settings.file)
    json.beginObject("settings")
    for setting in Setting.allCases {
      let value = shown(setting, settings)
      json.beginObject(setting.name)
      json.member("value", value?.text)
      json.member("source", value?.source.name)
      json.end()
    }
    json.end()
    json.member("token_host", tokenHost(settings))
    try json.print()
  }

  private static func shown(_ setting: Setting, _ settings: Settings) -> Settings.Value? {
    if let value = settings.value(setting) { return value }
    guard case .journal = setting else { return nil }
    return Settings.Value(.journal, settings.journalPath, .fallback)
  }

  /// The host that the client's secret is sent to.
  private static func tokenHost(_ settings: Settings) -> Text? {
    guard settings[.clientID] != nil else { return nil }
    guard let url = settings[.tokenURL] else { return "the address that the server names" }
    return ServerAddress(url, takesQuery: true)?.host
  }
}

/// `handback version`.
enum VersionCommand {
  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    let curl = CurlTransport.libraryVersion()
    if arguments.has(.json) {
      var json = JSONOutput()
      json.begin()
      json.member("version", Version.text)
      json.member("sqlite", SQLiteLibrary.version)
      json.member("libcurl", curl)
      try json.print()
    } else {
      try Console.print("handback \(Version.text)")
      try Console.print("SQLite \(SQLiteLibrary.version)")
      try Console.print(curl.map { "libcurl \($0)" } ?? "libcurl not found")
    }
    return .ok
  }
}
