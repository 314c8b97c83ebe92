import HandbackCore
import TestSupport
import Testing

/// The tables of the README's "How it works", row for row.
struct VerdictTests {
  struct Row: CustomTestStringConvertible, Sendable {
    let name: String
    let answer: Answer
    let first: Verdict
    let again: Verdict
    let mayHaveActed: Bool
    var testDescription: String { name }

    init(
      _ name: String, _ answer: Answer, _ first: Verdict, again: Verdict? = nil,
      mayHaveActed: Bool = false
    ) {
      self.name = name
      self.answer = answer
      self.first = first
      self.again = again ?? first
      self.mayHaveActed = mayHaveActed
    }
  }

  private static let html = ["Content-Type: text/html; charset=utf-8"]

  static let statusRows = [
    Row("200 and the word", Answer(200, "license_deactivated"), .deactivated, mayHaveActed: true),
    Row(
      "200 and the word quoted", Answer(200, " \"license_deactivated\"\r\n"), .deactivated,
      mayHaveActed: true),
    Row("200 empty", Answer(200), .notOurServer, mayHaveActed: true),
    Row("200 and another word", Answer(200, "license_active"), .notOurServer, mayHaveActed: true),
    Row(
      "200 and the word in an object", Answer(200, "{\"status\":\"license_deactivated\"}"),
      .notOurServer, mayHaveActed: true),
    Row("200 and a portal", Answer(200, "<html>Welcome</html>"), .notOurServer),
    Row("200 and a portal by name", Answer(200, "Welcome", fields: html), .notOurServer),
    Row(
      "200 and an error object", .error(200, "device_not_found"), .notOurServer,
      mayHaveActed: true),
    Row("201 and the word", Answer(201, "license_deactivated"), .notOurServer, mayHaveActed: true),
    Row("204", Answer(204), .notOurServer, mayHaveActed: true),
    Row("301", Answer(301, "", fields: ["Location: https://portal/"]), .notOurServer),
    Row("302 and the word", Answer(302, "license_deactivated"), .notOurServer),
    Row("304", Answer(304), .notOurServer),
    Row("307", Answer(307), .notOurServer),
    Row("400 empty", Answer(400), .held(.everything)),
    Row("400 and HTML", Answer(400, "<html>", fields: html), .notOurServer),
    Row("400 without a code", Answer(400, "{\"status\":400}"), .held(.everything)),
    Row("400 and a code of a later API", .error(400, "moon_phase"), .held(.deactivation)),
    Row("401 empty", Answer(401), .held(.everything)),
    Row("401 and HTML", Answer(401, "<html>"), .notOurServer),
    Row("401 and a code of a later API", .error(401, "moon_phase"), .held(.deactivation)),
    Row("403 empty", Answer(403), .held(.everything)),
    Row("403 and HTML", Answer(403, "<html>"), .notOurServer),
    Row("404 without a code", Answer(404), .held(.everything)),
    Row("404 and HTML", Answer(404, "<html>"), .notOurServer),
    Row("405", Answer(405), .held(.everything)),
    Row("407", Answer(407), .notOurServer),
    Row("408", Answer(408), .later(.deactivation)),
    Row("425", Answer(425), .later(.deactivation)),
    Row("429", Answer(429), .later(.everything)),
    Row("429 and HTML", Answer(429, "<html>", fields: html), .later(.everything)),
    Row("429 and an unknown code", .error(429, "too_many_requests"), .later(.everything)),
    Row("499 and an unknown code", .error(499, "moon_phase"), .held(.deactivation)),
    Row("500", Answer(500), .later(.deactivation), mayHaveActed: true),
    Row("500 and HTML", Answer(500, "<html>"), .later(.deactivation), mayHaveActed: true),
    Row("501", Answer(501), .later(.deactivation)),
    Row("502", Answer(502, "<html>"), .later(.deactivation), mayHaveActed: true),
    Row("503", Answer(503), .later(.deactivation)),
    Row(
      "503 with Retry-After", Answer(503, "", fields: ["Retry-After: 9"]), .later(.everything)),
    Row("504", Answer(504), .later(.deactivation), mayHaveActed: true),
    Row("511", Answer(511), .notOurServer),
    Row("520", Answer(520), .later(.deactivation), mayHaveActed: true),
    Row("599", Answer(599), .later(.deactivation), mayHaveActed: true),
    Row("0", Answer(0), .notOurServer),
    Row("101", Answer(101), .notOurServer),
    Row("600", Answer(600), .notOurServer),
  ]

  @Test(arguments: statusRows)
  func `judges by status where no code is known`(row: Row) {
    #expect(Verdict.judge(row.answer, hasUnansweredAttempt: false) == row.first)
    #expect(Verdict.judge(row.answer, hasUnansweredAttempt: true) == row.again)
    #expect(Verdict.mayHaveActed(row.answer) == row.mayHaveActed)
  }

  /// What each documented code means, first and after an attempt without an answer.
  static let codeRows: [(names: [String], first: Verdict, again: Verdict)] = [
    (
      [
        "unknown_product", "license_not_found", "license_not_enabled", "license_expired",
        "blacklisted", "vm_not_allowed", "offline_floating_cloud_not_supported",
        "license_start_date_error", "license_activated_max_times",
        "license_user_activated_max_times", "license_transferred_max_times",
        "license_device_exists",
      ], .rejected, .rejected
    ),
    (["device_not_found", "license_not_active"], .rejected, .deactivatedInferred),
    (["date_header_diff"], .clockRefused, .clockRefused),
    (
      [
        "missing_headers", "authorization_invalid_headers", "authorization_missing_params",
        "hmac_required", "signature_mismatch", "invalid_api_key", "revoked_api_key",
        "read_only_api_key", "not_found",
      ], .held(.everything), .held(.everything)
    ),
    (
      ["validation_error", "missing_parameters", "invalid_json"], .held(.deactivation),
      .held(.deactivation)
    ),
    (["oauth_token_expired", "oauth_token_malformed"], .tokenRefused, .tokenRefused),
    (["internal_error"], .later(.deactivation), .later(.deactivation)),
  ]

  @Test func `the table names every code, once`() {
    let names = Self.codeRows.flatMap(\.names)
    #expect(Set(names).count == names.count)
    #expect(Set(names) == Set(APICode.allCases.map { $0.name.description }))
  }

  /// The documentation has the same code with different statuses, so the status must not matter.
  @Test(
    arguments: codeRows.flatMap { row in row.names.map { ($0, row.first, row.again) } },
    [400, 401, 403, 404, 408, 422, 425, 429, 500, 502, 503, 504, 511])
  func `judges by code first`(row: (name: String, first: Verdict, again: Verdict), status: Int) {
    let answer = Answer.error(status, row.name)
    #expect(Verdict.judge(answer, hasUnansweredAttempt: false) == row.first)
    #expect(Verdict.judge(answer, hasUnansweredAttempt: true) == row.again)
  }

  @Test func `no code makes a success of a 2xx or a 3xx`() {
    for code in APICode.allCases {
      for status in [200, 201, 204, 300, 302, 307] {
        let answer = Answer.error(status, code.name.description)
        #expect(Verdict.judge(answer, hasUnansweredAttempt: true) == .notOurServer)
      }
    }
  }

  /// What the whole program rests on, over every status, with and without each kind of body.
  @Test func `only 200 with the word, or "gone" after an open attempt, is a success`() {
    let bodies = ["", "license_deactivated", "\"license_deactivated\"", "{}", "<html>", "null"]
    for status in 0...999 {
      for body in bodies {
        for isOpen in [false, true] {
          let verdict = Verdict.judge(Answer(status, body), hasUnansweredAttempt: isOpen)
          let isWord = status == 200 && body.contains("license_deactivated")
          if (verdict == .deactivated) != isWord || verdict == .deactivatedInferred {
            Issue.record("\(status) \(body): \(verdict)")
          }
        }
      }
    }
  }
}
