internal import CLibc
import HandbackCore

/// The files that hardware shows itself by: the running system's, or those below a folder that
/// holds an unpacked image or a support dump.
///
/// Nothing here is written, and nothing waits: files are opened without blocking, and only what
/// is a regular file is read. Below a folder, symbolic links are resolved by hand, one component
/// after the other, and never lead out of it.
@safe
struct HardwareTree: ~Copyable {
  /// The folder, or -1 for the running system.
  private let root: Int32

  init() { root = -1 }

  init(below folder: [UInt8]) throws(HardwareSurvey.Failure) {
    let opened = unsafe withNULTerminated(folder) { unsafe clibc_open_folder($0) }
    guard opened >= 0 else { throw .rootCannotBeOpened(errorCode: clibc_errno()) }
    root = opened
  }

  deinit {
    if root >= 0 { close(root) }
  }

  var isRunningSystem: Bool { root < 0 }

  // MARK: Reading

  /// A file's content, up to `byteCountMax` bytes.
  func read(_ path: HardwarePath, byteCountMax: Int = HardwareText.byteCountMax)
    -> HardwareObservation.Content
  {
    switch readBytes(path, byteCountMax: byteCountMax) {
    case .success(let bytes): .value(HardwareText(bytes))
    case .failure(let reason): Self.content(reason.code)
    }
  }

  struct ErrorCode: Error {
    let code: Int32
  }

  func readBytes(_ path: HardwarePath, byteCountMax: Int) -> Result<[UInt8], ErrorCode> {
    let file = open(path)
    guard file >= 0 else { return .failure(ErrorCode(code: clibc_errno())) }
    defer { close(file) }
    // A folder or a FIFO in a file's place is as good as no file.
    guard clibc_is_regular(file) == 1 else { return .failure(ErrorCode(code: ENOENT)) }
    var bytes = [UInt8](repeating: 0, count: byteCountMax)
    var fill = 0
    while fill < byteCountMax {
      let count = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe CLibc.read(file, buffer.baseAddress.map { unsafe $0 + fill }, byteCountMax - fill)
      }
      if count < 0, clibc_errno() == EINTR { continue }
      guard count >= 0 else { return .failure(ErrorCode(code: clibc_errno())) }
      if count == 0 { break }
      fill += count
    }
    bytes.removeSubrange(fill...)
    return .success(bytes)
  }

  /// What an error means for a source: only what is not there is absent.
  static func content(_ code: Int32) -> HardwareObservation.Content {
    clibc_is_missing(code) != 0 || code == ELOOP ? .absent : .unreadable
  }

  func exists(_ path: HardwarePath) -> Bool {
    if root < 0 { return unsafe path.withCString { unsafe access($0, F_OK) } == 0 }
    let file = open(path)
    if file < 0 { return clibc_is_refused(clibc_errno()) != 0 }
    close(file)
    return true
  }

  /// Where a symbolic link leads, as written; `nil` for anything else.
  func linkTarget(_ path: HardwarePath) -> [UInt8]? {
    if root < 0 { return Self.linkTarget(-1, path.bytes) }
    let components = Self.components(of: path.bytes)
    guard let name = components.last else { return nil }
    guard let (folder, _) = walk(Array(components.dropLast())) else { return nil }
    defer { close(folder) }
    return Self.linkTarget(folder, name)
  }

  /// The names in a folder, sorted; `nil` if there are more than `countMax`. A folder that is
  /// not there has none.
  func names(in path: HardwarePath, countMax: Int) -> [[UInt8]]? {
    let folder = open(path)
    guard folder >= 0 else { return [] }
    guard let stream = unsafe fdopendir(folder) else {
      close(folder)
      return []
    }
    defer { unsafe closedir(stream) }
    var names: [[UInt8]] = []
    while let text = unsafe clibc_next_name(stream) {
      let name = unsafe bytes(of: text, byteCountMax: 255)
      if name.first == 0x2E { continue }
      if names.count >= countMax { return nil }
      names.append(name)
    }
    names.sort { $0.lexicographicallyPrecedes($1) }
    return names
  }

  // MARK: Below a folder

  private func open(_ path: HardwarePath) -> Int32 {
    if root < 0 {
      while true {
        let file = unsafe path.withCString { unsafe clibc_open_to_read($0) }
        if file >= 0 || clibc_errno() != EINTR { return file }
      }
    }
    guard let (folder, name) = walk(Self.components(of: path.bytes)) else { return -1 }
    guard let name else { return folder }
    let file = unsafe withNULTerminated(name) { unsafe clibc_open_in(folder, $0) }
    let code = clibc_errno()
    close(folder)
    clibc_set_errno(code)
    return file
  }

  /// Links in a path are followed this often, as the kernel does, so loops end.
  private static let linkCountMax = 40

  /// Resolves links below the root: the folder of the last component, and its name; no name if
  /// the path ends at a folder. `nil`, and `errno`, if there is none or a link leads out.
  private func walk(_ components: [[UInt8]]) -> (folder: Int32, name: [UInt8]?)? {
    var pending = components
    var resolved: [[UInt8]] = []
    var linkCount = 0
    while !pending.isEmpty {
      let name = pending.removeFirst()
      if name == [0x2E] { continue }
      if name == [0x2E, 0x2E] {
        // Out of the root: not followed, and as good as not there.
        guard resolved.popLast() != nil else {
          clibc_set_errno(ENOENT)
          return nil
        }
        continue
      }
      let folder = openFolder(resolved)
      guard folder >= 0 else { return nil }
      guard let target = Self.linkTarget(folder, name) else {
        if pending.isEmpty { return (folder, name) }
        close(folder)
        resolved.append(name)
        continue
      }
      close(folder)
      linkCount += 1
      guard linkCount <= Self.linkCountMax else {
        clibc_set_errno(ELOOP)
        return nil
      }
      // An absolute link means the device's own root.
      if target.first == 0x2F { resolved.removeAll() }
      pending = Self.components(of: target) + pending
    }
    let folder = openFolder(resolved)
    return folder < 0 ? nil : (folder, nil)
  }

  /// Opens a folder whose path has no link in it.
  private func openFolder(_ components: [[UInt8]]) -> Int32 {
    var folder = unsafe withNULTerminated([0x2E]) { unsafe clibc_open_folder_in(root, $0) }
    for name in components where folder >= 0 {
      let next = unsafe withNULTerminated(name) { unsafe clibc_open_folder_in(folder, $0) }
      let code = clibc_errno()
      close(folder)
      clibc_set_errno(code)
      folder = next
    }
    return folder
  }

  private static func linkTarget(_ folder: Int32, _ name: [UInt8]) -> [UInt8]? {
    var target = [UInt8](repeating: 0, count: 4096)
    let count = unsafe withNULTerminated(name) { path in
      unsafe target.withUnsafeMutableBufferPointer { buffer in
        unsafe clibc_read_link_at(folder, path, buffer.baseAddress, buffer.count)
      }
    }
    guard count > 0 else { return nil }
    target.removeSubrange(Int(count)...)
    return target
  }

  private static func components(of path: [UInt8]) -> [[UInt8]] {
    var components: [[UInt8]] = []
    var name: [UInt8] = []
    for byte in path {
      if byte == 0x2F {
        if !name.isEmpty { components.append(name) }
        name = []
      } else {
        name.append(byte)
      }
    }
    if !name.isEmpty { components.append(name) }
    return components
  }
}
