public import HandbackCore

/// What was found damaged in a journal, and what became of it.
public struct JournalReport: Sendable {
  /// Where the damaged file is kept, if it was set aside.
  public internal(set) var asidePath: Text?
  /// How many rows were brought back from their second copies.
  public internal(set) var restoredCount: Int64 = 0
  /// How many deactivations have been found to be damaged in both files.
  public internal(set) var damagedCount: Int64 = 0
  /// Something is lost, and nothing is left that names it: ticket `1-000000` stands for it.
  public internal(set) var isUnnamed = false
  /// A row has no second copy, and none can be made: not all of their file can be read.
  public internal(set) var isCopyUnreadable = false
}
