import Foundation

/// Where the repository's own files are, from any test.
public enum Repository {
  public static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  public static func file(_ path: String) -> URL { folder.appendingPathComponent(path) }

  /// The files of a folder in `Tests/Vectors`, by name.
  public static func vectors(_ path: String) throws -> [URL] {
    try FileManager.default
      .contentsOfDirectory(at: file("Tests/Vectors/" + path), includingPropertiesForKeys: nil)
      .sorted { $0.lastPathComponent < $1.lastPathComponent }
  }
}
