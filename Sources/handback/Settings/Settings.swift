internal import HandbackCore
internal import HandbackLinux

/// What is in force: flags win, then the environment, then the settings file, then what systemd
/// hands over as credentials, then defaults.
final class Settings {
  static let defaultFile: Text = "/etc/handback.conf"
  static let fileByteCountMax = 64 * 1024

  /// Where a value came from, the strongest first.
  enum Source: Int {
    case flag, environment, file, credentials, fallback

    var name: StaticString {
      switch self {
      case .flag: "flag"
      case .environment: "environment"
      case .file: "file"
      case .credentials: "credentials"
      case .fallback: "default"
      }
    }
  }

  struct Value {
    let text: Text
    let source: Source
  }

  private var values: [Value?]
  let file: Text

  /// Reads all sources; `flags` are those of the command line, in their order.
  init(flags: [Arguments.Flag], file explicitFile: Text?) throws(Failure) {
    values = Array(repeating: nil, count: Setting.allCases.count)
    let environment = try Environment.read()
    let named = explicitFile ?? environment.settingsFile
    file = named ?? Self.defaultFile
    for flag in flags { set(flag.setting, flag.value, .flag) }
    for entry in environment.settings { set(entry.setting, entry.value, .environment) }
    for entry in try SettingsFile.read(file, mustExist: named != nil) {
      set(entry.setting, entry.value, .file)
    }
    if let folder = environment.credentialsFolder { addCredentials(in: folder) }
    if let folder = environment.stateFolder, values[Setting.journal.rawValue] == nil {
      values[Setting.journal.rawValue] = Value(text: folder + "/journal.db", source: .environment)
    }
    addDefaults()
  }

  subscript(_ setting: Setting) -> Text? { values[setting.rawValue]?.text }

  func value(_ setting: Setting) -> Value? { values[setting.rawValue] }

  /// Where the journal is.
  var journalPath: Text { self[.journal] ?? "/var/lib/handback/journal.db" }

  func seconds(_ setting: Setting, _ range: ClosedRange<Int64>) throws(Failure) -> Int64 {
    try integer(setting, range) ?? 0
  }

  func integer(
    _ setting: Setting, _ range: ClosedRange<Int64>
  ) throws(Failure) -> Int64? {
    guard let text = self[setting] else { return nil }
    let bytes = text.bytes
    guard let number = Decimal.integer(bytes.span), range.contains(number) else {
      throw wrong(setting, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  func flag(_ setting: Setting) throws(Failure) -> Bool {
    guard let text = self[setting] else { return false }
    if text.isEqual(to: "yes") { return true }
    if text.isEqual(to: "no") { return false }
    throw wrong(setting, "must be yes or no")
  }

  /// A failure that names the setting as its source spells it, but not its value.
  func wrong(_ setting: Setting, _ what: Text) -> Failure {
    let isFlag = value(setting)?.source == .flag
    let name: Text = isFlag ? "--\(setting.name)" : setting.variable
    let place: Text = value(setting)?.source == .file ? " in \(file)" : ""
    return Failure(isFlag ? .usage : .configuration, "\(name)\(place) \(what)")
  }

  /// The first that sets a value is the strongest: sources are read in that order.
  private func set(_ setting: Setting, _ text: Text, _ source: Source) {
    if let old = values[setting.rawValue], old.source.rawValue < source.rawValue { return }
    values[setting.rawValue] = Value(text: text, source: source)
  }

  private func addCredentials(in folder: Text) {
    for setting in Setting.allCases where values[setting.rawValue] == nil {
      guard let name = setting.credentialName else { continue }
      let path = "\(folder)/\(name)" as Text
      if FilePresence.exists(path) {
        values[setting.rawValue] = Value(text: path, source: .credentials)
      }
    }
  }

  private func addDefaults() {
    for setting in Setting.allCases where values[setting.rawValue] == nil {
      if let text = setting.defaultValue {
        values[setting.rawValue] = Value(text: Text(text), source: .fallback)
      }
    }
  }
}
