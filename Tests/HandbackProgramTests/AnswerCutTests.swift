import Foundation
import TestSupport
import Testing

/// The shipped program over TLS: a good answer that is cut anywhere is none.
struct AnswerCutTests {
  @Test func `an answer that is cut at any byte leaves the deactivation queued`() {
    let bytes = RecordedAnswer.plain.bytes
    let emulator = Emulator()
    let device = Device(emulator)
    let places = Share.of(bytes.indices)
    var faults: [[String: Any]] = places.enumerated().map { index, place in
      [
        "kind": "raw", "answer": Array(bytes[..<place]).text,
        // The two ways a connection ends.
        "end": index.isMultiple(of: 2) ? "fin" : "reset",
      ]
    }
    // The proof that it was the cuts: the same answer, whole.
    faults.append(["kind": "raw", "answer": bytes.text, "act": true])
    emulator.control("/faults", faults)
    #expect(device.run("deactivate").output.contains("queued"))
    for place in places.dropFirst() {
      let result = device.run("flush")
      #expect(
        result.output.hasSuffix("0 deactivated, 0 rejected, 1 pending\n"), "\(place): \(result)")
    }
    #expect(device.json("status")["pending"] as? Int == 1)
    #expect(emulator.count("requests") == places.count)
    let result = device.run("flush")
    #expect(result.output.contains("deactivated"), "\(result)")
    #expect(emulator.count("successes") == 1)
  }
}
