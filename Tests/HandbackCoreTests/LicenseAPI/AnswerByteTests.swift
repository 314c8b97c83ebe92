import TestSupport
import Testing

@testable import HandbackCore

/// One byte changed, at every place and to every value: nothing but the whole word says
/// "deactivated". What libcurl makes of the bytes around it is tested with libcurl.
struct AnswerByteTests {
  private static let fields = [
    "Date: Mon, 23 Nov 2026 12:00:00 GMT", "Content-Type: application/json",
    "LicenseSignature: c2lnbmF0dXJl", "Retry-After: 120",
  ]

  /// With an attempt on record, as that makes the most of an answer.
  private static func verdict(_ status: Int, _ body: [UInt8], _ fields: [[UInt8]] = []) -> Verdict {
    var answer = Answer(status: status)
    for field in fields { answer.addField(field.span) }
    precondition(answer.appendBody(body.span))
    return Verdict.judge(answer, hasUnansweredAttempt: true)
  }

  private static func changed(_ bytes: [UInt8], _ check: (Int, [UInt8]) -> Void) {
    for place in bytes.indices {
      for value in UInt8.min...UInt8.max where value != bytes[place] {
        var copy = bytes
        copy[place] = value
        check(place, copy)
      }
    }
  }

  @Test(arguments: ["license_deactivated", "\"license_deactivated\""])
  func `no other word is taken for success`(word: String) {
    let body = Array(word.utf8)
    #expect(Self.verdict(200, body) == .deactivated)
    Self.changed(body) { place, body in
      if Self.verdict(200, body) != .notOurServer { Issue.record("\(place): \(body.text)") }
    }
    for place in body.indices {
      #expect(Self.verdict(200, Array(body[..<place])) == .notOurServer)
      #expect(Self.verdict(200, Array(body[(place + 1)...])) == .notOurServer)
    }
  }

  @Test func `no other status is taken for success`() {
    let body = Array("license_deactivated".utf8)
    for status in -1...1000 {
      #expect((Self.verdict(status, body) == .deactivated) == (status == 200))
    }
  }

  @Test(arguments: fields)
  func `no field makes or breaks a success`(field: String) {
    let word = Array("license_deactivated".utf8)
    let other = Array("license_activated".utf8)
    Self.changed(Array(field.utf8)) { place, field in
      if Self.verdict(200, word, [field]) != .deactivated { Issue.record("\(place): \(field)") }
      if Self.verdict(200, other, [field]) != .notOurServer { Issue.record("\(place): \(field)") }
    }
  }

  /// The other word for success: "no such device", after an attempt without an answer.
  @Test(arguments: ["device_not_found", "license_not_active"])
  func `success is inferred from a whole code alone`(code: String) {
    let head = "{\"status\": 400, "
    let member = "\"code\":\"\(code)\""
    let body = Array((head + member + ", \"message\": \"no\"}").utf8)
    let meaning = head.utf8.count..<(head.utf8.count + member.utf8.count)
    #expect(Self.verdict(400, body) == .deactivatedInferred)
    Self.changed(body) { place, body in
      let verdict = Self.verdict(400, body)
      if verdict == .rejected || verdict.isSuccess && meaning.contains(place) {
        Issue.record("\(place): \(body.text)")
      }
    }
  }

  @Test(arguments: ["license_not_found", "signature_mismatch", "internal_error"])
  func `no refusal becomes a success`(code: String) {
    let body = Array("{\"status\": 400, \"code\": \"\(code)\", \"message\": \"no\"}".utf8)
    Self.changed(body) { place, body in
      if Self.verdict(400, body).isSuccess { Issue.record("\(place): \(body.text)") }
    }
  }
}

extension Verdict {
  fileprivate var isSuccess: Bool { self == .deactivated || self == .deactivatedInferred }
}
