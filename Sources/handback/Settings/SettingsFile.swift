internal import HandbackCore
internal import HandbackLinux

/// The settings file, in the syntax of systemd's `EnvironmentFile=`: lines `NAME=value`, the value
/// plain or in single or double quotes; empty lines and lines that begin with `#` or `;` are
/// passed over. Line continuation and escapes are not taken: no setting needs them.
enum SettingsFile {
  static func read(_ path: String, mustExist: Bool) throws(Failure) -> [Arguments.Flag] {
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

  private static func failure(_ error: TextFile.Failure, _ path: String) -> Failure {
    let head: Line = "cannot read the settings file \(path): "
    switch error {
    case .missing: return Failure(.configuration, head + "no such file")
    case .cannotRead(let code):
      return Failure(.configuration, "\(head)\(Process.description(ofErrno: code))")
    case .notAFile: return Failure(.configuration, head + "not a regular file")
    case .writableByOthers:
      return Failure(
        .configuration, "refusing the settings file \(path): everybody can write it",
        hint: "chmod o-w \(path)")
    case .tooLarge: return Failure(.configuration, head + "larger than 64 KiB")
    }
  }

  static func parse(_ bytes: [UInt8], _ path: String) throws(Failure) -> [Arguments.Flag] {
    var flags: [Arguments.Flag] = []
    var number = 0
    for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
      number += 1
      let text = Array(line)
      let range = trimmedRange(text.span)
      guard !range.isEmpty else { continue }
      let first = text[range.lowerBound]
      if first == UInt8(ascii: "#") || first == UInt8(ascii: ";") { continue }
      flags.append(try entry(Array(text[range]), "\(path):\(number)"))
    }
    return flags
  }

  private static func entry(_ line: [UInt8], _ place: Line) throws(Failure) -> Arguments.Flag {
    guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else {
      throw Failure(.configuration, "\(place): not of the form NAME=value")
    }
    guard String(validating: line, as: UTF8.self) != nil, !line.contains(0) else {
      throw Failure(.configuration, "\(place): not UTF-8 text")
    }
    let name = String(decoding: line[0..<equals], as: UTF8.self)
    guard let setting = Setting(variable: name) else {
      throw Failure(
        .configuration, "\(place): unknown setting \(printable(line.span.extracting(0..<equals)))",
        hint: "'handback settings' lists the settings there are")
    }
    var value = Array(line[(equals + 1)...])
    let quote = value.first ?? 0
    if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
      guard value.count >= 2, value.last == quote else {
        throw Failure(.configuration, "\(place): the quote is not closed")
      }
      value = Array(value[1..<(value.count - 1)])
    }
    return Arguments.Flag(setting: setting, value: String(decoding: value, as: UTF8.self))
  }
}
