internal import CLibc
internal import Foundation

@testable internal import HandbackCore
@testable internal import HandbackLinux

enum FuzzText {
  /// The seeds have it where a secret may stand by mistake.
  private static let marker = "SECRETSECRET"

  static func runSettings(_ input: FuzzInput) {
    do throws(Failure) {
      for value in try SettingsFile.parse(input.rest, "handback.conf") {
        require(UTF8Check.isValid(value.text.bytes.span), "a value that isn't UTF-8")
        _ = ServerAddress(value.text)
        _ = HardwareID(utf8: value.text.bytes.span)
      }
    } catch {
      require(isPrintable(error.message.bytes), "a message that isn't printable")
      requireNoMarker(error.message, input.rest.split(separator: 0x0A))
    }
  }

  static func runSecret(_ input: FuzzInput) {
    do throws(SecretFile.Failure) {
      let secret = try SecretFile.read(write(input.rest))
      secret.withBytes { bytes in
        require(bytes.count > 0, "an empty secret")
        for index in bytes.indices { require(bytes[index] != 0, "a secret with a NUL") }
      }
      for field in [Field.product, .licenseKey, .username, .bundleCode] {
        secret.withBytes { bytes in _ = try? FieldText(field, utf8: bytes) }
      }
      _ = secret.withBytes { BearerField.isToken($0) }
      _ = secret.withBytes { WebToken($0) }
      let copy = secret.withBytes { Secret(copying: $0) }
      do throws(RequestSigner.KeyError) {
        let signer = try RequestSigner(apiKey: secret, sharedKey: copy)
        signer.sign(IMFFixdate(epochSeconds: 1_700_000_000))
      } catch {}
    } catch {}
  }

  private static let file = "/dev/shm/handback-fuzz-\(getpid())"

  private static func write(_ bytes: [UInt8]) -> Text {
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    require(descriptor >= 0, "cannot write below /dev/shm")
    _ = Foundation.write(descriptor, bytes, bytes.count)
    close(descriptor)
    return Text(file)
  }

  /// Words apart by newlines, as `main` gets them.
  static func runArguments(_ input: FuzzInput) {
    var words: [[CChar]] = [Array("handback".utf8CString)]
    for word in input.rest.split(separator: 0x0A, omittingEmptySubsequences: false).prefix(20) {
      words.append(word.filter { $0 != 0 }.map { CChar(bitPattern: $0) } + [0])
    }
    var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    pointers.append(nil)
    pointers.withUnsafeMutableBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return }
      do throws(Failure) {
        let arguments = try Arguments(CInt(words.count), start)
        _ = arguments.flags.count
      } catch {
        require(isPrintable(error.message.bytes), "a message that isn't printable")
        requireNoMarker(error.message, input.rest.filter { $0 != 0 }.split(separator: 0x0A))
      }
    }
    pointers.removeLast()
  }

  /// What stands before any `=` is taken for a name, and a name is shown.
  private static func requireNoMarker(_ message: Text, _ entries: [ArraySlice<UInt8>]) {
    let isNamed = entries.contains { contains($0.prefix { $0 != 0x3D }, marker) }
    require(isNamed || !contains(message.bytes[...], marker), "a message shows a value")
  }

  /// By bytes: a string's characters may be made of several.
  private static func contains(_ bytes: ArraySlice<UInt8>, _ word: String) -> Bool {
    bytes.firstRange(of: Array(word.utf8)) != nil
  }
}
