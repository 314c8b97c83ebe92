import Foundation
import HandbackCore

/// Many pending rows at once, where queueing each would test nothing more.
public enum SealedRows {
  /// Statements that insert rows as the program writes them, sealed, and their second copies.
  public static func make(_ numbers: ClosedRange<Int>) -> (sql: String, copies: Data) {
    var sql = "BEGIN;\n"
    var copies = Data()
    for number in numbers {
      var row = Row()
      // Row, nonce, state.
      for value in [number, number, 0] { row.add(value) }
      row.add((0..<16).map { _ in UInt8.random(in: 0...255) })
      row.add("XY")
      row.add("device-\(number)")
      row.add(0)
      row.add("AAAA-BBBB-CCCC-DDDD")
      for _ in 8...14 { row.addNull() }
      // When it was queued, attempts, those that are open, failures, held.
      for value in [1_800_000_000, 0, 0, 0, 0] { row.add(value) }
      for _ in 20...27 { row.addNull() }
      // Inferred, the server's signature, restored.
      row.add(0)
      row.addNull()
      row.add(0)
      let (values, seal, copy) = row.seal()
      sql += "INSERT INTO deactivation VALUES (\(values),\(seal));\n"
      copies.append(copy)
    }
    return (sql + "COMMIT;\n", copies)
  }

  /// A row's columns as the `sqlite3` command quotes them: its check value, for SQL.
  public static func seal(quoted columns: [String]) -> String {
    var row = Row()
    for column in columns {
      if let number = Int(column) {
        row.add(number)
      } else if column == "NULL" {
        row.addNull()
      } else {
        row.add(String(column.dropFirst().dropLast()))
      }
    }
    return row.seal().seal
  }

  private struct Row: ~Copyable {
    private var values: [String] = []
    private var image = RowImage()

    mutating func add(_ number: Int) {
      values.append("\(number)")
      image.append(Int64(number))
    }

    mutating func add(_ text: String) {
      values.append("'\(text)'")
      image.append(Array(text.utf8).span, isText: true)
    }

    mutating func add(_ blob: [UInt8]) {
      values.append("X'" + blob.map { String(format: "%02x", $0) }.joined() + "'")
      image.append(blob.span, isText: false)
    }

    mutating func addNull() {
      values.append("NULL")
      image.appendNull()
    }

    consuming func seal() -> (values: String, seal: String, copy: Data) {
      let values = values
      let image = image.take()
      let bytes = image.copyBytes()
      let seal = [UInt8](RowImage.seal(image))
      var copy = Data("HBCr".utf8)
      withUnsafeBytes(of: UInt32(bytes.count).bigEndian) { copy.append(contentsOf: $0) }
      copy.append(contentsOf: seal + bytes)
      copy.append(Data(count: (512 - copy.count % 512) % 512))
      let hex = seal.map { String(format: "%02x", $0) }.joined()
      return (values.joined(separator: ","), "X'\(hex)'", copy)
    }
  }
}
