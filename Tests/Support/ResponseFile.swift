import Foundation

/// A vector file of NIST's form: `Name = value` lines, `# comments`, a `[Section = value]`, and
/// records that begin with `first`.
public struct ResponseFile {
  public struct Problem: Error, CustomStringConvertible {
    public let description: String
  }

  public private(set) var records: [[String: String]] = []
  /// What stands before the first record.
  public private(set) var head: [String: String] = [:]

  /// Names that are neither in `names` nor in `headNames` are a mistake in the file or here.
  public init(
    _ url: URL, first: String, names: Set<String>, headNames: Set<String> = []
  ) throws {
    let text = try String(contentsOf: url, encoding: .utf8)
    for line in text.split(whereSeparator: \.isNewline) {
      let line = line.trimmingCharacters(in: CharacterSet(charactersIn: " \t[]"))
      if line.isEmpty || line.hasPrefix("#") { continue }
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw Problem(description: "\(url.path): \(line)") }
      let name = parts[0].trimmingCharacters(in: .whitespaces)
      let value = parts[1].trimmingCharacters(in: .whitespaces)
      if name == first { records.append([:]) }
      if records.isEmpty, headNames.contains(name) {
        head[name] = value
      } else if !records.isEmpty, names.contains(name) {
        records[records.count - 1][name] = value
      } else {
        throw Problem(description: "\(url.path): unknown name '\(name)'")
      }
    }
  }
}

extension [String: String] {
  /// A value of hexadecimal digits.
  public func bytes(_ name: String) throws -> [UInt8] {
    guard let text = self[name], let bytes = Hex.bytes(text) else {
      throw ResponseFile.Problem(description: "no hexadecimal '\(name)'")
    }
    return bytes
  }
}
