internal import CLibc
import HandbackCore

/// The functions of tpm2-tss that reading an endorsement key takes, found at run time: boards
/// without a TPM need neither the library nor its headers.
///
/// The library's structures stay opaque. They are made from and turned into the TPM's own bytes by
/// the library itself (`Tss2_MU_…`), so no layout is repeated here.
@safe
struct TPMLibrary: ~Copyable {
  typealias Free = @convention(c) (UnsafeMutableRawPointer?) -> Void
  typealias Finalize = @convention(c) (UnsafeMutablePointer<OpaquePointer?>) -> Void
  typealias OpenTransport =
    @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<OpaquePointer?>) -> UInt32
  typealias Initialize =
    @convention(c) (UnsafeMutablePointer<OpaquePointer?>, OpaquePointer?, OpaquePointer?) -> UInt32
  typealias FindObject =
    @convention(c) (OpaquePointer?, UInt32, UInt32, UInt32, UInt32, UnsafeMutablePointer<UInt32>)
    -> UInt32
  typealias ReadPublic =
    @convention(c) (
      OpaquePointer?, UInt32, UInt32, UInt32, UInt32,
      UnsafeMutablePointer<UnsafeMutableRawPointer?>, OpaquePointer?, OpaquePointer?
    ) -> UInt32
  typealias CreatePrimary =
    @convention(c) (
      OpaquePointer?, UInt32, UInt32, UInt32, UInt32, UnsafeRawPointer?, UnsafeRawPointer?,
      UnsafeRawPointer?, UnsafeRawPointer?, UnsafeMutablePointer<UInt32>,
      UnsafeMutablePointer<UnsafeMutableRawPointer?>, OpaquePointer?, OpaquePointer?, OpaquePointer?
    ) -> UInt32
  typealias Flush = @convention(c) (OpaquePointer?, UInt32) -> UInt32
  typealias Marshal =
    @convention(c) (
      UnsafeRawPointer?, UnsafeMutablePointer<UInt8>?, Int, UnsafeMutablePointer<Int>
    ) -> UInt32
  typealias Unmarshal =
    @convention(c) (
      UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<Int>, UnsafeMutableRawPointer?
    ) -> UInt32

  let openTransport: OpenTransport
  let closeTransport: Finalize
  let initialize: Initialize
  let finalize: Finalize
  let findObject: FindObject
  let readPublic: ReadPublic
  let createPrimary: CreatePrimary
  let flush: Flush
  let free: Free
  let marshalPublic: Marshal
  let unmarshalPublic: Unmarshal
  let unmarshalSensitive: Unmarshal

  /// `nil` if a library or a function is missing. They are never unloaded: the process ends soon.
  init?() {
    // Its own words on standard error would stand between ours; who set the variable wants them.
    unsafe setenv("TSS2_LOG", "all+none", 0)
    guard let loader = unsafe dlopen("libtss2-tctildr.so.0", RTLD_NOW | RTLD_LOCAL),
      let esys = unsafe dlopen("libtss2-esys.so.0", RTLD_NOW | RTLD_LOCAL),
      let mu = unsafe dlopen("libtss2-mu.so.0", RTLD_NOW | RTLD_LOCAL),
      let openTransport = unsafe dlsym(loader, "Tss2_TctiLdr_Initialize"),
      let closeTransport = unsafe dlsym(loader, "Tss2_TctiLdr_Finalize"),
      let initialize = unsafe dlsym(esys, "Esys_Initialize"),
      let finalize = unsafe dlsym(esys, "Esys_Finalize"),
      let findObject = unsafe dlsym(esys, "Esys_TR_FromTPMPublic"),
      let readPublic = unsafe dlsym(esys, "Esys_ReadPublic"),
      let createPrimary = unsafe dlsym(esys, "Esys_CreatePrimary"),
      let flush = unsafe dlsym(esys, "Esys_FlushContext"),
      let free = unsafe dlsym(esys, "Esys_Free"),
      let marshalPublic = unsafe dlsym(mu, "Tss2_MU_TPM2B_PUBLIC_Marshal"),
      let unmarshalPublic = unsafe dlsym(mu, "Tss2_MU_TPM2B_PUBLIC_Unmarshal"),
      let unmarshalSensitive = unsafe dlsym(mu, "Tss2_MU_TPM2B_SENSITIVE_CREATE_Unmarshal")
    else { return nil }
    // The types are those of tss2_tctildr.h, tss2_esys.h and tss2_mu.h, unchanged since 2.0.
    unsafe self.openTransport = unsafeBitCast(openTransport, to: OpenTransport.self)
    unsafe self.closeTransport = unsafeBitCast(closeTransport, to: Finalize.self)
    unsafe self.initialize = unsafeBitCast(initialize, to: Initialize.self)
    unsafe self.finalize = unsafeBitCast(finalize, to: Finalize.self)
    unsafe self.findObject = unsafeBitCast(findObject, to: FindObject.self)
    unsafe self.readPublic = unsafeBitCast(readPublic, to: ReadPublic.self)
    unsafe self.createPrimary = unsafeBitCast(createPrimary, to: CreatePrimary.self)
    unsafe self.flush = unsafeBitCast(flush, to: Flush.self)
    unsafe self.free = unsafeBitCast(free, to: Free.self)
    unsafe self.marshalPublic = unsafeBitCast(marshalPublic, to: Marshal.self)
    unsafe self.unmarshalPublic = unsafeBitCast(unmarshalPublic, to: Unmarshal.self)
    unsafe self.unmarshalSensitive = unsafeBitCast(unmarshalSensitive, to: Unmarshal.self)
  }
}
