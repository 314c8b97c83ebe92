import HandbackCore

/// The way to C and back.
extension HardwareText {
  /// The bytes and a NUL, for as long as `body` runs.
  @inline(never)
  func withCString(_ body: (UnsafePointer<CChar>) -> Int) -> Int {
    var copy = bytes
    copy.append(0)
    return unsafe copy.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { preconditionFailure("a NUL at least") }
      return unsafe body(UnsafeRawPointer(base).assumingMemoryBound(to: CChar.self))
    }
  }

  /// A C string's bytes, at most `byteCountMax` of them.
  @inline(never)
  init(copying text: UnsafePointer<CChar>) {
    self.init()
    while byteCount < Self.byteCountMax, unsafe text[byteCount] != 0 {
      append(UInt8(bitPattern: unsafe text[byteCount]))
    }
  }
}
