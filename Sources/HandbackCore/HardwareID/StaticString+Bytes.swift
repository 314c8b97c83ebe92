/// Comparison by bytes: `String ==` would bring 50 KB of Unicode tables.
extension StaticString {
  /// The byte at `index`, checked.
  func byte(at index: Int) -> UInt8 {
    precondition(index >= 0 && index < utf8CodeUnitCount, "index outside of a static string")
    return unsafe utf8Start[index]
  }

  func isEqual(to text: Span<UInt8>) -> Bool {
    guard text.count == utf8CodeUnitCount else { return false }
    for index in text.indices where text[index] != byte(at: index) { return false }
    return true
  }
}
