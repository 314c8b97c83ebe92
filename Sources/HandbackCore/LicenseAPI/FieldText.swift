/// The fields of a deactivation that a person or a script gives us, with their limits.
public enum Field: Int, Sendable {
  case product, hardwareID, licenseKey, username, password, idToken, code
  case customerAccountCode, redirectURI, bundleCode, sdkVersion

  /// The License API's name of the field.
  public var name: Literal { Self.names[rawValue] }

  static var names: Literals {
    """
    product\0hardware_id\0license_key\0username\0password\0id_token\0code\0customer_account_code\0\
    redirect_uri\0bundle_code\0sdk_ver
    """
  }

  /// Bytes of UTF-8 at most. The License API states no limits: these hold what its examples and
  /// RFC 7519 tokens need, and bound a journal row.
  public var byteCountMax: Int {
    switch self {
    case .product, .bundleCode, .sdkVersion: 128
    case .hardwareID, .licenseKey, .username, .customerAccountCode: 256
    case .password: 1024
    case .redirectURI: 2048
    case .code: 4096
    case .idToken: 8192
    }
  }
}

/// What is wrong with a field's value. The value itself is never part of it.
public enum FieldError: Error, Sendable {
  case empty(Field)
  case tooLong(Field)
  case controlCharacter(Field)
  case notUTF8(Field)
}

/// A field's text: 1 byte to the field's limit, valid UTF-8, no control characters.
public struct FieldText: Sendable {
  public let text: Text

  public init(_ field: Field, utf8 bytes: Span<UInt8>) throws(FieldError) {
    try FieldText.check(field, bytes)
    text = Text(bytes)
  }

  /// Checks a value without keeping it, for secrets.
  public static func check(_ field: Field, _ bytes: Span<UInt8>) throws(FieldError) {
    guard bytes.count > 0 else { throw .empty(field) }
    guard bytes.count <= field.byteCountMax else { throw .tooLong(field) }
    for index in bytes.indices {
      let byte = bytes[index]
      if byte < 0x20 || byte == 0x7F { throw .controlCharacter(field) }
    }
    guard UTF8Check.isValid(bytes) else { throw .notUTF8(field) }
  }
}

/// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing past U+10FFFF.
public enum UTF8Check {
  public static func isValid(_ bytes: Span<UInt8>) -> Bool {
    var index = 0
    while index < bytes.count {
      let length = sequenceLength(bytes, at: index)
      if length == 0 { return false }
      index += length
    }
    return true
  }

  /// The length of the valid sequence that begins at `index`, 0 if there is none.
  public static func sequenceLength(_ bytes: Span<UInt8>, at index: Int) -> Int {
    let first = bytes[index]
    if first < 0x80 { return 1 }
    let length: Int
    var low: UInt8 = 0x80
    var high: UInt8 = 0xBF
    switch first {
    case 0xC2...0xDF: length = 2
    case 0xE0...0xEF: length = 3
    case 0xF0...0xF4: length = 4
    default: return 0
    }
    switch first {
    case 0xE0: low = 0xA0
    case 0xED: high = 0x9F
    case 0xF0: low = 0x90
    case 0xF4: high = 0x8F
    default: break
    }
    guard index + length <= bytes.count else { return 0 }
    guard (low...high).contains(bytes[index + 1]) else { return 0 }
    for offset in 2..<max(length, 2) where bytes[index + offset] & 0xC0 != 0x80 { return 0 }
    return length
  }
}
