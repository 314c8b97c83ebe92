/// One component of a device, hashed: what a record keeps of it, and what two devices may be
/// compared by.
public struct ComponentToken: Sendable {
  /// 16 characters of five bits: 80 bits, so that no two devices of a fleet share one by chance.
  public static let characterCount = 16
  /// The first characters, shown to people: enough to tell two devices on a desk apart.
  public static let markCharacterCount = 4

  public let source: HardwareIDSource
  public let text: InlineArray<16, UInt8>

  init(_ reading: HardwareReading) {
    source = reading.source
    let digest = IdentityHash.digest(
      .component, label: reading.source.group, fields: reading.fields)
    let symbols = IdentityText.symbols(of: digest)
    var text = InlineArray<16, UInt8>(repeating: 0)
    for index in 0..<Self.characterCount {
      text[index] = IdentityText.alphabet.byte(at: Int(symbols[index]))
    }
    self.text = text
  }

  init(_ source: HardwareIDSource, text: InlineArray<16, UInt8>) {
    self.source = source
    self.text = text
  }

  @inline(never)
  func isIn(_ tokens: [ComponentToken]) -> Bool {
    for token in tokens where agrees(with: token) { return true }
    return false
  }

  /// The same value in the same kind of place.
  @inline(never)
  func agrees(with other: ComponentToken) -> Bool {
    guard source.family == other.source.family else { return false }
    for index in text.indices where text[index] != other.text[index] { return false }
    return true
  }
}

/// The components that a record was pinned with, the anchor marked.
///
/// As text, for the journal: `*product-serial=0123456789abcdef board-serial=…`, one blank between
/// two, in the order of the ranking.
public struct ComponentTokens: Sendable {
  /// A record never holds more; a survey reads fewer parts of a kind than that.
  public static let countMax = 32

  public internal(set) var tokens: [ComponentToken] = []
  /// Which of them the ID is made of; `nil` if the ID is made of no hardware.
  public internal(set) var anchorIndex: Int?

  init() {}

  public var anchor: ComponentToken? {
    guard let anchorIndex else { return nil }
    return tokens[anchorIndex]
  }

  public func encoded() -> Text {
    var text = Text()
    for index in tokens.indices {
      if index > 0 { text.append(0x20) }
      if index == anchorIndex { text.append(0x2A) }
      text.append(tokens[index].source.name)
      text.append(0x3D)
      text.append(tokens[index].text.span)
    }
    return text
  }

  /// `nil` for anything that `encoded()` does not write.
  public init?(encoded text: Span<UInt8>) {
    var start = 0
    if text.count == 0 { return }
    for index in 0...text.count where index == text.count || text[index] == 0x20 {
      guard tokens.count < Self.countMax else { return nil }
      if start < index, text[start] == 0x2A {
        guard anchorIndex == nil else { return nil }
        anchorIndex = tokens.count
        start += 1
      }
      let nameEnd = index - ComponentToken.characterCount - 1
      guard nameEnd > start, text[nameEnd] == 0x3D,
        let source = HardwareIDSource(utf8: text.extracting(start..<nameEnd))
      else { return nil }
      var token = InlineArray<16, UInt8>(repeating: 0)
      for offset in 0..<ComponentToken.characterCount {
        let character = text[nameEnd + 1 + offset]
        guard Self.isInAlphabet(character) else { return nil }
        token[offset] = character
      }
      tokens.append(ComponentToken(source, text: token))
      start = index + 1
    }
  }

  private static func isInAlphabet(_ character: UInt8) -> Bool {
    for index in 0..<32 where IdentityText.alphabet.byte(at: index) == character { return true }
    return false
  }
}
