internal import CLibc
public import HandbackCore

/// What a process does about itself.
public enum Process {
  /// No core file may hold keys, and a closed pipe is an error of `write`, not the end.
  public static func protect() {
    clibc_forbid_core_dump()
    signal(SIGPIPE, clibc_ignore())
    // So is a file that would become larger than `ulimit -f` allows.
    signal(SIGXFSZ, clibc_ignore())
    // What is made is for our user alone, and not closed to us by the caller's umask.
    umask(0o077)
  }

  public static var isRoot: Bool { geteuid() == 0 }

  /// Makes sure that descriptors 0 to 2 are open: a file opened later must not become standard
  /// output because the caller closed it.
  public static func openStandardStreams() {
    while true {
      let file = unsafe clibc_open_inherited(("/dev/null" as Literal).cString, O_RDWR)
      if file < 0 { return }
      if file > 2 {
        close(file)
        return
      }
    }
  }

  /// `NAME=value` of the environment, in order; `nil` past the end.
  public static func environment(_ index: Int) -> Text? {
    guard let entry = unsafe clibc_environment(Int32(index)) else { return nil }
    return unsafe Text(cString: entry)
  }

  /// The value of an environment variable; `nil` if it isn't set or is empty.
  public static func variable(_ name: Literal) -> Text? {
    var index = 0
    while let entry = environment(index) {
      index += 1
      guard let equals = entry.firstIndex(of: UInt8(ascii: "=")),
        entry.prefix(equals).isEqual(to: name), equals + 1 < entry.bytes.count
      else { continue }
      return entry.suffix(from: equals + 1)
    }
    return nil
  }

  /// Gives freed memory back to the kernel. The C function is `malloc_trim`.
  public static func trimMemory() { malloc_trim(0) }

  public static func isTerminal(_ file: Int32) -> Bool { isatty(file) == 1 }

  /// Whether standard error is the journal's own stream, so that a line's level is understood
  /// (systemd.exec(5), `$JOURNAL_STREAM`).
  public static let isErrorStreamJournal: Bool = {
    guard let name = variable("JOURNAL_STREAM"), let colon = name.firstIndex(of: UInt8(ascii: ":")),
      let device = Decimal.integer(name.bytes.span.extracting(0..<colon)),
      let inode = Decimal.integer(name.bytes.span.extracting((colon + 1)..<name.bytes.count))
    else { return false }
    return clibc_is_file(2, UInt64(bitPattern: device), UInt64(bitPattern: inode)) == 1
  }()

  public static func isForbidden(errno code: Int32) -> Bool { code == EACCES || code == EPERM }
  public static func isReadOnly(errno code: Int32) -> Bool { code == EROFS }

  public static func description(ofErrno code: Int32) -> Text {
    guard let text = unsafe strerror(code) else { return "error" }
    return unsafe Text(cString: text)
  }
}
