internal import CCurl
internal import HandbackCore

/// What one transfer's callbacks write into. A class, since libcurl holds a pointer to it.
final class CurlReceiver {
  var answer = Answer(status: 0)
  var isTooLarge = false
  /// How often the request was written: on a kept connection that turns out dead, libcurl writes
  /// it once more by itself.
  var sendCount = 0
  private var fieldByteCount = 0

  static let fieldByteCountMax = 16 * 1024

  func begin() {
    answer = Answer(status: 0)
    isTooLarge = false
    sendCount = 0
    fieldByteCount = 0
  }

  /// Takes one header line; `false` ends the transfer.
  func takeField(_ line: Span<UInt8>) -> Bool {
    fieldByteCount += line.count
    guard fieldByteCount <= Self.fieldByteCountMax else {
      isTooLarge = true
      return false
    }
    // A status line: what came before was an interim response (1xx).
    if line.count >= 5, matches("HTTP/", line.extracting(0..<5)) {
      // Older libcurl (7.74 does) takes any version, and for a status what digits there are.
      guard line.count > 12, line[5] == UInt8(ascii: "1"), Decimal.isDigit(line[10]),
        Decimal.isDigit(line[11])
      else { return false }
      answer = Answer(status: 0)
    } else {
      answer.addField(line)
    }
    return true
  }

  func takeBody(_ bytes: Span<UInt8>) -> Bool {
    guard answer.appendBody(bytes) else {
      isTooLarge = true
      return false
    }
    return true
  }

  static let fieldCallback: ccurl_receive = { bytes, size, count, receiver in
    unsafe CurlReceiver.receive(bytes, size * count, receiver) { $0.takeField($1) }
  }

  static let bodyCallback: ccurl_receive = { bytes, size, count, receiver in
    unsafe CurlReceiver.receive(bytes, size * count, receiver) { $0.takeBody($1) }
  }

  static let debugCallback: ccurl_debug = { _, type, bytes, _, receiver in
    // A proxy's CONNECT isn't the request: what the proxy refuses never reached the server.
    if type == CURLINFO_HEADER_OUT, let receiver = unsafe receiver,
      unsafe bytes?.pointee != CChar(bitPattern: UInt8(ascii: "C"))
    {
      unsafe Unmanaged<CurlReceiver>.fromOpaque(receiver).takeUnretainedValue().sendCount += 1
    }
    return 0
  }

  /// Returns what was taken; fewer bytes than given makes libcurl end the transfer.
  private static func receive(
    _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ receiver: UnsafeMutableRawPointer?,
    _ take: (CurlReceiver, Span<UInt8>) -> Bool
  ) -> Int {
    guard let bytes = unsafe bytes, let receiver = unsafe receiver else { return 0 }
    // The transport keeps the receiver alive for longer than the transfer.
    let target = unsafe Unmanaged<CurlReceiver>.fromOpaque(receiver).takeUnretainedValue()
    let buffer = unsafe UnsafeBufferPointer(
      start: UnsafeRawPointer(bytes).assumingMemoryBound(to: UInt8.self), count: count)
    return take(target, unsafe Span(_unsafeElements: buffer)) ? count : 0
  }
}
