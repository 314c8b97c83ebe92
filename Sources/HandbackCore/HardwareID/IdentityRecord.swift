/// What is pinned: the ID as issued, and what the hardware looked like then.
///
/// The ID in it is sent for ever, whatever a newer version of the rules would make of the same
/// hardware. No raw value is in it. A class: its ten words are passed on in many places.
public final class IdentityRecord: Sendable {
  public let id: HardwareID
  public let scheme: HardwareIDScheme
  public let idClass: HardwareIDClass
  public let platform: Platform
  /// The date of the rules that made it, as the number 20261128.
  public let rulesDate: Int64
  public let components: ComponentTokens
  public let pinnedAtEpochSeconds: Int64
  /// Why it was made: `first use`, `provisioned`, or what `--repin` was given.
  public let reason: Text

  /// At most this much of a reason is kept.
  public static let reasonByteCountMax = 256

  public init(
    id: HardwareID, scheme: HardwareIDScheme, idClass: HardwareIDClass, platform: Platform,
    rulesDate: Int64, components: ComponentTokens, pinnedAtEpochSeconds: Int64,
    reason: Text
  ) {
    self.id = id
    self.scheme = scheme
    self.idClass = idClass
    self.platform = platform
    self.rulesDate = rulesDate
    self.components = components
    self.pinnedAtEpochSeconds = pinnedAtEpochSeconds
    self.reason = reason
  }
}
