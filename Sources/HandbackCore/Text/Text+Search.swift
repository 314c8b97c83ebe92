/// Looking for something in a text, and taking it apart; out of line, as all of `Text`.
extension Text {
  @inline(never)
  public func contains(_ text: Literal) -> Bool {
    for start in bytes.indices where has(text, at: start) { return true }
    return false
  }

  @_disfavoredOverload
  @inline(never)
  public func contains(_ text: Text) -> Bool {
    for start in bytes.indices where has(text, at: start) { return true }
    return false
  }

  /// Whether one of the words of `list`, with blanks between them, is somewhere in this.
  @inline(never)
  public func containsWord(of list: Literal) -> Bool {
    for word in Text(list).split(at: 0x20) where contains(word) { return true }
    return false
  }

  /// Whether this is one of the lines of `list`.
  public func isLine(of list: Literal) -> Bool { begins(withLineOf: list, isWhole: true) }

  /// Whether this begins with one of the lines of `list`.
  public func hasLinePrefix(of list: Literal) -> Bool {
    begins(withLineOf: list, isWhole: false)
  }

  @inline(never)
  private func begins(withLineOf list: Literal, isWhole: Bool) -> Bool {
    var offset = 0
    var isEqual = true
    var index = 0
    while true {
      let byte = unsafe list.start[index]
      if byte == 0x0A || byte == 0 {
        if isEqual, offset == bytes.count || !isWhole { return true }
        if byte == 0 { return false }
        offset = 0
        isEqual = true
      } else {
        isEqual = isEqual && offset < bytes.count && bytes[offset] == byte
        offset += 1
      }
      index += 1
    }
  }

  /// The parts between `separator`, empty ones left out.
  @inline(never)
  public func split(at separator: UInt8) -> [Text] {
    var parts: [Text] = []
    var start = 0
    for index in 0...bytes.count where index == bytes.count || bytes[index] == separator {
      if index > start { parts.append(slice(start..<index)) }
      start = index + 1
    }
    return parts
  }

  /// Byte order, for choices that must not depend on the order of enumeration.
  @inline(never)
  public func precedes(_ other: Text) -> Bool {
    for index in 0..<min(bytes.count, other.bytes.count) where bytes[index] != other.bytes[index] {
      return bytes[index] < other.bytes[index]
    }
    return bytes.count < other.bytes.count
  }

  /// This text as a folder's path, and a name below it.
  @inline(never)
  public func joining(_ name: Literal) -> Text {
    var path = self
    path.append(0x2F)
    path.append(name)
    return path
  }

  @_disfavoredOverload
  @inline(never)
  public func joining(_ name: Text) -> Text {
    var path = self
    path.append(0x2F)
    path += name
    return path
  }
}
