/// How `hb1` hides what it is made of. Frozen: a change here would be `hb2`.
///
/// - Message: for each of `hb1`, the label and the fields, its length as four big-endian bytes and
///   its bytes; so no separator can be forged.
/// - Hash: PBKDF2-HMAC-SHA256 of the message, salt `handback hb1 id` for the ID and
///   `handback hb1 component` for components, so that one never equals the other, nor what another
///   product makes of the same serial.
/// - Rounds: 8,192. A serial has few bits and the salt is no secret, so the rounds are all that
///   makes guessing dear: the 2^24 addresses of one maker cost 14 hours of a server core instead
///   of three seconds. A device pays for its ID and each component; one value takes 73 million
///   ARM instructions (counted under QEMU), some 130 ms on a 700 MHz ARM11, which has three or
///   four of them, and 4 ms on a server.
/// - Not a credential: whoever knows the serial can make the ID.
enum IdentityHash {
  static let rounds = 8192

  enum Purpose {
    case id
    case component

    var salt: Literal {
      switch self {
      case .id: "handback hb1 id"
      case .component: "handback hb1 component"
      }
    }
  }

  static func digest(
    _ purpose: Purpose, label: Literal, fields: [Text]
  ) -> InlineArray<32, UInt8> {
    var message = Text()
    append(Text("hb1"), to: &message)
    append(Text(label), to: &message)
    for field in fields { append(field, to: &message) }
    let salt = Text(purpose.salt)
    return PBKDF2.derive(secret: message.bytes.span, salt: salt.bytes.span, rounds: rounds)
  }

  private static func append(_ field: Text, to message: inout Text) {
    let count = UInt32(field.bytes.count)
    for shift: UInt32 in [24, 16, 8, 0] {
      message.append(UInt8(truncatingIfNeeded: count >> shift))
    }
    message += field
  }
}
