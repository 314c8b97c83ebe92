internal import CLibc
import HandbackCore

/// The public half of a TPM's endorsement key, hashed. Asked for by the operator only: a firmware
/// update of some TPMs makes new keys, and clearing the endorsement hierarchy does.
enum TPMSource {
  /// The resource manager's device: it shares the TPM with whoever else uses it.
  static let device: StaticString = "/dev/tpmrm0"

  /// - configuration: tpm2-tss's words for where the TPM is; empty for the device.
  static func observe(
    _ system: borrowing HardwareSystem, _ configuration: Text,
    into found: HardwareObservations
  ) {
    var place = configuration
    if place.isEmpty {
      guard system.tree.exists(device) else {
        found.add(.tpmEndorsementKey, .absent)
        return
      }
      place = Text("device:")
      place.append(device)
    }
    // A TPM that is there and does not answer is no missing TPM, nor is a missing library.
    guard let library = TPMLibrary(), let session = TPMSession(library, place),
      let area = session.endorsementKey()
    else {
      found.add(.tpmEndorsementKey, .unreadable)
      return
    }
    var hasher = SHA256()
    hasher.update(area.bytes.span)
    let digest = hasher.finalize()
    var bytes: [UInt8] = []
    for index in digest.indices { bytes.append(digest[index]) }
    found.add(.tpmEndorsementKey, .value(Text(hexOf: bytes)))
  }
}
