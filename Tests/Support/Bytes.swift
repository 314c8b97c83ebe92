import HandbackCore

// The core takes spans and gives inline arrays; tests compare arrays and strings.

extension Array where Element == UInt8 {
  public init<let count: Int>(_ bytes: InlineArray<count, UInt8>) {
    self = bytes.indices.map { bytes[$0] }
  }

  public var text: String { String(decoding: self, as: UTF8.self) }
}

extension Secret {
  public init(_ text: String) { self.init(copying: Array(text.utf8).span) }

  public borrowing func copyBytes() -> [UInt8] {
    withBytes { bytes in bytes.indices.map { bytes[$0] } }
  }
}

extension IMFFixdate {
  public var text: String { Array(bytes).text }
}
