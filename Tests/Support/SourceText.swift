/// Swift source without its comments and the insides of its strings, line by line, so that a
/// search for a word finds code only.
public enum SourceText {
  public static func code(_ source: String) -> [String] {
    var scanner = Scanner(bytes: Array(source.utf8))
    scanner.run()
    return String(decoding: scanner.code, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  private struct Scanner {
    let bytes: [UInt8]
    var index = 0
    var code: [UInt8] = []

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func run() {
      while index < bytes.count {
        if starts("//") {
          while index < bytes.count, bytes[index] != 0x0A { index += 1 }
        } else if starts("/*") {
          skip(to: "*/", escapes: false)
        } else if starts("\"\"\"") {
          index += 3
          skip(to: "\"\"\"", escapes: true)
          code.append(contentsOf: "\"\"".utf8)
        } else if starts("\"") {
          index += 1
          skip(to: "\"", escapes: true)
          code.append(contentsOf: "\"\"".utf8)
        } else {
          code.append(bytes[index])
          index += 1
        }
      }
    }

    private func starts(_ text: StaticString) -> Bool {
      guard index + text.utf8CodeUnitCount <= bytes.count else { return false }
      for offset in 0..<text.utf8CodeUnitCount
      where unsafe bytes[index + offset] != text.utf8Start[offset] { return false }
      return true
    }

    /// Line breaks stay, so that lines keep their numbers.
    private mutating func skip(to end: StaticString, escapes: Bool) {
      while index < bytes.count, !starts(end) {
        if bytes[index] == 0x0A { code.append(0x0A) }
        index += escapes && bytes[index] == UInt8(ascii: "\\") ? 2 : 1
      }
      index = min(index + end.utf8CodeUnitCount, bytes.count)
    }
  }
}
