import HandbackCore

/// The public half of a TPM's endorsement key, hashed. Asked for by the operator only: a firmware
/// update of some TPMs makes new keys, and clearing the endorsement hierarchy does.
enum TPMSource {
  /// - place: where the TPM is, in tpm2-tss's words; empty for the resource manager's device,
  ///   which shares the TPM with whoever else uses it.
  static func observe(
    _ system: borrowing HardwareSystem, _ place: Text, into found: HardwareObservations
  ) {
    if place.isEmpty, system.tree.exists("/dev/tpmrm0") == false {
      // A sandbox hides the device's file (PrivateDevices=), and not the device. A TPM 1.2 has none.
      let isHidden = system.tree.exists("/sys/class/tpmrm/tpmrm0") != false
      found.add(.tpmEndorsementKey, isHidden ? .unreadable : .absent)
      return
    }
    // A TPM that is there and does not answer is no missing TPM, nor is a missing library.
    guard let session = TPMSession(place.isEmpty ? "device:/dev/tpmrm0" : place),
      let area = session.endorsementKey()
    else {
      found.add(.tpmEndorsementKey, .unreadable)
      return
    }
    found.add(.tpmEndorsementKey, .value(area.hashed()))
  }
}
