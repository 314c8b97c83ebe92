/// PBKDF2-HMAC-SHA256 (RFC 8018, section 5.2) of one block: 32 bytes.
///
/// Here a work factor and no password storage: a serial number has few bits, and whoever wants
/// it back from its hash must pay `rounds` times for each guess.
public enum PBKDF2 {
  /// Derives 32 bytes; `rounds` is RFC 8018's iteration count `c`, at least 1.
  public static func derive(
    secret: Span<UInt8>, salt: Span<UInt8>, rounds: Int
  ) -> InlineArray<32, UInt8> {
    precondition(rounds >= 1, "PBKDF2 needs at least one round")
    let key = HMACSHA256Key(secret)
    var hasher = key.begin()
    hasher.update(salt)
    // > T_1 = F (P, S, c, 1): U_1 = PRF (P, S || INT (i))
    hasher.update(([0, 0, 0, 1] as InlineArray<4, UInt8>).span)
    var link = words(of: key.finish(&hasher))
    var sum = link
    let inner = key.state(at: 0)
    let outer = key.state(at: 8)
    for _ in 1..<rounds {
      link = compress(compress(link, after: inner), after: outer)
      for index in 0..<8 { sum[index] ^= link[index] }
    }
    var bytes = InlineArray<32, UInt8>(repeating: 0)
    for index in 0..<32 {
      bytes[index] = UInt8(truncatingIfNeeded: sum[index / 4] >> UInt32(24 - 8 * (index % 4)))
    }
    return bytes
  }

  /// Hashes 32 bytes that follow one block of 64: exactly one padded block, built in place, which
  /// makes a round two compressions and nothing else.
  private static func compress(
    _ message: InlineArray<8, UInt32>, after state: InlineArray<8, UInt32>
  ) -> InlineArray<8, UInt32> {
    var hasher = SHA256(state: state, messageByteCount: 64)
    for index in 0..<8 { hasher.schedule[index] = message[index] }
    hasher.schedule[8] = 0x8000_0000
    // (64 + 32) bytes in bits.
    hasher.schedule[15] = 768
    hasher.compress()
    return hasher.state
  }

  private static func words(of bytes: InlineArray<32, UInt8>) -> InlineArray<8, UInt32> {
    var words = InlineArray<8, UInt32>(repeating: 0)
    for index in 0..<32 { words[index / 4] = words[index / 4] << 8 | UInt32(bytes[index]) }
    return words
  }
}
