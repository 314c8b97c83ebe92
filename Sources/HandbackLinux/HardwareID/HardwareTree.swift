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

  init(below folder: Text) throws(HardwareSurvey.Failure) {
    let opened = unsafe clibc_open_folder(folder.cString)
    guard opened >= 0 else { throw .rootCannotBeOpened(errorCode: clibc_errno()) }
    root = opened
  }

  deinit {
    if root >= 0 { close(root) }
  }

  var isRunningSystem: Bool { root < 0 }

  // MARK: Reading

  /// Longer than any identifier: the rules refuse a text of this length.
  static let byteCountMax = 4096

  /// A file's content, up to `byteCountMax` bytes.
  @_disfavoredOverload
  @inline(never)
  func read(_ path: Text, byteCountMax: Int = Self.byteCountMax)
    -> HardwareObservation.Content
  {
    let file = open(path)
    guard file >= 0 else { return Self.content(clibc_errno()) }
    defer { close(file) }
    // A folder or a FIFO in a file's place is as good as no file.
    let isRegular = clibc_is_regular(file)
    guard isRegular >= 0 else { return Self.content(clibc_errno()) }
    guard isRegular == 1 else { return .absent }
    var bytes = [UInt8](repeating: 0, count: byteCountMax)
    var fill = 0
    while fill < byteCountMax {
      let count = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe CLibc.read(file, buffer.baseAddress.map { unsafe $0 + fill }, byteCountMax - fill)
      }
      if count < 0, clibc_errno() == EINTR { continue }
      guard count >= 0 else { return Self.content(clibc_errno()) }
      if count == 0 { break }
      fill += count
    }
    bytes.removeLast(byteCountMax - fill)
    return .value(Text(bytes))
  }

  @inline(never)
  func read(_ path: Literal) -> HardwareObservation.Content { read(Text(path)) }

  /// A file's text, nothing for one that can't be read: for what no decision hangs on.
  func text(_ path: Text, byteCountMax: Int = Self.byteCountMax) -> Text {
    guard case .value(let text) = read(path, byteCountMax: byteCountMax) else {
      return Text()
    }
    return text
  }

  /// Whether there may be a link where `linkTarget` just found none.
  static var hidesLink: Bool { clibc_errno() != EINVAL && clibc_is_missing(clibc_errno()) == 0 }

  /// What an error means for a source: only what is not there is absent.
  private static func content(_ code: Int32) -> HardwareObservation.Content {
    clibc_is_missing(code) != 0 ? .absent : .unreadable
  }

  /// `nil` if it can't be told, for another reason than that it is refused.
  @_disfavoredOverload
  @inline(never)
  func exists(_ path: Text) -> Bool? {
    let isSystem = root < 0
    let file = isSystem ? unsafe access(path.cString, F_OK) : open(path)
    if file >= 0 {
      if !isSystem { close(file) }
      return true
    }
    let code = clibc_errno()
    // A socket is there, and can't be opened; below a folder, nor can another user's file.
    if !isSystem, code == ENXIO || clibc_is_refused(code) != 0 { return true }
    return clibc_is_missing(code) != 0 || clibc_is_refused(code) != 0 ? false : nil
  }

  @inline(never)
  func exists(_ path: Literal) -> Bool? { exists(Text(path)) }

  /// Where a symbolic link leads, as written; `nil` for anything else, and `errno`.
  @inline(never)
  func linkTarget(_ path: Text) -> Text? {
    if root < 0 { return Self.linkTarget(-1, path) }
    var components = path.split(at: Self.slash)
    guard let name = components.popLast(), let place = walk(components) else { return nil }
    // `walk` gives the last folder's parent and its name.
    let folder = place.name.isEmpty ? place.folder : Self.enter(place.folder, place.name)
    guard folder >= 0 else { return nil }
    defer { close(folder) }
    return Self.linkTarget(folder, name)
  }

  /// Gives `body` the names in a folder, hidden ones left out, until it says `false`. A folder
  /// that is not there has none; `false` for one that can't be read to its end.
  @discardableResult
  @inline(never)
  func eachName(in path: Text, _ body: (Text) -> Bool) -> Bool {
    let folder = open(path)
    guard folder >= 0 else { return clibc_is_missing(clibc_errno()) != 0 }
    guard let stream = unsafe fdopendir(folder) else {
      close(folder)
      return false
    }
    defer { unsafe closedir(stream) }
    while let text = unsafe clibc_next_name(stream) {
      let name = unsafe Text(cString: text)
      if !name.hasPrefix("."), !body(name) { return true }
    }
    return clibc_errno() == 0
  }

  // MARK: Below a folder

  private static let slash: UInt8 = 0x2F

  /// An open file, or -1 and `errno`.
  @inline(never)
  private func open(_ path: Text) -> Int32 {
    if root < 0 {
      while true {
        let file = unsafe clibc_open_to_read(path.cString)
        if file >= 0 || clibc_errno() != EINTR { return Int32(file) }
      }
    }
    guard let place = walk(path.split(at: Self.slash)) else { return -1 }
    let name = place.name.isEmpty ? Text(".") : place.name
    let file = unsafe clibc_open_in(place.folder, name.cString)
    let code = clibc_errno()
    close(place.folder)
    clibc_set_errno(code)
    return Int32(file)
  }

  /// Links in a path are followed this often, as the kernel does, so loops end.
  private static let linkCountMax = 40

  private struct Place {
    let folder: Int32
    /// Empty for the root itself.
    let name: Text
  }

  /// Resolves links below the root: the folder of the last component, and its name. `nil`, and
  /// `errno`, if there is none or a link leads out.
  @inline(never)
  private func walk(_ components: [Text]) -> Place? {
    // The next component is the last one.
    var pending: [Text] = []
    Self.push(components, onto: &pending)
    var resolved: [Text] = []
    var linkCount = 0
    while let name = pending.popLast() {
      if name.isEqual(to: ".") { continue }
      if name.isEqual(to: "..") {
        // Out of the root: not followed, and as good as not there.
        if resolved.popLast() == nil { return Self.fail(ENOENT) }
        continue
      }
      let folder = openFolder(resolved, count: resolved.count)
      guard folder >= 0 else { return nil }
      let target = Self.linkTarget(folder, name)
      close(folder)
      guard let target else {
        // It may be one, and what it leads to be there.
        if Self.hidesLink { return nil }
        resolved.append(name)
        continue
      }
      linkCount += 1
      if linkCount > Self.linkCountMax { return Self.fail(ENOENT) }
      // An absolute link means the device's own root.
      if target.hasPrefix("/") { resolved = [] }
      Self.push(target.split(at: Self.slash), onto: &pending)
    }
    let folder = openFolder(resolved, count: resolved.count - 1)
    if folder < 0 { return nil }
    return Place(folder: folder, name: resolved.last ?? Text())
  }

  private static func fail(_ code: Int32) -> Place? {
    clibc_set_errno(code)
    return nil
  }

  private static func push(_ components: [Text], onto pending: inout [Text]) {
    var index = components.count
    while index > 0 {
      index -= 1
      pending.append(components[index])
    }
  }

  /// Opens a folder whose path, the first `count` components, has no link in it.
  private func openFolder(_ components: [Text], count: Int) -> Int32 {
    var folder = Self.openFolder(root, Text("."))
    var index = 0
    while index < count, folder >= 0 {
      folder = Self.enter(folder, components[index])
      index += 1
    }
    return folder
  }

  /// Opens a folder in another, which is closed.
  private static func enter(_ folder: Int32, _ name: Text) -> Int32 {
    let next = openFolder(folder, name)
    let code = clibc_errno()
    close(folder)
    clibc_set_errno(code)
    return next
  }

  private static func openFolder(_ folder: Int32, _ name: Text) -> Int32 {
    Int32(unsafe clibc_open_folder_in(folder, name.cString))
  }

  @inline(never)
  private static func linkTarget(_ folder: Int32, _ name: Text) -> Text? {
    var target = [UInt8](repeating: 0, count: Self.byteCountMax)
    let count = unsafe clibc_read_link_at(folder, name.cString, &target, target.count)
    guard count > 0 else { return nil }
    target.removeLast(target.count - count)
    return Text(target)
  }
}
