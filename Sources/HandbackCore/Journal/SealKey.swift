/// The key that pending credentials are sealed with, and what is derived from it.
///
/// Parties: this program alone, as it queues and as it sends; both times it has the key. Who has
/// only the journal learns the length of a credential and what stands beside it in the row.
///
/// - Key: 32 random bytes, in a file as 64 hexadecimal digits. All else is HKDF-Expand of it (RFC
///   5869, SHA-256), with these words as its info:
///   `handback seal 1 key`, 32 bytes: the key of AES-256-GCM (NIST SP 800-38D);
///   `handback seal 1 check`, 8 bytes: tells which key a credential was sealed with;
///   `handback seal 1 fingerprint` and the 16 bytes of the row's plain fingerprint, 16 bytes: the
///   fingerprint in its place, as a plain one would let a weak credential be guessed.
/// - A sealed credential, in the column of a plain one: twice the byte 1, then in lower-case
///   hexadecimal digits the check (8 bytes), a random nonce (12), the ciphertext, the tag (16). No
///   plain one has control characters, so with either of the two changed it isn't taken for one.
/// - Additional data: the row's columns up to `consumptions` but for `state`, `fingerprint` and
///   `secret`, as `RowImage` has them. So what was sealed for one row is refused in another, or
///   beside another product, hardware ID or user.
/// - Limits: 2^32 credentials for one key, of all devices that share it (SP 800-38D, 8.3).
public struct SealKey: ~Copyable {
  private let root: HMACSHA256Key

  /// `nil` unless the text is 64 hexadecimal digits, in either case.
  public init?(hex text: borrowing Secret) {
    var bytes = InlineArray<32, UInt8>(repeating: 0)
    var isKey = text.byteCount == 64
    text.withBytes { digits in
      for index in 0..<min(digits.count, 64) {
        guard let digit = Text.hexDigit(digits[index]) else { return isKey = false }
        bytes[index / 2] = bytes[index / 2] << 4 | digit
      }
    }
    root = HMACSHA256Key(bytes.span)
    var span = bytes.mutableSpan
    unsafe span.withUnsafeMutableBytes { unsafe erase($0) }
    if !isKey { return nil }
  }

  /// HKDF-Expand's first block, with both as its info; whoever asks for a key wipes it.
  @inline(never)
  public func expand(_ purpose: Literal, _ context: Text = "") -> InlineArray<32, UInt8> {
    var hasher = root.begin()
    hasher.update(purpose)
    hasher.update(context.bytes.span)
    hasher.update("\u{01}" as Literal)
    return root.finish(&hasher)
  }
}

/// Why a sealed credential can't be read here. The row stays pending, and the others go on.
public enum SealProblem: Error {
  case keyMissing, keyWrong, broken

  public var name: Literal {
    switch self {
    case .keyMissing: "seal_key_missing"
    case .keyWrong: "seal_key_wrong"
    case .broken: "seal_broken"
    }
  }
}

extension Outcome {
  /// Whether it is a `SealProblem`, and nothing that the server said.
  public var isSealed: Bool { httpStatus == 0 && code?.hasPrefix("seal_") == true }
}
