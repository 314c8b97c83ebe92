/// Where the pin is kept: the journal's `identity` table, one row a record, never changed or
/// deleted. The last row is in force, those before it are its history.
public protocol IdentityStore: ~Copyable {
  associatedtype Failure: Error

  /// How many records there are: 0 before the first pin.
  mutating func recordCount() throws(Failure) -> Int

  /// A record by its place, the oldest 0; `nil` past the last.
  mutating func record(at index: Int) throws(Failure) -> IdentityRecord?

  /// Adds a record and makes it durable, if there are still `count` records; says `false`, and
  /// adds nothing, if another process was faster.
  mutating func append(_ record: IdentityRecord, after count: Int) throws(Failure) -> Bool
}
