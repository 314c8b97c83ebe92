public enum Version {
  public static let text: StaticString = "0.1.0"
}
