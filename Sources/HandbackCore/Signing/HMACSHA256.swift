/// A key of HMAC-SHA256 (RFC 2104, FIPS 198-1), absorbed once.
///
/// Only the two hash states that follow from the key are kept, in a heap block that is wiped on
/// release; authenticating a message then allocates nothing.
@safe
public struct HMACSHA256Key: ~Copyable {
  /// The inner state's 8 words, then the outer one's.
  private let states: UnsafeMutableBufferPointer<UInt32>

  /// Absorbs `key`, of any length; RFC 2104 hashes a key longer than a block first.
  public init(_ key: Span<UInt8>) {
    unsafe states = .allocate(capacity: 16)
    var block = InlineArray<64, UInt8>(repeating: 0)
    if key.count > SHA256.blockByteCount {
      var hasher = SHA256()
      hasher.update(key)
      hasher.close()
      for index in 0..<SHA256.digestByteCount {
        block[index] = UInt8(
          truncatingIfNeeded: hasher.state[index / 4] >> UInt32(24 - 8 * (index % 4)))
      }
      hasher.wipe()
    } else {
      for index in key.indices { block[index] = key[index] }
    }
    absorb(&block, pad: 0x36, at: 0)
    // The block holds key ^ 0x36 now; 0x36 ^ 0x5c turns that into key ^ 0x5c.
    absorb(&block, pad: 0x36 ^ 0x5c, at: 8)
    var span = block.mutableSpan
    unsafe span.withUnsafeMutableBytes { unsafe erase($0) }
  }

  deinit {
    unsafe erase(UnsafeMutableRawBufferPointer(states))
    unsafe states.deallocate()
  }

  /// The authentication code of one message, 32 bytes.
  public borrowing func authenticate(_ message: Span<UInt8>) -> InlineArray<32, UInt8> {
    var hasher = begin()
    hasher.update(message)
    return finish(&hasher)
  }

  /// The inner hash, ready for the message's pieces.
  borrowing func begin() -> SHA256 {
    SHA256(state: state(at: 0), messageByteCount: UInt64(SHA256.blockByteCount))
  }

  /// Ends what `begin()` began, and wipes it.
  borrowing func finish(_ inner: inout SHA256) -> InlineArray<32, UInt8> {
    inner.close()
    var outer = SHA256(state: state(at: 8), messageByteCount: UInt64(SHA256.blockByteCount))
    outer.update(inner.digest.span)
    outer.close()
    let code = outer.digest
    inner.wipe()
    outer.wipe()
    return code
  }

  borrowing func state(at offset: Int) -> InlineArray<8, UInt32> {
    var words = InlineArray<8, UInt32>(repeating: 0)
    for index in 0..<8 { words[index] = unsafe states[offset + index] }
    return words
  }

  private borrowing func absorb(
    _ block: inout InlineArray<64, UInt8>, pad: UInt8, at offset: Int
  ) {
    for index in 0..<64 { block[index] ^= pad }
    var hasher = SHA256()
    hasher.update(block.span)
    for index in 0..<8 { unsafe states[offset + index] = hasher.state[index] }
    hasher.wipe()
  }
}
