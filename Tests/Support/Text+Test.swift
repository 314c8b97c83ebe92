import HandbackCore

/// Tests compare text with plain strings.
extension Text {
  public var utf8: [UInt8] { bytes }

  public static func == (text: Text, string: String) -> Bool {
    text.bytes.elementsEqual(string.utf8)
  }
}

extension Text? {
  public static func == (text: Text?, string: String) -> Bool {
    text.map { $0.bytes.elementsEqual(string.utf8) } ?? false
  }
}

extension FieldText {
  public var string: String { text.string }
}
