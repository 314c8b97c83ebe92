internal import HandbackCore
internal import HandbackLinux

/// What is in force: flags win, then the environment, then the settings file, then what systemd
/// hands over as credentials, then defaults.
final class Settings {
  static let defaultFile: Literal = "/etc/handback.conf"
  static let fileByteCountMax = 64 * 1024

  /// Where a value came from, the strongest first.
  enum Source: Int {
    case flag, environment, file, credentials, fallback

    var name: Literal {
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
    let setting: Setting
    let text: Text
    let source: Source

    init(_ setting: Setting, _ text: Text, _ source: Source) {
      self.setting = setting
      self.text = text
      self.source = source
    }
  }

  /// One for each setting that is set.
  private var values: [Value] = []
  let file: Text

  /// Reads all sources; `flags` are those of the command line, in their order.
  init(flags: [Value], file explicitFile: Text?) throws(Failure) {
    let environment = try Environment.read()
    let named = explicitFile ?? environment.settingsFile
    file = named ?? Text(Self.defaultFile)
    for value in flags { set(value) }
    for value in environment.settings { set(value) }
    for value in try SettingsFile.read(file, mustExist: named != nil) { set(value) }
    if let folder = environment.credentialsFolder { addCredentials(in: folder) }
    if let folder = environment.stateFolder, value(.journal) == nil {
      set(Value(.journal, "\(folder)/journal.db", .environment))
    }
    addDefaults()
    if let journal = value(.journal),
      journal.source == .flag ? journal.text.isEmpty : !journal.text.hasPrefix("/")
    {
      throw wrong(.journal, "must be an absolute path")
    }
  }

  subscript(_ setting: Setting) -> Text? { value(setting)?.text }

  func value(_ setting: Setting) -> Value? {
    for value in values where value.setting == setting { return value }
    return nil
  }

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

  /// The strongest source holds; of two values from one source, the last.
  private func set(_ value: Value) {
    for index in values.indices where values[index].setting == value.setting {
      if values[index].source.rawValue >= value.source.rawValue { values[index] = value }
      return
    }
    values.append(value)
  }

  private func addCredentials(in folder: Text) {
    for setting in Setting.allCases where value(setting) == nil {
      guard let name = setting.credentialName else { continue }
      let path: Text = "\(folder)/\(name)"
      if FilePresence.exists(path) { set(Value(setting, path, .credentials)) }
    }
  }

  private func addDefaults() {
    for setting in Setting.allCases {
      if let text = setting.defaultValue { set(Value(setting, Text(text), .fallback)) }
    }
  }
}
