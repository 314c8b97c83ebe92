import HandbackCore
import TestSupport
import Testing

struct TextTests {
  @Test func `is put together from pieces`() {
    let number: Int64 = -7
    let text: Text = "outside"
    let line: Text =
      "a \(text) b \(number) c \(Int32(3)) \(Text("d"))\(Literal(stringLiteral: "e"))"
    #expect(line.string == "a outside b -7 c 3 de")
    #expect((line + "!").string.hasSuffix("de!"))
    #expect(Text("ab").padded(to: 4).string == "ab  ")
    #expect(Text("abcde").padded(to: 4).string == "abcde")
    #expect(Text("").isEmpty)
    #expect(Text(printable: "a\u{1B}b\n").string == "a?b?")
  }

  @Test func `compares bytes`() {
    #expect(Text("ab") == Text("a") + "b")
    #expect(Text("ab") != Text("abc"))
    #expect(Text("ab") != Text("aB"))
    #expect(Text("ab").isEqual(to: "ab"))
    #expect(!Text("ab").isEqual(to: "abc"))
    #expect(Text("abc").hasPrefix("ab"))
    #expect(Text("abc").hasPrefix(""))
    #expect(!Text("ab").hasPrefix("abc"))
  }

  @Test func `is taken apart at a byte`() {
    let text: Text = "a=b=c"
    #expect(text.firstIndex(of: UInt8(ascii: "=")) == 1)
    #expect(text.lastIndex(of: UInt8(ascii: "=")) == 3)
    #expect(text.lastIndex(of: UInt8(ascii: "x")) == nil)
    #expect(text.slice(2..<5) == "b=c")
    #expect(text.slice(5..<5).isEmpty)
    #expect(text.prefix(1) == "a")
    #expect(text.suffix(from: 2) == "b=c")
    #expect(text.prefix(before: UInt8(ascii: "=")) == "a")
    #expect(text.prefix(before: UInt8(ascii: "x")) == text)
  }

  @Test func `goes to C and back as it is`() {
    let bytes: [UInt8] = [0x61, 0xFF, 0xC3, 0xA9]
    let text = Text(bytes)
    #expect(text.cString == [0x61, -1, -0x3D, -0x57, 0])
    #expect(text.cString.withUnsafeBufferPointer { Text(cString: $0.baseAddress!) } == text)
  }
}
