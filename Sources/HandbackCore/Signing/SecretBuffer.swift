/// A growing block of secret bytes: each block that is outgrown is wiped.
@safe
public struct SecretBuffer: ~Copyable {
  public private(set) var byteCount = 0
  private let byteCountMax: Int
  private var storage: UnsafeMutableRawBufferPointer

  /// Past `byteCountMax` bytes, `append` traps: the callers' own limits add up to less.
  public init(byteCountMax: Int) {
    self.byteCountMax = byteCountMax
    unsafe storage = .allocate(byteCount: min(512, byteCountMax), alignment: 8)
  }

  deinit {
    unsafe erase(storage)
    unsafe storage.deallocate()
  }

  public mutating func append(_ byte: UInt8) {
    if unsafe byteCount == storage.count { grow() }
    unsafe storage[byteCount] = byte
    byteCount += 1
  }

  public mutating func append(_ text: Literal) {
    for index in 0..<text.byteCount {
      append(unsafe text.start[index])
    }
  }

  /// Big-endian.
  public mutating func append(_ number: Int64, byteCount: Int) {
    for index in 1...byteCount {
      append(UInt8(truncatingIfNeeded: number >> Int64((byteCount - index) * 8)))
    }
  }

  public mutating func append(_ bytes: Span<UInt8>) {
    for index in bytes.indices { append(bytes[index]) }
  }

  /// The bytes written so far, moved to a block of their own.
  public consuming func take() -> Secret {
    let written = unsafe UnsafeBufferPointer(
      start: storage.baseAddress?.assumingMemoryBound(to: UInt8.self), count: byteCount)
    return unsafe Secret(copying: Span(_unsafeElements: written))
  }

  private mutating func grow() {
    precondition(byteCount < byteCountMax, "a secret buffer is at its limit")
    let capacity = min(byteCountMax, byteCount * 2)
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 8)
    for index in 0..<byteCount { unsafe larger[index] = storage[index] }
    unsafe erase(storage)
    unsafe storage.deallocate()
    unsafe storage = larger
  }
}
