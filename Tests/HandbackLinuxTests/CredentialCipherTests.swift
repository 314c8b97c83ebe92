import Foundation
import HandbackCore
import TestSupport
import Testing

@testable import HandbackLinux

/// With the system's libcrypto.
struct CredentialCipherTests {
  private static func cipher(_ digit: Character = "a") throws -> CredentialCipher {
    let text = Secret(String(repeating: digit, count: 64))
    guard let key = SealKey(hex: text), let cipher = CredentialCipher(key) else {
      throw CocoaError(.featureUnsupported)
    }
    return cipher
  }

  private static func seal(_ secret: String, _ cipher: CredentialCipher) throws -> Text {
    let sealed = cipher.seal(Secret(secret), for: Secret("row"))
    return try #require(sealed)
  }

  private static func open(
    _ text: Text, _ cipher: CredentialCipher, _ row: String = "row"
  ) -> Result<String, SealProblem> {
    do throws(SealProblem) {
      return .success(try cipher.open(text, for: Secret(row)).copyBytes().text)
    } catch {
      return .failure(error)
    }
  }

  @Test(arguments: [1, 15, 16, 17, 256, 8192])
  func `opens what it sealed, each time under another nonce`(_ count: Int) throws {
    let cipher = try Self.cipher()
    let secret = String(repeating: "ü", count: count)
    let sealed = try Self.seal(secret, cipher)
    #expect(sealed.bytes.count == 2 + 2 * (36 + 2 * count))
    #expect(sealed.bytes[0] == 1 && sealed.bytes[1] == 1)
    #expect(Self.open(sealed, cipher) == .success(secret))
    #expect(Self.open(sealed, try Self.cipher()) == .success(secret))
    #expect(try Self.seal(secret, cipher) != sealed)
  }

  @Test func `refuses another row, another key, and every byte that is another`() throws {
    let cipher = try Self.cipher()
    let sealed = try Self.seal("PASSWORD", cipher)
    #expect(Self.open(sealed, cipher, "Row") == .failure(.broken))
    #expect(Self.open(sealed, cipher, "row ") == .failure(.broken))
    #expect(Self.open(sealed, cipher, "") == .failure(.broken))
    #expect(Self.open(sealed, try Self.cipher("b")) == .failure(.keyWrong))
    for index in 2..<sealed.bytes.count {
      var bytes = sealed.bytes
      for digit in "0123456789abcdef".utf8 where digit != sealed.bytes[index] {
        bytes[index] = digit
        // The first 8 bytes name the key.
        let expected: SealProblem = index < 18 ? .keyWrong : .broken
        #expect(Self.open(Text(bytes), cipher) == .failure(expected))
      }
      for other in [0, 1, 0x20, 0x67, 0xFF] as [UInt8] {
        bytes[index] = other
        #expect(Self.open(Text(bytes), cipher) == .failure(.broken))
      }
    }
    for index in 0...1 {
      var bytes = sealed.bytes
      for other in 0...255 as ClosedRange<UInt8> where other != 1 {
        bytes[index] = other
        #expect(Self.open(Text(bytes), cipher) == .failure(.broken))
      }
    }
    for count in 0..<sealed.bytes.count {
      #expect(Self.open(sealed.slice(0..<count), cipher) == .failure(.broken))
    }
    #expect(Self.open(sealed + "00", cipher) == .failure(.broken))
  }

  @Test func `a journal holds no plain credential, nor a fingerprint that tells it`() throws {
    let folder = TemporaryFolder()
    let license = SampleLicense(.key("MARK-OF-A-KEY"))
    let plain = license.deactivation().fingerprint()
    let journal = try SQLiteJournal.open(Text(folder.path("journal.db")), .create)
    journal.sealing = .key(try Self.cipher())
    let ticket = try journal.queue(license.deactivation(), nonce: 5, atSeconds: 0).ticket
    #expect(try journal.queue(license.deactivation(), nonce: 6, atSeconds: 0).ticket == ticket)
    for name in ["journal.db", "journal.db-wal", "journal.db-copy", "journal.db-shm"] {
      let bytes = folder.read(name) ?? Data()
      #expect(bytes.range(of: Data("MARK-OF-A-KEY".utf8)) == nil, "in \(name)")
      #expect(bytes.range(of: Data(Array(plain))) == nil, "in \(name)")
    }
  }
}
