import Foundation
import TestSupport
import Testing

@testable import HandbackCore

struct AnswerTests {
  private static func answer(_ fields: String...) -> Answer { Answer(200, "", fields: fields) }

  private static func seconds(_ answer: Answer) -> Int64? {
    if case .seconds(let seconds)? = answer.retryAfter { return seconds }
    return nil
  }

  // MARK: - Fields

  @Test(arguments: [
    "Date: Thu, 17 Nov 2022 20:51:35 GMT", "date:Thu, 17 Nov 2022 20:51:35 GMT\r\n",
    "DATE:\t Thu, 17 Nov 2022 20:51:35 GMT \t\r\n", "dAtE: Thursday, 17-Nov-22 20:51:35 GMT\n",
    "Date: Thu Nov 17 20:51:35 2022",
  ])
  func `reads Date in any form and case`(line: String) {
    #expect(Self.answer(line).dateSeconds == 1_668_718_295)
  }

  @Test(arguments: [
    "Date", "Date:", "Date: ", "Date: yesterday", "Date : Thu, 17 Nov 2022 20:51:35 GMT",
    " Date: Thu, 17 Nov 2022 20:51:35 GMT", "X-Date: Thu, 17 Nov 2022 20:51:35 GMT",
    "Dat: Thu, 17 Nov 2022 20:51:35 GMT", "Dates: Thu, 17 Nov 2022 20:51:35 GMT",
    ": Thu, 17 Nov 2022 20:51:35 GMT", "Date; Thu, 17 Nov 2022 20:51:35 GMT", "", "\r\n", ":",
  ])
  func `passes over what is no Date`(line: String) {
    #expect(Self.answer(line).dateSeconds == nil)
  }

  @Test(
    arguments: [
      ("Retry-After: 0", 0), ("retry-after: 120", 120), ("Retry-After:  7 \r\n", 7),
      ("Retry-After: 00010", 10), ("Retry-After: 9223372036854775807", Int64.max),
      ("Retry-After: -1", nil), ("Retry-After: 1.5", nil), ("Retry-After: +5", nil),
      ("Retry-After: 5s", nil), ("Retry-After: ", nil), ("Retry-After: 1e3", nil),
      ("Retry-After: 99999999999999999999", nil), ("Retry-After: soon", nil),
      ("Retry: 5", nil),
    ] as [(String, Int64?)])
  func `reads Retry-After in seconds`(line: String, seconds: Int64?) {
    #expect(Self.seconds(Self.answer(line)) == seconds)
  }

  @Test(arguments: [
    "Retry-After: Thu, 17 Nov 2022 20:51:35 GMT", "retry-after: Thursday, 17-Nov-22 20:51:35 GMT",
    "Retry-After: Thu Nov 17 20:51:35 2022\r\n",
  ])
  func `reads Retry-After as a date`(line: String) throws {
    guard case .date(let date)? = Self.answer(line).retryAfter else {
      Issue.record("not read")
      return
    }
    #expect(date == 1_668_718_295)
  }

  /// RFC 9112, 5.2: a folded line is the next one with white space before it; libcurl unfolds,
  /// another transport may not.
  @Test func `passes over a folded line`() {
    let answer = Self.answer("Date: Thu, 17 Nov 2022 20:51:35 GMT", "  Retry-After: 9", "\t: x")
    #expect(answer.dateSeconds == 1_668_718_295)
    #expect(answer.retryAfter == nil)
  }

  @Test func `keeps the signature, made printable, up to its limit`() {
    let longest = String(repeating: "A", count: 1024)
    #expect(Self.answer("LicenseSignature: \(longest)").licenseSignature == longest)
    #expect(Self.answer("LicenseSignature: \(longest)A").licenseSignature == nil)
    #expect(Self.answer("LicenseSignature:").licenseSignature == nil)
    #expect(Self.answer("licensesignature: a\u{1B}[2Jb\u{E9}").licenseSignature == "a?[2Jb??")
  }

  @Test func `survives any bytes as a field`() {
    var random = SeededGenerator(seed: 5)
    let lines = ["Date: Thu, 17 Nov 2022 20:51:35 GMT", "Retry-After: 120", "LicenseSignature: AA"]
    var answer = Answer(status: 200)
    for _ in 0..<3000 {
      var bytes = Array(lines[Int.random(in: 0..<3, using: &random)].utf8)
      for _ in 0..<Int.random(in: 0...6, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      answer.addField(Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random))).span)
    }
    #expect(answer.status == 200)
  }

  // MARK: - Body

  @Test func `takes a body up to its limit, and none of what passes it`() {
    var answer = Answer(status: 200)
    let most = [UInt8](repeating: 0x61, count: Answer.bodyByteCountMax - 1)
    #expect(answer.appendBody(most.span) == true)
    #expect(answer.appendBody([0x61, 0x61].span) == false)
    #expect(answer.body.count == Answer.bodyByteCountMax - 1)
    #expect(answer.appendBody([0x61].span) == true)
    #expect(answer.appendBody([UInt8]().span) == true)
    #expect(answer.appendBody([0x61].span) == false)
  }

  @Test(arguments: [
    "license_deactivated", "\"license_deactivated\"", " license_deactivated",
    "\r\n\t \"license_deactivated\"\n",
  ])
  func `hears the word of success`(body: String) {
    #expect(Answer(200, body).saysDeactivated)
  }

  @Test(arguments: [
    "", " ", "\"", "\"\"", "license_deactivate", "license_deactivated.", "License_deactivated",
    "LICENSE_DEACTIVATED", "license deactivated", "\"license_deactivated", "license_deactivated\"",
    "\" license_deactivated\"", "\"license_deactivated \"", "'license_deactivated'",
    "\"\"license_deactivated\"\"", "[\"license_deactivated\"]", "{\"license_deactivated\":1}",
    "license_deactivated license_deactivated", "license_deactivated\u{0}",
    "\u{FEFF}license_deactivated", "<p>license_deactivated</p>", "not license_deactivated",
    "\"license_deactivated\\n\"", "\"license\\u005fdeactivated\"", "license_deactivated\u{B}",
    "license_deactivated\u{A0}", "null", "true",
  ])
  func `hears nothing else as success`(body: String) {
    #expect(!Answer(200, body).saysDeactivated)
  }

  static let goodBodies = [
    "license_deactivated", "\"license_deactivated\"", " \"license_deactivated\"\r\n",
    #"{"status": 400, "code": "device_not_found", "message": "license_deactivated"}"#,
  ]

  private static func isTheWord(_ bytes: [UInt8]) -> Bool {
    let text = String(decoding: bytes, as: UTF8.self)
      .trimmingCharacters(in: CharacterSet(charactersIn: " \t\r\n"))
    return Array(text.utf8) == Array("license_deactivated".utf8)
      || Array(text.utf8) == Array("\"license_deactivated\"".utf8)
  }

  @Test(arguments: goodBodies)
  func `an answer cut anywhere is a success only if the word is left`(body: String) {
    let bytes = Array(body.utf8)
    for count in 0..<bytes.count {
      var answer = Answer(status: 200)
      _ = answer.appendBody(Array(bytes[..<count]).span)
      #expect(answer.saysDeactivated == Self.isTheWord(Array(bytes[..<count])), "\(count) bytes")
      // A cut object is no object.
      if body.hasPrefix("{") { #expect(answer.code == nil && answer.message == nil) }
    }
  }

  /// Every byte in turn takes all 255 other values.
  @Test(arguments: goodBodies)
  func `an answer with one byte changed is a success only if it is the word`(body: String) {
    let good = Array(body.utf8)
    for index in good.indices {
      for byte in 0...255 as ClosedRange<UInt8> where byte != good[index] {
        var bytes = good
        bytes[index] = byte
        var answer = Answer(status: 200)
        _ = answer.appendBody(bytes.span)
        if answer.saysDeactivated != Self.isTheWord(bytes) { Issue.record("\(bytes.text)") }
      }
    }
  }

  @Test func `reads code and message of an error`() {
    let answer = Answer.error(400, "device_not_found", message: "Device not found!")
    #expect(answer.code == Array("device_not_found".utf8))
    #expect(answer.message == "Device not found!")
  }

  @Test(arguments: [
    "", "{}", "[]", "null", "\"code\"", #"{"code": 5}"#, #"{"code": null}"#, #"{"code": ["x"]}"#,
    #"{"error": {"code": "x"}}"#, #"{"code": "x""#, #"{"code": "x"} x"#, #"{"code": "\ud800"}"#,
    #"{"code": "x", "code": "y"}"#, #"[{"code": "x"}]"#, "<html>",
  ])
  func `finds no code where there is none`(body: String) {
    #expect(Answer(400, body).code == nil)
  }

  /// What is stored and printed has a limit and steers no terminal.
  @Test func `makes texts printable and cuts them at 256 bytes`() throws {
    let long = String(repeating: "é", count: 300)
    let answer = Answer.error(400, long, message: long)
    #expect(try #require(answer.message).string == String(repeating: "?", count: 256))
    #expect(try #require(answer.text("code")) == String(repeating: "?", count: 256))
    let steering = Answer.error(400, "x", message: #"a\u001b[2J\r\nb\u007fc"#)
    #expect(steering.message == "a?[2J??b?c")
  }

  @Test(arguments: [
    ("<html>", true), (" \r\n\t<!doctype html>", true), ("", false), (" ", false), ("{}", false),
    ("license_deactivated", false), ("a < b", false),
  ])
  func `knows HTML by its first byte`(body: String, isHTML: Bool) {
    #expect(Answer(200, body).isHTML == isHTML)
  }

  @Test(arguments: [
    ("Content-Type: text/html", true), ("content-type:TEXT/HTML;charset=utf-8", true),
    ("Content-Type: application/json", false), ("Content-Type: text/htm", false),
    ("Content-Type: ", false), ("X-Content-Type: text/html", false),
  ])
  func `knows HTML by its name`(field: String, isHTML: Bool) {
    #expect(Answer(200, "license_deactivated", fields: [field]).isHTML == isHTML)
  }

  @Test func `printable text is ASCII without control characters`() {
    let all = (0...255).map { UInt8($0) }
    let text = Text(printable: all.span).bytes
    #expect(text.count == 256)
    for (byte, shown) in zip(all, text) {
      #expect(shown == ((0x20..<0x7F).contains(byte) ? byte : UInt8(ascii: "?")))
    }
  }
}
