public import HandbackCore

/// Reads all that says which device this is.
public enum HardwareSurvey {
  public enum Failure: Error {
    /// The folder given as root can't be opened.
    case rootCannotBeOpened(errorCode: Int32)
  }

  /// Reads the running system, or with `root` the tree below that folder.
  ///
  /// - settleDeadlineMilliseconds: how long udev may still work off its events; past it, sources
  ///   that may come late count as such, and a weaker ID is not made instead of theirs.
  /// - tpm: whether to ask the TPM too, and where it is in tpm2-tss's words; empty for
  ///   `device:/dev/tpmrm0`. Never asked below a folder.
  public static func take(
    root: Text?, settleDeadlineMilliseconds: Int, tpm: Text? = nil
  ) throws(Failure) -> HardwareEvidence {
    let tree: HardwareTree
    if let root {
      tree = try HardwareTree(below: root)
    } else {
      tree = HardwareTree()
    }
    let system = HardwareSystem(tree: tree)
    let found = HardwareObservations()
    found.isSettled = system.waitUntilSettled(deadlineMilliseconds: settleDeadlineMilliseconds)
    // To add a source: its line here, and its case in the ranking of `HardwareIDSource`.
    if let tpm, root == nil { TPMSource.observe(system, tpm, into: found) }
    SoCSource.observe(system, into: found)
    CPUInfoSource.observe(system, into: found)
    DeviceTreeSource.observe(system, into: found)
    BoardEEPROMSource.observe(system, into: found)
    DMISource.observe(system, into: found)
    MMCSource.observe(system, into: found)
    NetworkSource.observe(system, into: found)
    DiskSource.observe(system, into: found)
    VMGenerationSource.observe(system, into: found)
    PlatformSource.observe(system, into: found)
    return HardwareEvidence(found)
  }
}
