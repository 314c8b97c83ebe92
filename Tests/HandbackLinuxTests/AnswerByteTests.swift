import HandbackCore
import HandbackLinux
import TestSupport
import Testing

/// A good answer cut at every byte, and changed in every bit, on its way through libcurl: never a
/// false "deactivated".
struct AnswerByteTests {
  struct Change {
    let place: Int
    let bytes: [UInt8]
    let isCut: Bool
  }

  /// Every cut, and every bit turned.
  private static func changes(_ answer: RecordedAnswer) -> [Change] {
    let bytes = answer.bytes
    var changes: [Change] = []
    for place in bytes.indices {
      changes.append(Change(place: place, bytes: Array(bytes[..<place]), isCut: true))
      for bit in 0..<8 {
        var copy = bytes
        copy[place] ^= 1 << bit
        changes.append(Change(place: place, bytes: copy, isCut: false))
      }
    }
    return changes
  }

  @Test(arguments: [RecordedAnswer.plain, .chunked])
  func `takes no answer for good that isn't whole`(answer: RecordedAnswer) throws {
    let emulator = Emulator("--plain")
    let transport = try CurlTransport(
      TransportOptions(
        baseURL: Text(emulator.plainURL), authorityFile: nil, allowsPlainHTTP: true, isDirect: true,
        isTokenDirect: false,
        connectTimeoutMilliseconds: 10_000, timeoutMilliseconds: 10_000))
    #expect(try isTaken(answer.bytes, emulator, transport), "the whole answer")
    let changes = Self.changes(answer)
    var takenCount = 0
    // A list of faults is searched from its start for each request.
    for start in stride(from: 0, to: changes.count, by: 200) {
      let part = changes[start..<min(start + 200, changes.count)]
      emulator.control(
        "/faults",
        part.enumerated().map { number, change in Self.fault("KEY-\(number)", change.bytes) })
      for (number, change) in part.enumerated() where try isTaken("KEY-\(number)", transport) {
        takenCount += 1
        let wasWhole =
          change.isCut
          ? change.place >= answer.wholeByteCount : !answer.carriesTheMeaning(at: change.place)
        #expect(wasWhole, "\(change.place): \(change.bytes.text)")
      }
    }
    // Most of the header may say what it likes.
    #expect(takenCount > answer.headByteCount * 8 / 2)
    #expect(emulator.count("successes") == 0)
  }

  private static func fault(_ key: String, _ bytes: [UInt8]) -> [String: Any] {
    [
      "kind": "raw", "count": -1, "match": ["license_key": key],
      "answer": String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) })),
    ]
  }

  private func isTaken(
    _ bytes: [UInt8], _ emulator: Emulator, _ transport: CurlTransport
  ) throws -> Bool {
    emulator.control("/faults", [Self.fault("KEY", bytes)])
    return try isTaken("KEY", transport)
  }

  /// One pass over a journal with this license alone: whether it says "deactivated".
  private func isTaken(_ key: String, _ transport: CurlTransport) throws -> Bool {
    var journal = MemoryJournal([SampleLicense(.key(key))])
    let signer = try RequestSigner(
      apiKey: Secret(copying: Array("api".utf8).span),
      sharedKey: Secret(copying: Array("shared".utf8).span))
    var flusher = Flusher(authorizer: .signature(signer), rules: FlushRules())
    while true {
      switch try flusher.step(&journal, at: SystemClock.now()) {
      case .finished: return journal.row(1).ending == .deactivated
      case .pause: break
      case .passed: Issue.record("nothing is sealed here")
      case .send(let exchange):
        let result = transport.perform(exchange, watching: []) { _ in false }
        _ = try flusher.receive(result, &journal, at: SystemClock.now(), random: 1)
      }
    }
  }
}
