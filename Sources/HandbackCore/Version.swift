/// What this program is.
public enum Version {
  public static let text: Literal = "0.1.0"

  /// Sent as `sdk_ver` unless another is asked for, and as the HTTP `User-Agent`'s product.
  public static let sdkVersion: Literal = "handback 0.1.0"

  public static let userAgent: Literal = "handback/0.1.0"

  /// The day of the release, seconds since 1970-01-01 UTC: 2026-11-23. No clock that is right is
  /// behind it. A constant, and not the time of the build, so that builds are reproducible.
  public static let releaseEpochSeconds: Int64 = 1_795_392_000
}
