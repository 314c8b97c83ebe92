internal import CLibc
import HandbackCore

/// A connection to a TPM, as far as the endorsement key's public half needs it.
///
/// Only two commands are sent: ReadPublic of the handle where makers and installers keep the key,
/// and, where there is none, CreatePrimary of the standard template, which gives the same key each
/// time. Nothing is stored in the TPM; what was created is flushed. tpm2-tss carries the commands;
/// its layers above, which put the bytes together, would be three libraries more for these three.
@safe
struct TPMSession: ~Copyable {
  private let tpm: UnsafeMutablePointer<clibc_tpm>

  /// `nil` if the TPM can't be reached.
  ///
  /// - place: where it is, in tpm2-tss's words: `device:/dev/tpmrm0`.
  init?(_ place: Text) {
    guard let tpm = unsafe clibc_tpm_open(place.cString) else { return nil }
    unsafe self.tpm = tpm
  }

  deinit {
    unsafe clibc_tpm_close(tpm)
  }

  /// The public area of the endorsement key, as the TPM writes it; `nil` if it refuses.
  func endorsementKey() -> Text? {
    // An answer's head has 10 bytes; the object's area follows, its length in two bytes first.
    if let area = Self.area(exchange(Text(Self.readPublic)), at: 10) { return area }
    var create = Text(Self.createPrimary)
    // The template's empty key, no outside data and no PCR.
    while create.bytes.count < Self.createPrimaryByteCount { create.append(0) }
    let made = exchange(create)
    // The new object's handle and the parameters' length come first here.
    guard let area = Self.area(made, at: 18) else { return nil }
    _ = exchange(Text(Self.flushHead) + made.slice(10..<14))
    return area
  }

  private static func area(_ answer: Text, at start: Int) -> Text? {
    guard answer.bytes.count > start + 2 else { return nil }
    let end = start + 2 + Int(answer.bytes[start]) << 8 + Int(answer.bytes[start + 1])
    return end <= answer.bytes.count ? answer.slice((start + 2)..<end) : nil
  }

  /// Larger than any answer to these commands, all below 2 KiB.
  private static let answerByteCountMax = 4096
  private static let retryCountMax = 100
  private static let retryPauseMilliseconds: Int32 = 50

  /// The answer to a command; empty if there is none, or it is an error.
  private func exchange(_ command: Text) -> Text {
    var answer = [UInt8](repeating: 0, count: Self.answerByteCountMax)
    for _ in 0..<Self.retryCountMax {
      let count = unsafe clibc_tpm_exchange(
        tpm, command.bytes, command.bytes.count, &answer, answer.count)
      guard count >= 10, answer[6] == 0, answer[7] == 0 else { return Text() }
      switch UInt16(answer[8]) << 8 | UInt16(answer[9]) {
      case 0: return Text(answer.span.extracting(0..<count))
      // TPM_RC_YIELDED, TPM_RC_TESTING, TPM_RC_RETRY: it is busy with its own.
      case 0x908, 0x90A, 0x922: clibc_pause_milliseconds(Self.retryPauseMilliseconds)
      default: return Text()
      }
    }
    return Text()
  }

  // MARK: - Commands, as "TPM 2.0 Library, Part 3: Commands" has them

  /// TPM2_ReadPublic without a session, of 8101_0001: where an RSA 2048 EK is kept ("TCG EK
  /// Credential Profile" 2.5, 2.2.1.4).
  private static let readPublic: [UInt8] = [
    0x80, 0x01, 0, 0, 0, 14, 0x00, 0x00, 0x01, 0x73, 0x81, 0x01, 0x00, 0x01,
  ]

  /// TPM2_FlushContext; the object's handle follows.
  private static let flushHead: [UInt8] = [0x80, 0x01, 0, 0, 0, 14, 0x00, 0x00, 0x01, 0x65]

  /// TPM2_CreatePrimary below the endorsement hierarchy, by its empty password, with no
  /// authorization and no data for the object. Then the template L-1 of the "TCG EK Credential
  /// Profile": RSA 2048, storage key, its policy the knowledge of the hierarchy's authorization,
  /// AES 128 CFB, no scheme, the usual exponent.
  private static let createPrimary: [UInt8] = [
    0x80, 0x02, 0, 0, 0x01, 0x63, 0x00, 0x00, 0x01, 0x31, 0x40, 0x00, 0x00, 0x0B,
    0, 0, 0, 9, 0x40, 0x00, 0x00, 0x09, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0,
    0x01, 0x3A, 0x00, 0x01, 0x00, 0x0B, 0x00, 0x03, 0x00, 0xB2, 0x00, 0x20,
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xB3, 0xF8, 0x1A, 0x90, 0xCC, 0x8D, 0x46, 0xA5, 0xD7, 0x24,
    0xFD, 0x52, 0xD7, 0x6E, 0x06, 0x52, 0x0B, 0x64, 0xF2, 0xA1, 0xDA, 0x1B, 0x33, 0x14, 0x69, 0xAA,
    0x00, 0x06, 0x00, 0x80, 0x00, 0x43, 0x00, 0x10, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00,
  ]
  private static let createPrimaryByteCount = 355
}
