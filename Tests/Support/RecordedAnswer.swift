/// A good answer as it stands on the wire, to be cut and changed at every byte.
public struct RecordedAnswer: Sendable, CustomStringConvertible {
  public let description: String
  public let bytes: [UInt8]
  public let headByteCount: Int
  /// Where the word stands in the body; in between is the frame, which may be read leniently, as
  /// what it frames is compared with the word.
  private let word: [Range<Int>]
  /// So much of it is the whole answer.
  public let wholeByteCount: Int

  private init(_ name: String, fields: [String], body: String, word: [Range<Int>], tail: Int = 0) {
    let lines = ["HTTP/1.1 200 OK", "Date: Mon, 23 Nov 2026 12:00:00 GMT"] + fields
    let head = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    description = name
    bytes = head + Array(body.utf8)
    headByteCount = head.count
    self.word = word
    wholeByteCount = bytes.count - tail
  }

  public static let plain = RecordedAnswer(
    "of a given length",
    fields: [
      "Server: nginx", "Content-Type: application/json", "Content-Length: 21",
      "LicenseSignature: c2lnbmF0dXJl", "Connection: keep-alive",
    ],
    body: "\"license_deactivated\"", word: [0..<21])

  /// Behind the line of the last chunk, of no length, only trailers could come.
  public static let chunked = RecordedAnswer(
    "in chunks",
    fields: ["Content-Type: application/json", "Transfer-Encoding: chunked"],
    body: "8\r\n\"license\r\nd\r\n_deactivated\"\r\n0\r\n\r\n", word: [3..<11, 16..<29], tail: 2)

  /// Where the status stands: `200`.
  private static let status = 9..<12

  /// Whether a byte at this place is a part of what says "deactivated": the status and the word.
  public func carriesTheMeaning(at place: Int) -> Bool {
    Self.status.contains(place) || word.contains { $0.contains(place - headByteCount) }
  }
}
