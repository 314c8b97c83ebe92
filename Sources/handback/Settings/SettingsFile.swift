internal import HandbackCore
internal import HandbackLinux

/// The settings file, in the syntax of systemd's `EnvironmentFile=`: lines `NAME=value`, the value
/// plain or in single or double quotes; empty lines and lines that begin with `#` or `;` are
/// passed over. Lines that go on and escapes are refused: no setting needs them.
enum SettingsFile {
  static func read(_ path: Text, mustExist: Bool) throws(Failure) -> [Settings.Value] {
    let bytes: [UInt8]
    do throws(TextFile.Failure) {
      bytes = try TextFile.read(
        path, byteCountMax: Settings.fileByteCountMax, trusted: true)
    } catch {
      if case .missing = error, !mustExist { return [] }
      throw failure(error, path)
    }
    return try parse(bytes, path)
  }

  private static func failure(_ error: TextFile.Failure, _ path: Text) -> Failure {
    let cause: Text
    switch error {
    case .missing: cause = "no such file"
    case .cannotRead(let code): cause = Process.description(ofErrno: code)
    case .notAFile: cause = "not a regular file"
    case .writableByOthers:
      return Failure(
        .configuration, "refusing the settings file \(path): everybody can write it",
        hint: "chmod o-w \(path)")
    case .tooLarge: cause = "larger than 64 KiB"
    }
    return Failure(.configuration, "cannot read the settings file \(path): \(cause)")
  }

  static func parse(_ bytes: [UInt8], _ path: Text) throws(Failure) -> [Settings.Value] {
    var values: [Settings.Value] = []
    var number = 0
    var start = 0
    while start < bytes.count {
      number += 1
      var end = start
      while end < bytes.count, bytes[end] != 0x0A { end += 1 }
      let line = bytes.span.extracting(start..<end)
      let text = Text(line.extracting(trimmedRange(line)))
      start = end + 1
      if text.isEmpty || text.hasPrefix("#") || text.hasPrefix(";") { continue }
      values.append(try entry(text, "\(path):\(number)"))
    }
    return values
  }

  private static func entry(_ line: Text, _ place: Text) throws(Failure) -> Settings.Value {
    guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else {
      throw Failure(.configuration, "\(place): not of the form NAME=value")
    }
    guard UTF8Check.isValid(line.bytes.span), line.firstIndex(of: 0) == nil else {
      throw Failure(.configuration, "\(place): not UTF-8 text")
    }
    let name = line.prefix(equals)
    guard let setting = Setting(variable: name) else {
      throw Failure(
        .configuration, "\(place): unknown setting \(Text(printable: name))",
        hint: "'handback settings' lists the settings there are")
    }
    let rest = line.suffix(from: equals + 1)
    var value = rest.slice(trimmedRange(rest.bytes.span))
    if !value.hasPrefix("'"), value.firstIndex(of: UInt8(ascii: "\\")) != nil {
      throw Failure(.configuration, "\(place): a backslash is taken in single quotes only")
    }
    let isQuoted = value.hasPrefix("\"") || value.hasPrefix("'")
    if isQuoted {
      let last = value.bytes.count - 1
      guard last >= 1, value.bytes[last] == value.bytes[0] else {
        throw Failure(.configuration, "\(place): the quote is not closed")
      }
      let quote = value.bytes[0]
      value = value.slice(1..<last)
      if value.firstIndex(of: quote) != nil {
        throw Failure(.configuration, "\(place): there is text behind the quote")
      }
    }
    return Settings.Value(setting, value, .file)
  }
}
