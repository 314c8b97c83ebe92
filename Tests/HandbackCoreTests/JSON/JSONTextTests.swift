import Foundation
import TestSupport
import Testing

@testable import HandbackCore

struct JSONTextTests {
  private static func isObject(_ text: String) -> Bool {
    JSONText.isObject(Array(text.utf8).span)
  }

  private static func string(_ text: String) -> String? {
    JSONText.string("a", in: Array(text.utf8).span).map { String(decoding: $0, as: UTF8.self) }
  }

  private static func integer(_ text: String) -> Int64? {
    JSONText.integer("a", in: Array(text.utf8).span)
  }

  // MARK: - Grammar, RFC 8259

  @Test(arguments: [
    "{}", " \t\r\n{ \t\r\n} \t\r\n", #"{"a":1}"#, #"{"a":1,"b":2}"#, #"{ "a" : 1 , "b" : 2 }"#,
    #"{"":0}"#, #"{"a":null,"b":true,"c":false}"#, #"{"a":[]}"#, #"{"a":[1,[2,{"b":3}],"x"]}"#,
    #"{"a":{"b":{"c":{}}}}"#, #"{"a":0}"#, #"{"a":-0}"#, #"{"a":-1}"#, #"{"a":0.5}"#,
    #"{"a":1e5}"#, #"{"a":1E+5}"#, #"{"a":1e-05}"#, #"{"a":-0.0e0}"#,
    #"{"a":123456789012345678901}"#,
    #"{"a":"\"\\\/\b\f\n\r\t"}"#, #"{"a":"\u0041\uD83D\udd11"}"#, #"{"a":"é🔑"}"#, #"{"a":1,"a":2}"#,
    "{\"a\":\"\u{7F}\"}",
  ])
  func `takes a valid object`(text: String) {
    #expect(Self.isObject(text))
    #expect((try? JSONSerialization.jsonObject(with: Data(text.utf8))) != nil)
  }

  @Test(arguments: [
    "", " ", "null", "true", "1", "\"a\"", "[]", "{", "}", "{}}", "{}{}", "{} x", "x{}", "{,}",
    #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{,"a":1}"#, #"{"a":1 "b":2}"#, #"{"a":1;"b":2}"#,
    #"{"a":1,,"b":2}"#, #"{a:1}"#, #"{'a':1}"#, #"{1:1}"#, #"{"a" 1}"#, #"{"a"::1}"#, #"{"a":01}"#,
    #"{"a":+1}"#, #"{"a":.5}"#, #"{"a":1.}"#, #"{"a":-}"#, #"{"a":--1}"#, #"{"a":1e}"#,
    #"{"a":1e+}"#, #"{"a":1e5.5}"#, #"{"a":0x1}"#, #"{"a":1_000}"#, #"{"a":Infinity}"#,
    #"{"a":NaN}"#, #"{"a":nul}"#, #"{"a":nulll}"#, #"{"a":True}"#, #"{"a":tru"#, #"{"a":[}"#,
    #"{"a":]}"#, #"{"a":[1,]}"#, #"{"a":[,1]}"#, #"{"a":[1 2]}"#, #"{"a":[1}"#, #"{"a":{]}"#,
    #"{"a":"}"#, #"{"a":"\"}"#, #"{"a":"x"#, #"{"a":"x"y}"#, "{\"a\":\"\n\"}", "{\"a\":\"\u{0}\"}",
    "{\"a\":\"\u{1F}\"}", #"{"a":1/*c*/}"#, "{\"a\":1//c\n}", "\u{FEFF}{}", "{\u{A0}}", "{\u{C}}",
    "{\u{B}}", "{\"a\":1\u{0}}",
  ])
  func `refuses an invalid one`(text: String) {
    #expect(!Self.isObject(text))
    #expect(Self.string(text) == nil)
    #expect(Self.integer(text) == nil)
  }

  @Test(arguments: [("{\"a\":", "0", "}"), ("[", "", "]")])
  func `goes 16 levels deep and no further`(open: String, inner: String, close: String) {
    func nested(_ depth: Int) -> String {
      let rest = depth - 1
      return #"{"a":"# + String(repeating: open, count: rest) + (rest > 0 ? inner : "0")
        + String(repeating: close, count: rest) + "}"
    }
    for depth in 1...16 { #expect(Self.isObject(nested(depth)), "depth \(depth)") }
    for depth in [17, 18, 100, 30_000] { #expect(!Self.isObject(nested(depth)), "depth \(depth)") }
  }

  @Test func `an object cut anywhere is none`() {
    let text = #"{"a":"x\u00e9\n","b":[1,-2.5e3,true,null],"c":{"d":"e"}}"#
    #expect(Self.isObject(text))
    let bytes = Array(text.utf8)
    for count in 0..<bytes.count {
      #expect(JSONText.isObject(Array(bytes[..<count]).span) == false, "\(count) bytes")
    }
  }

  /// Foundation is the judge, where it is as strict.
  @Test func `agrees with Foundation on objects with one byte changed`() {
    let good = Array(#"{"a":"x\n","b":[1,-2.5e3,true],"c":{"d":null}}"#.utf8)
    var difference = 0
    for index in good.indices {
      for byte in 0x20..<0x7F as Range<UInt8> {
        var bytes = good
        bytes[index] = byte
        let theirs =
          (try? JSONSerialization.jsonObject(with: Data(bytes))).map { $0 is NSDictionary } ?? false
        let ours = JSONText.isObject(bytes.span)
        // An escape is looked at where its string is asked for, so ours may be the laxer one.
        if ours == theirs || (ours && JSONText.string("a", in: bytes.span) == nil) { continue }
        difference += 1
        Issue.record("\(bytes.text): ours \(ours), theirs \(theirs)")
      }
    }
    #expect(difference == 0)
  }

  // MARK: - Members

  @Test(arguments: [
    (#"{"a":"x"}"#, "x"), (#"{"a":""}"#, ""), (#"{"b":"y","a":"x"}"#, "x"),
    (#"{"a" : "x" }"#, "x"), (#"{"b":{"a":"y"},"a":"x"}"#, "x"),
    (#"{"a":"\"\\\/\b\f\n\r\t"}"#, "\"\\/\u{8}\u{C}\n\r\t"),
    (#"{"a":"\u0041\u00e9\u20AC"}"#, "Aé€"), (#"{"a":"\uD83D\uDD11"}"#, "🔑"),
    (#"{"a":"\u0000"}"#, "\u{0}"), (#"{"a":"\uFFFF\uE000"}"#, "\u{FFFF}\u{E000}"),
    (#"{"a":"\uDBFF\uDFFF"}"#, "\u{10FFFF}"), (#"{"a":"é🔑"}"#, "é🔑"),
    (#"{"a":"\\u0041"}"#, "\\u0041"),
  ])
  func `reads a string`(text: String, value: String) throws {
    let read = try #require(Self.string(text))
    #expect(Array(read.utf8) == Array(value.utf8))
  }

  @Test(arguments: [
    "{}", #"{"b":"x"}"#, #"{"a":1}"#, #"{"a":null}"#, #"{"a":["x"]}"#, #"{"a":{"a":"x"}}"#,
    #"{"b":{"a":"x"}}"#, #"{"b":["a","x"]}"#, #"{"A":"x"}"#, #"{"aa":"x"}"#, #"{"":"x"}"#,
    #"{"a":"x","a":"x"}"#, #"{"a":1,"a":"x"}"#, #"{"a":"\x"}"#, #"{"a":"\u12"}"#,
    #"{"a":"\u12G4"}"#, #"{"a":"\u 123"}"#, #"{"a":"\U0041"}"#, #"{"a":"\ud83d"}"#,
    #"{"a":"\ud83dx"}"#, #"{"a":"\ud83d\n"}"#, #"{"a":"\ud83d\u0041"}"#, #"{"a":"\ud83d\ud83d"}"#,
    #"{"a":"\udd11"}"#, #"{"a":"\udd11\ud83d"}"#, #"{"a":"\u+123"}"#,
  ])
  func `finds none where none is, or it can't be told`(text: String) {
    #expect(Self.string(text) == nil)
  }

  @Test(arguments: FieldTextTests.invalid)
  func `refuses a string that is no UTF-8`(name: String, bytes: [UInt8]) {
    let text = Array(#"{"a":""#.utf8) + bytes + Array(#""}"#.utf8)
    #expect(JSONText.string("a", in: text.span) == nil)
  }

  @Test(
    arguments: [
      (#"{"a":0}"#, 0), (#"{"a":-0}"#, 0), (#"{"a":1723642193958949}"#, 1_723_642_193_958_949),
      (#"{"a":9223372036854775807}"#, .max), (#"{"a":-9223372036854775808}"#, .min),
      (#"{"a":9223372036854775808}"#, nil), (#"{"a":-9223372036854775809}"#, nil),
      (#"{"a":1.0}"#, nil), (#"{"a":1e3}"#, nil), (#"{"a":"1"}"#, nil), (#"{"a":true}"#, nil),
      (#"{"a":[1]}"#, nil), (#"{"a":1,"a":1}"#, nil),
    ] as [(String, Int64?)])
  func `reads an integer exactly or not at all`(text: String, value: Int64?) {
    #expect(Self.integer(text) == value)
  }

  @Test(
    arguments: [
      (#""x""#, "x"), (#" "x\n" "#, "x\n"), (#""""#, ""), ("x", nil), (#""x" "y""#, nil), ("", nil),
      (#""x"#, nil), (#"["x"]"#, nil), (#""\q""#, nil),
    ] as [(String, String?)])
  func `reads a text that is one string`(text: String, value: String?) {
    #expect(JSONText.soleString(Array(text.utf8).span) == value.map { Array($0.utf8) })
  }

  @Test func `survives any bytes`() {
    var random = SeededGenerator(seed: 6)
    let alphabet = Array("{}[]\",:\\u0123aeE+-.tfn \n".utf8) + [0x00, 0x1F, 0x80, 0xC3, 0xF0, 0xFF]
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 0...24, using: &random)).map { _ in
        alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
      }
      let object = Array("{\"a\":".utf8) + text + Array("}".utf8)
      if let bytes = JSONText.string("a", in: object.span) {
        #expect(String(validating: bytes, as: UTF8.self) != nil)
      }
      _ = JSONText.integer("a", in: object.span)
      _ = JSONText.soleString(text.span)
    }
  }
}

struct JSONWriterTests {
  @Test func `writes members of every kind`() {
    var writer = JSONWriter(byteCountMax: 200)
    writer.begin()
    writer.member("a", "x\"\\\n")
    writer.member("b", Secret("s\u{1}"))
    writer.member("c", Int64.min)
    #expect(
      writer.end().copyBytes().text
        == #"{"a":"x\"\\\n","b":"s\u0001","c":-9223372036854775808}"#)
  }

  @Test func `writes an empty object`() {
    var writer = JSONWriter(byteCountMax: 2)
    writer.begin()
    #expect(writer.end().copyBytes().text == "{}")
  }

  @Test func `traps past its limit rather than cut a body`() async {
    await #expect(processExitsWith: .failure) {
      var writer = JSONWriter(byteCountMax: 8)
      writer.begin()
      writer.member("a", "123456789")
    }
  }
}
