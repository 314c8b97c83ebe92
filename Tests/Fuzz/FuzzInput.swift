/// Takes structured values off the front of libFuzzer's bytes.
struct FuzzInput {
  private(set) var rest: [UInt8]

  init(_ bytes: UnsafeBufferPointer<UInt8>) { rest = Array(bytes) }

  var isEmpty: Bool { rest.isEmpty }

  mutating func byte() -> UInt8 { rest.isEmpty ? 0 : rest.removeFirst() }

  /// Up to the next 0xFF, which is in no UTF-8 text, or to the end.
  mutating func piece() -> [UInt8] {
    let end = rest.firstIndex(of: 0xFF) ?? rest.count
    let piece = Array(rest[..<end])
    rest.removeFirst(min(end + 1, rest.count))
    return piece
  }
}

/// What must hold. Not `assert`: fuzzing is done on optimized code.
func require(_ condition: Bool, _ what: StaticString) {
  if !condition { fatalError("\(what)") }
}

func isPrintable(_ bytes: [UInt8]) -> Bool { bytes.allSatisfy { (0x20..<0x7F).contains($0) } }
