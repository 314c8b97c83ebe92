/// A path as bytes, always absolute below the root that is read.
struct HardwarePath {
  private(set) var bytes: [UInt8] = []

  init(_ text: StaticString) { append(text) }

  func appending(_ name: [UInt8]) -> HardwarePath {
    var path = self
    path.bytes.append(0x2F)
    path.bytes += name
    return path
  }

  func appending(_ text: StaticString) -> HardwarePath {
    var path = self
    path.bytes.append(0x2F)
    path.append(text)
    return path
  }

  private mutating func append(_ text: StaticString) {
    for index in 0..<text.utf8CodeUnitCount { bytes.append(unsafe text.utf8Start[index]) }
  }

  /// The path as C wants it.
  func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    unsafe withNULTerminated(bytes, body)
  }
}

/// Bytes and a NUL, for as long as `body` runs.
func withNULTerminated<Result>(
  _ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Result
) -> Result {
  var copy = bytes
  copy.append(0)
  return unsafe copy.withUnsafeBufferPointer { buffer in
    guard let base = buffer.baseAddress else { preconditionFailure("a NUL at least") }
    return unsafe body(UnsafeRawPointer(base).assumingMemoryBound(to: CChar.self))
  }
}

/// A C string's bytes, at most `byteCountMax` of them.
func bytes(of text: UnsafePointer<CChar>, byteCountMax: Int) -> [UInt8] {
  var bytes: [UInt8] = []
  while bytes.count < byteCountMax, unsafe text[bytes.count] != 0 {
    bytes.append(UInt8(bitPattern: unsafe text[bytes.count]))
  }
  return bytes
}
