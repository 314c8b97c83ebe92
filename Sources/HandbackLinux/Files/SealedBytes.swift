internal import HandbackCore

/// Bytes in a file with their check value before them (`RowImage.seal`).
enum SealedBytes {
  /// The bytes behind the seal at `offset`; `nil` if they aren't what was sealed.
  static func read(_ file: Int32, at offset: Int64, _ byteCount: Int) -> Secret? {
    guard let whole = Descriptor.read(file, at: offset, 16 + byteCount) else { return nil }
    return content(whole)
  }

  /// What is behind the seal; `nil` if it isn't what was sealed.
  static func content(_ whole: borrowing Secret) -> Secret? {
    whole.withBytes { bytes in
      let content = Secret(copying: bytes.extracting(16...))
      let seal = RowImage.seal(content)
      for index in 0..<16 where seal[index] != bytes[index] { return nil }
      return content
    }
  }

  static func append(_ bytes: borrowing Secret, to buffer: inout SecretBuffer) {
    buffer.append(RowImage.seal(bytes).span)
    bytes.withBytes { buffer.append($0) }
  }
}
