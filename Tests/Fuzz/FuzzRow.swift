internal import CSQLite
internal import Foundation

@testable internal import HandbackCore
@testable internal import HandbackLinux

/// A row whose columns hold anything: what a damaged or a forged journal gives.
enum FuzzRow {
  nonisolated(unsafe) private static let connection: OpaquePointer? = {
    var handle: OpaquePointer?
    require(sqlite3_open(":memory:", &handle) == SQLITE_OK, "SQLite can't open")
    return handle
  }()

  nonisolated(unsafe) private static let cipher: CredentialCipher = {
    let digits = [UInt8](repeating: UInt8(ascii: "5"), count: 64)
    guard let key = SealKey(hex: Secret(copying: digits.span)), let cipher = CredentialCipher(key)
    else { fatalError("there is no libcrypto") }
    return cipher
  }()

  /// A second copy's image of a row: its columns end where it does.
  private static func walk(_ image: Span<UInt8>) {
    var index = 0
    while let column = RowImage.column(at: &index, in: image) {
      require(index <= image.count, "a column that ends behind its image")
      switch column {
      case .text(let range), .blob(let range):
        require(range.upperBound == index && range.lowerBound >= 5, "a text out of its place")
      case .null, .integer: break
      }
    }
  }

  static func run(_ input: FuzzInput) {
    var input = input
    walk(input.rest.span)
    var handle: OpaquePointer?
    // The request's fields and the wait, where `RowColumn` has them; nobody reads the others here.
    let sql = """
      SELECT 0, 0, 0, 0, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, 0, 0, 0, 0, ?12, ?13, ?14
      """
    require(
      sqlite3_prepare_v2(connection, sql, -1, &handle, nil) == SQLITE_OK, "SQLite can't prepare")
    var pieces: [[UInt8]] = []
    for index in 1...14 { bind(&input, to: handle, CInt(index), &pieces) }
    var statement = SQLiteStatement(owning: handle)
    guard (try? statement.step()) == true else { return }
    _ = DeactivationRow.wait(statement, from: RowColumn.wait)
    if let image = try? statement.image(columnCount: statement.columnCount) {
      image.withBytes { walk($0) }
    }
    guard let deactivation = read(statement) else { return }
    let body = deactivation.body()
    let isObject = body.withBytes { bytes in JSONText.isObject(bytes) }
    require(isObject, "a body that is no JSON object")
    _ = deactivation.fingerprint()
  }

  /// A sealed secret is tried with a key, whose check stands in the seeds.
  private static func read(_ statement: borrowing SQLiteStatement) -> Deactivation? {
    do throws(SealProblem) {
      return try DeactivationRow.read(statement, .noKey(""))
    } catch {
      return (try? DeactivationRow.read(statement, .key(cipher))) ?? nil
    }
  }

  private static func bind(
    _ input: inout FuzzInput, to handle: OpaquePointer?, _ index: CInt, _ pieces: inout [[UInt8]]
  ) {
    let kind = input.byte()
    let piece = input.piece()
    let copy = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    switch kind % 5 {
    case 0: sqlite3_bind_null(handle, index)
    case 1: sqlite3_bind_int64(handle, index, piece.reduce(0) { $0 &* 256 &+ Int64($1) })
    case 2: sqlite3_bind_double(handle, index, Double(piece.count) * 1e300)
    case 3: sqlite3_bind_blob(handle, index, piece, CInt(piece.count), copy)
    default:
      piece.withUnsafeBytes { bytes in
        _ = sqlite3_bind_text(
          handle, index, bytes.bindMemory(to: CChar.self).baseAddress, CInt(piece.count), copy)
      }
    }
  }
}
