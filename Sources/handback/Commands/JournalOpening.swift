internal import HandbackCore
internal import HandbackLinux

/// The journal's errors in a person's words.
enum JournalOpening {
  static func open(
    _ settings: Settings, _ access: SQLiteJournal.Access
  ) throws(Failure) -> SQLiteJournal {
    guard let journal = try openIfPresent(settings, access) else {
      let path = settings.journalPath
      throw failure(.missing, "cannot open the journal at \(path)", path)
    }
    return journal
  }

  /// Opens it, or says `nil` if there is none: then nothing was ever queued.
  static func openIfPresent(
    _ settings: Settings, _ access: SQLiteJournal.Access
  ) throws(Failure) -> SQLiteJournal? {
    let path = settings.journalPath
    do throws(JournalError) {
      let journal = try SQLiteJournal.open(path, access)
      journal.serverAddress = settings[.server] ?? ""
      return journal
    } catch {
      if case .missing = error { return nil }
      throw failure(error, "cannot open the journal at \(path)", path)
    }
  }

  /// `step` names what was tried, and on what.
  static func failure(_ error: JournalError, _ step: Text, _ path: Text) -> Failure {
    switch error {
    case .missing:
      return Failure(.ioError, "\(step): no such file")
    case .cannotCreate(let code):
      return system(code, .cannotCreate, step)
    case .cannotRead(let code):
      return system(code, .ioError, step)
    case .unsafeFile(let why):
      return unsafeFile(why, step, path)
    case .notADatabase:
      return Failure(
        .dataError, "\(step): it is no SQLite database",
        hint: "move it aside if it isn't needed; a new journal is made then")
    case .belongsToAnotherProgram:
      return Failure(
        .dataError, "\(step): it is another program's database",
        hint: "name another file with --journal")
    case .newerVersion(let version):
      return Failure(
        .dataError, "\(step): a newer handback made it (format \(version))",
        hint: "run that version; the file was left as it is")
    case .libraryNeverSyncs:
      return Failure(
        .configuration, "the system's SQLite was built to never sync: nothing could be promised",
        hint: "build SQLite without NO_SYNC (Buildroot: BR2_PACKAGE_SQLITE_NO_SYNC)")
    case .damagedRow(let row):
      return Failure(.dataError, "\(step): row \(row) or one behind it is damaged")
    case .damagedIdentity:
      return Failure(.dataError, "\(step): the pinned hardware ID is damaged")
    case .busy:
      return Failure(
        .temporaryFailure, "\(step): another process has it locked", hint: "run again")
    case .sqlite(let error):
      return sqlite(error, step)
    }
  }

  private static func system(_ code: Int32, _ exit: ExitCode, _ step: Text) -> Failure {
    let isForbidden = Process.isForbidden(errno: code)
    return Failure(
      isForbidden ? .noPermission : exit, "\(step): \(Process.description(ofErrno: code))",
      hint: isForbidden ? "run as the journal's owner, or name another file with --journal" : nil)
  }

  private static func unsafeFile(
    _ why: JournalError.UnsafeFile, _ step: Text, _ path: Text
  ) -> Failure {
    let cause: Literal
    var hint: Text?
    switch why {
    case .symbolicLink: cause = "it is a symbolic link"
    case .notRegular: cause = "it is no regular file"
    case .hardLinked: cause = "it has a second name (hard link)"
    case .ownedByAnother: cause = "another user owns it"
    case .reachableByOthers:
      cause = "others can read or write it, and it holds credentials"
      hint = "chmod 600 \(path)"
    }
    return Failure(.noPermission, "\(step): \(cause)", hint: hint)
  }

  private static func sqlite(_ error: SQLiteError, _ step: Text) -> Failure {
    let text: Text = "\(step): \(Text(printable: error.message)) (SQLite \(error.code))"
    if error.isFull {
      return Failure(.ioError, text, hint: "nothing was changed; free 12 KiB and run again")
    }
    if error.isCorrupt {
      return Failure(
        .dataError, text, hint: "the file is damaged; keep a copy of it and its -wal file")
    }
    if error.isNotPermitted { return Failure(.noPermission, text) }
    return Failure(error.cannotOpen ? .cannotCreate : .ioError, text)
  }
}
