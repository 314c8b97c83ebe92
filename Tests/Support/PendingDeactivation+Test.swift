import HandbackCore

extension PendingDeactivation {
  /// `nil` if it can't be read here.
  public var deactivation: Deactivation? {
    if case .deactivation(let deactivation) = content { deactivation } else { nil }
  }
}
