/// Looking for something in a text, and taking it apart; out of line, as all of `Text`.
extension Text {
  @inline(never)
  public func contains(_ text: StaticString) -> Bool {
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
  public func containsWord(of list: StaticString) -> Bool {
    for word in Text(list).split(at: 0x20) where contains(word) { return true }
    return false
  }

  /// Whether this is one of the lines of `list`.
  public func isLine(of list: StaticString) -> Bool { begins(withLineOf: list, isWhole: true) }

  /// Whether this begins with one of the lines of `list`.
  public func hasLinePrefix(of list: StaticString) -> Bool {
    begins(withLineOf: list, isWhole: false)
  }

  @inline(never)
  private func begins(withLineOf list: StaticString, isWhole: Bool) -> Bool {
    var offset = 0
    var isEqual = true
    for index in 0...list.utf8CodeUnitCount {
      let byte = index < list.utf8CodeUnitCount ? list.byte(at: index) : 0x0A
      if byte == 0x0A {
        if isEqual, offset == bytes.count || !isWhole { return true }
        offset = 0
        isEqual = true
      } else {
        if offset >= bytes.count || bytes[offset] != byte { isEqual = false }
        offset += 1
      }
    }
    return false
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
  public func joining(_ name: StaticString) -> Text {
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

extension StaticString {
  /// The byte at `index`, checked.
  func byte(at index: Int) -> UInt8 {
    precondition(index >= 0 && index < utf8CodeUnitCount, "index outside of a static string")
    return unsafe utf8Start[index]
  }
}
