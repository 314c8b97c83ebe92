import TestSupport
import Testing

@testable import HandbackCore

/// What can be seen of wiping from inside: `erase` itself. That releases call it and that the
/// optimizer leaves it is tested on the shipped binary.
struct SecretTests {
  @Test(arguments: [0, 1, 7, 8, 9, 512, 4096])
  func `erase clears every byte and none beyond`(byteCount: Int) {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount + 16, alignment: 8)
    defer { block.deallocate() }
    for index in block.indices { block[index] = 0xA5 }
    erase(UnsafeMutableRawBufferPointer(rebasing: block[8..<(8 + byteCount)]))
    for index in block.indices {
      let isInside = (8..<(8 + byteCount)).contains(index)
      #expect(block[index] == (isInside ? 0 : 0xA5), "byte \(index)")
    }
  }

  @Test func `a secret holds a copy, and a NUL that isn't counted`() {
    var source = Array("s3cret".utf8)
    let secret = Secret(copying: source.span)
    source[0] = 0
    #expect(secret.byteCount == 6)
    #expect(secret.copyBytes().text == "s3cret")
    #expect(unsafe secret.withCString { unsafe String(cString: $0) } == "s3cret")
  }

  @Test func `an empty secret is a C string too`() {
    let secret = Secret(copying: [UInt8]().span)
    #expect(secret.byteCount == 0)
    #expect(unsafe secret.withCString { unsafe $0.pointee } == 0)
  }

  @Test func `a copy outlives the first`() {
    var first: Secret? = Secret("token")
    let second = first?.copy()
    first = nil
    let bytes = second?.copyBytes()
    #expect(bytes?.text == "token")
  }

  @Test func `control characters are found, and only they`() {
    for byte in 0...255 as ClosedRange<UInt8> {
      let secret = Secret(copying: [UInt8(ascii: "a"), byte].span)
      #expect(secret.containsControlCharacter() == (byte < 0x20 || byte == 0x7F), "byte \(byte)")
    }
  }
}

struct SecretBufferTests {
  @Test func `keeps what was written while it grows`() {
    var buffer = SecretBuffer(byteCountMax: 5000)
    var expected: [UInt8] = []
    for index in 0..<5000 {
      buffer.append(UInt8(truncatingIfNeeded: index &* 31))
      expected.append(UInt8(truncatingIfNeeded: index &* 31))
    }
    #expect(buffer.byteCount == 5000)
    #expect(buffer.take().copyBytes() == expected)
  }

  @Test func `takes static text and spans`() {
    var buffer = SecretBuffer(byteCountMax: 16)
    buffer.append("one ")
    buffer.append(Array("two".utf8).span)
    #expect(buffer.take().copyBytes().text == "one two")
  }

  @Test func `traps past its limit`() async {
    await #expect(processExitsWith: .failure) {
      var buffer = SecretBuffer(byteCountMax: 4)
      buffer.append("12345")
    }
  }
}
