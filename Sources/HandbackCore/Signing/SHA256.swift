/// SHA-256 (FIPS 180-4, section 6.2), one message at a time, without heap allocation.
///
/// All that depends on the message, the schedule included, lives in this value and not on the
/// stack of a callee, so that `wipe()` reaches it.
public struct SHA256: ~Copyable {
  public static let digestByteCount = 32
  public static let blockByteCount = 64

  /// The hash value H, section 6.2.1.
  var state: InlineArray<8, UInt32>
  /// The last 16 words of the message schedule W; at first, the block's own words.
  var schedule: InlineArray<16, UInt32>
  private var blockFill: Int
  private var messageByteCount: UInt64

  public init() {
    self.init(state: Self.initialState, messageByteCount: 0)
  }

  /// Continues from a state that absorbed `messageByteCount` bytes, a multiple of 64.
  init(state: InlineArray<8, UInt32>, messageByteCount: UInt64) {
    precondition(messageByteCount % 64 == 0, "a hash state stands at a block boundary")
    self.state = state
    self.schedule = InlineArray(repeating: 0)
    self.blockFill = 0
    self.messageByteCount = messageByteCount
  }

  public mutating func update(_ bytes: Span<UInt8>) {
    for index in bytes.indices { append(bytes[index]) }
    messageByteCount &+= UInt64(bytes.count)
  }

  public mutating func update(_ text: Literal) {
    for index in 0..<text.byteCount {
      append(unsafe text.start[index])
    }
    messageByteCount &+= UInt64(text.byteCount)
  }

  /// The digest, 32 bytes.
  public consuming func finalize() -> InlineArray<32, UInt8> {
    close()
    return digest
  }

  /// Pads the message and hashes its last block (section 5.1.1).
  mutating func close() {
    let bitCount = messageByteCount &* 8
    append(0x80)
    while blockFill != 56 { append(0) }
    for shift in stride(from: 56, through: 0, by: -8) {
      append(UInt8(truncatingIfNeeded: bitCount >> UInt64(shift)))
    }
  }

  /// The state as bytes, big-endian: the digest, once the message is closed.
  var digest: InlineArray<32, UInt8> {
    var bytes = InlineArray<32, UInt8>(repeating: 0)
    for index in 0..<32 {
      bytes[index] = UInt8(truncatingIfNeeded: state[index / 4] >> UInt32(24 - 8 * (index % 4)))
    }
    return bytes
  }

  /// Overwrites all that was derived from the message.
  mutating func wipe() {
    eraseWords(&state)
    eraseWords(&schedule)
  }

  private mutating func append(_ byte: UInt8) {
    schedule[blockFill / 4] = schedule[blockFill / 4] << 8 | UInt32(byte)
    blockFill += 1
    if blockFill == Self.blockByteCount {
      compress()
      blockFill = 0
    }
  }

  /// Section 6.2.2, with the schedule kept in a ring of 16 words.
  mutating func compress() {
    var a = state[0]
    var b = state[1]
    var c = state[2]
    var d = state[3]
    var e = state[4]
    var f = state[5]
    var g = state[6]
    var h = state[7]
    for t in 0..<64 {
      if t >= 16 { extendSchedule(t) }
      let sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
      let choice = (e & f) ^ (~e & g)
      let first = h &+ sum1 &+ choice &+ Self.constants[t] &+ schedule[t & 15]
      let sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
      let majority = (a & b) ^ (a & c) ^ (b & c)
      h = g
      g = f
      f = e
      e = d &+ first
      d = c
      c = b
      b = a
      a = first &+ sum0 &+ majority
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
    state[4] &+= e
    state[5] &+= f
    state[6] &+= g
    state[7] &+= h
  }

  private mutating func extendSchedule(_ t: Int) {
    let back15 = schedule[(t &+ 1) & 15]
    let back2 = schedule[(t &+ 14) & 15]
    let sigma0 = rotate(back15, 7) ^ rotate(back15, 18) ^ (back15 >> 3)
    let sigma1 = rotate(back2, 17) ^ rotate(back2, 19) ^ (back2 >> 10)
    schedule[t & 15] = schedule[t & 15] &+ sigma0 &+ schedule[(t &+ 9) & 15] &+ sigma1
  }

  /// Section 5.3.3.
  private static let initialState: InlineArray<8, UInt32> = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a,
    0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]

  /// Section 4.2.2: the first 32 bits of the fractional parts of the first 64 primes' cube roots.
  private static let constants: InlineArray<64, UInt32> = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4,
    0xab1c_5ed5, 0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe,
    0x9bdc_06a7, 0xc19b_f174, 0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f,
    0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da, 0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7,
    0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967, 0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc,
    0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85, 0xa2bf_e8a1, 0xa81a_664b,
    0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070, 0x19a4_c116,
    0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7,
    0xc671_78f2,
  ]
}

@inline(__always)
private func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
  word >> count | word << (32 &- count)
}

private func eraseWords<let count: Int>(_ words: inout InlineArray<count, UInt32>) {
  var span = words.mutableSpan
  unsafe span.withUnsafeMutableBytes { unsafe erase($0) }
}
