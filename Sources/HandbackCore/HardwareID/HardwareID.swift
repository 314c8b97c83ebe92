/// The string that the license server knows this device by: the License API's `hardware_id`.
///
/// It is the value that was sent at *activation*, so it is chosen once and pinned; it is no
/// secret and no credential.
public struct HardwareID: Sendable {
  /// At most this many bytes of UTF-8. The License API states no limit; ours keeps rows small.
  public static let byteCountMax = 256

  public let text: String

  /// Takes 1 to 256 bytes of valid UTF-8 without control characters; anything else is `nil`.
  public init?(utf8 bytes: Span<UInt8>) {
    guard (1...Self.byteCountMax).contains(bytes.count) else { return nil }
    var copy: [UInt8] = []
    copy.reserveCapacity(bytes.count)
    for index in bytes.indices {
      let byte = bytes[index]
      if byte < 0x20 || byte == 0x7F { return nil }
      copy.append(byte)
    }
    guard let text = String(validating: copy, as: UTF8.self) else { return nil }
    self.text = text
  }
}
