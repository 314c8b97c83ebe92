internal import Foundation

@testable internal import HandbackCore
@testable internal import HandbackLinux

enum FuzzAnswer {
  /// Two bytes for the status, then pieces: header lines, and the last is the body.
  static func run(_ input: FuzzInput) {
    var input = input
    let receiver = CurlReceiver()
    receiver.begin()
    let status = Int(input.byte()) << 8 | Int(input.byte())
    while true {
      let piece = input.piece()
      guard !input.isEmpty else {
        _ = receiver.takeBody(piece.span)
        break
      }
      guard receiver.takeField(piece.span) else { break }
    }
    receiver.answer.status = status
    let answer = receiver.answer
    for hasUnansweredAttempt in [false, true] {
      let verdict = Verdict.judge(answer, hasUnansweredAttempt: hasUnansweredAttempt)
      if verdict == .deactivated { requireSuccess(answer) }
      require(
        verdict != .deactivatedInferred || hasUnansweredAttempt, "inferred without a reason")
    }
    _ = Verdict.mayHaveActed(answer)
    for text in [answer.message, answer.licenseSignature, answer.text("code")] {
      require(text.map { isPrintable($0.bytes) } ?? true, "text from outside isn't printable")
      require((text?.bytes.count ?? 0) <= 1024, "text from outside is long")
    }
    if case .seconds(let seconds) = answer.retryAfter { require(seconds >= 0, "a wait below 0") }
  }

  private static func requireSuccess(_ answer: Answer) {
    let body = String(decoding: answer.body, as: UTF8.self)
      .trimmingCharacters(in: CharacterSet(charactersIn: " \t\r\n"))
    require(answer.status == 200, "deactivated by another status than 200")
    require(
      body == "license_deactivated" || body == "\"license_deactivated\"",
      "deactivated by another body than the word")
  }

  static func runDate(_ input: FuzzInput) {
    guard let seconds = HTTPDate.parse(input.rest.span) else { return }
    require((0...IMFFixdate.epochSecondsMax).contains(seconds), "a date out of range")
    let text = IMFFixdate(epochSeconds: seconds)
    require(HTTPDate.parse(text.bytes.span) == seconds, "a date reads otherwise when written anew")
  }

  static func runJSON(_ input: FuzzInput) {
    let text = input.rest
    let found = JSONText.string("code", in: text.span)
    _ = JSONText.integer("expires_in", in: text.span)
    guard JSONText.isObject(text.span) else {
      require(found == nil, "a member of what is no object")
      return
    }
    // Foundation's parser as the second opinion; it reads some texts that RFC 8259 doesn't allow,
    // and of two members of one name may take the other.
    guard let found, let other = try? JSONSerialization.jsonObject(with: Data(text)),
      let object = other as? [String: Any], let value = object["code"] as? String
    else { return }
    let isRepeated = String(decoding: text, as: UTF8.self).components(separatedBy: "code").count > 2
    let isEscaped = text.contains(UInt8(ascii: "\\"))
    // It leaves a byte-order mark out where a string begins with one.
    let hasMark = text.firstRange(of: [0xEF, 0xBB, 0xBF]) != nil
    require(
      isRepeated || isEscaped || hasMark || Array(value.utf8) == found,
      "two parsers read different values")
  }
}
