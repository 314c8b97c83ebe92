/// The string that the license server knows this device by: the License API's `hardware_id`.
///
/// It is the value that was sent at *activation*, so it is chosen once and pinned; it is no
/// secret and no credential.
public struct HardwareID: Sendable {
  /// At most this many bytes of UTF-8. The License API states no limit; ours keeps rows small.
  public static let byteCountMax = 256

  public let text: Text

  /// Takes 1 to 256 bytes of valid UTF-8 without control characters; anything else is `nil`.
  public init?(utf8 bytes: Span<UInt8>) {
    guard (1...Self.byteCountMax).contains(bytes.count) else { return nil }
    for index in bytes.indices where bytes[index] < 0x20 || bytes[index] == 0x7F { return nil }
    guard UTF8Check.isValid(bytes) else { return nil }
    text = Text(bytes)
  }
}
