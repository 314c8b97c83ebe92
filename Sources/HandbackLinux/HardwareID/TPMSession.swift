internal import CLibc
import HandbackCore

/// A connection to a TPM, as far as the endorsement key's public half needs it.
///
/// Only two commands are sent: ReadPublic of the handle where makers and installers keep the key,
/// and, where there is none, CreatePrimary of the standard template, which gives the same key each
/// time. Nothing is stored in the TPM; what was created is flushed.
@safe
struct TPMSession: ~Copyable {
  private let library: TPMLibrary
  private var transport: OpaquePointer?
  private var context: OpaquePointer?

  /// `nil` if the TPM can't be reached.
  init?(_ library: consuming TPMLibrary, _ configuration: Text) {
    unsafe self.transport = nil
    unsafe self.context = nil
    self.library = library
    var transport: OpaquePointer?
    guard unsafe self.library.openTransport(configuration.cString, &transport) == 0 else {
      return nil
    }
    unsafe self.transport = transport
    var context: OpaquePointer?
    guard unsafe self.library.initialize(&context, transport, nil) == 0 else { return nil }
    unsafe self.context = context
  }

  deinit {
    var context = unsafe context
    var transport = unsafe transport
    if unsafe context != nil { unsafe library.finalize(&context) }
    if unsafe transport != nil { unsafe library.closeTransport(&transport) }
  }

  // tss2_esys.h
  private static let none: UInt32 = 0xFFF
  private static let password: UInt32 = 0x0FF
  private static let endorsement: UInt32 = 0x10B
  /// TCG EK Credential Profile 2.5, section 2.2.1.4: where an RSA 2048 EK is kept.
  private static let persistentHandle: UInt32 = 0x8101_0001
  /// Larger than the structures of the TPM 2.0 library, all below 2 KiB.
  private static let structureByteCount = 4096

  /// The public area of the endorsement key, as the TPM writes it; `nil` if it refuses.
  func endorsementKey() -> Text? {
    var object: UInt32 = 0
    var area: UnsafeMutableRawPointer?
    let found = unsafe library.findObject(
      context, Self.persistentHandle, Self.none, Self.none, Self.none, &object)
    if found == 0 {
      guard
        unsafe library.readPublic(
          context, object, Self.none, Self.none, Self.none, &area, nil, nil) == 0
      else { return nil }
    } else {
      guard unsafe create(&object, &area) == 0 else { return nil }
      _ = unsafe library.flush(context, object)
    }
    defer { unsafe library.free(area) }
    return unsafe marshalled(area)
  }

  private func create(
    _ object: inout UInt32, _ area: inout UnsafeMutableRawPointer?
  ) -> UInt32 {
    let size = Self.structureByteCount
    let template = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    defer { unsafe template.deallocate() }
    let sensitive = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    defer { unsafe sensitive.deallocate() }
    // Empty: no outside information, no PCR.
    let nothing = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    defer { unsafe nothing.deallocate() }
    unsafe memset(template, 0, size)
    unsafe memset(sensitive, 0, size)
    unsafe memset(nothing, 0, size)
    let area1 = Self.templateBytes()
    let area2 = Self.emptySensitive
    var offset = 0
    let first = unsafe area1.withUnsafeBufferPointer {
      unsafe library.unmarshalPublic($0.baseAddress, $0.count, &offset, template)
    }
    offset = 0
    let second = unsafe area2.withUnsafeBufferPointer {
      unsafe library.unmarshalSensitive($0.baseAddress, $0.count, &offset, sensitive)
    }
    guard first == 0, second == 0 else { return max(first, second) }
    return unsafe library.createPrimary(
      context, Self.endorsement, Self.password, Self.none, Self.none, sensitive, template, nothing,
      nothing, &object, &area, nil, nil, nil)
  }

  private func marshalled(_ area: UnsafeMutableRawPointer?) -> Text? {
    var bytes = [UInt8](repeating: 0, count: Self.structureByteCount)
    var offset = 0
    let code = unsafe bytes.withUnsafeMutableBufferPointer {
      unsafe library.marshalPublic(area, $0.baseAddress, $0.count, &offset)
    }
    // Two bytes of length come first.
    guard code == 0, offset > 2, offset <= bytes.count else { return nil }
    return Text(bytes).slice(2..<offset)
  }

  /// TPM2B_SENSITIVE_CREATE with empty authorization and data.
  private static let emptySensitive: [UInt8] = [0, 4, 0, 0, 0, 0]

  /// TCG EK Credential Profile 2.5, template L-1: RSA 2048, storage key, its policy the knowledge
  /// of the endorsement hierarchy's authorization.
  private static func templateBytes() -> [UInt8] {
    var bytes: [UInt8] = [
      0x01, 0x3A, 0x00, 0x01, 0x00, 0x0B, 0x00, 0x03, 0x00, 0xB2, 0x00, 0x20,
      0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xB3, 0xF8, 0x1A, 0x90, 0xCC, 0x8D, 0x46, 0xA5, 0xD7,
      0x24, 0xFD, 0x52, 0xD7, 0x6E, 0x06, 0x52, 0x0B, 0x64, 0xF2, 0xA1, 0xDA, 0x1B, 0x33, 0x14,
      0x69, 0xAA,
      // AES 128 CFB, no scheme, 2048 bits, the usual exponent, and 256 bytes to be filled.
      0x00, 0x06, 0x00, 0x80, 0x00, 0x43, 0x00, 0x10, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,
      0x00,
    ]
    for _ in 0..<256 { bytes.append(0) }
    return bytes
  }
}
