internal import HandbackCore
internal import HandbackLinux

/// The journal's errors in a person's words.
enum JournalOpening {
  static func open(
    _ settings: Settings, _ access: SQLiteJournal.Access
  ) throws(Failure) -> SQLiteJournal {
    guard let journal = try openIfPresent(settings, access) else {
      let path = settings.journalPath
      throw failure(JournalError.missing, "cannot open the journal at \(path)", path)
    }
    return journal
  }

  /// Opens it with the key that credentials are sealed with, if one is set; made if it is missing.
  @inline(never)
  static func openToQueue(_ settings: Settings) throws(Failure) -> SQLiteJournal {
    let cipher = try settings.credentialCipher()
    let journal = try open(settings, .create)
    if let cipher { journal.sealing = .key(cipher) }
    return journal
  }

  /// Opens it, or says `nil` if there is none: then nothing was ever queued.
  static func openIfPresent(
    _ settings: Settings, _ access: SQLiteJournal.Access
  ) throws(Failure) -> SQLiteJournal? {
    let path = settings.journalPath
    do throws(JournalError) {
      let journal = try SQLiteJournal.open(path, access)
      // Without the slashes at its end, that it may have one day and not the next.
      journal.serverAddress = (try? settings.serverAddress().text) ?? settings[.server] ?? ""
      tell(journal)
      return journal
    } catch {
      if error.isMissing { return nil }
      throw failure(error, "cannot open the journal at \(path)", path)
    }
  }

  /// Takes what was erased out of the WAL, too, unless a program that is reading is in the way.
  @inline(never)
  static func emptyWAL(_ journal: SQLiteJournal, hasErased: Bool) {
    if (try? journal.checkpoint()) == true || !hasErased { return }
    Console.note(
      "what was erased stays in \(journal.path)-wal for now: it can't be emptied while it is read"
    )
  }

  /// What was found damaged since the last time: it must not be mended in silence.
  static func tell(_ journal: SQLiteJournal) {
    let report = journal.takeReport()
    if let path = report.asidePath {
      Console.warn(
        "the journal was damaged: what can be read was brought over, the damaged file is \(path)")
    }
    if report.restoredCount > 0 {
      Console.warn("brought back from second copies: \(report.restoredCount)")
    }
    if report.damagedCount > 0 {
      Console.warn(
        "damaged in the journal and in its second copy: \(report.damagedCount)",
        hint: "'handback status' names them: give back by other means what the server still has")
    }
    // Once is enough: the agent opens it again and again.
    if report.isCopyUnreadable, unsafe !hasToldUnreadable {
      unsafe hasToldUnreadable = true
      Console.warn(
        "\(journal.path)-copy can't be read whole: some of what it has to keep isn't kept twice",
        hint: "look after the disk")
    }
    if report.isUnnamed {
      Console.warn("which deactivations were in it isn't known: 1-000000 stands for them")
    }
  }

  nonisolated(unsafe) private static var hasToldUnreadable = false

  /// `step` names what was tried, and on what.
  static func failure(_ error: JournalError, _ step: Text, _ path: Text) -> Failure {
    switch error.kind {
    case .missing:
      return Failure(.ioError, "\(step): no such file")
    case .lost:
      return Failure(
        .dataError, "\(step): it is gone, but files beside it are there",
        hint: "'handback flush' brings back what was pending, and tells what is lost")
    case .cannotCreate:
      return system(error, .cannotCreate, step)
    case .cannotRead:
      return system(error, .ioError, step)
    case .symbolicLink: return unsafeFile("is a symbolic link", error, step)
    case .notRegular: return unsafeFile("is no regular file", error, step)
    case .hardLinked: return unsafeFile("has a second name (hard link)", error, step)
    case .ownedByAnother: return unsafeFile("is another user's", error, step)
    case .reachableByOthers:
      return unsafeFile(
        "can be read or written by others, and holds credentials", error, step,
        hint: "chmod 600 \(error.text)")
    case .notADatabase:
      return Failure(
        .dataError, "\(step): it is no SQLite database",
        hint: "move it aside if it isn't needed; a new journal is made then")
    case .belongsToAnotherProgram:
      return Failure(
        .dataError, "\(step): it is another program's database",
        hint: "name another file with --journal")
    case .newerVersion:
      return Failure(
        .dataError, "\(step): a newer handback made it (format \(error.number))",
        hint: "run that version; the file was left as it is")
    case .libraryNeverSyncs:
      return Failure(
        .configuration, "the system's SQLite was built to never sync: nothing could be promised",
        hint: "build SQLite without NO_SYNC (Buildroot: BR2_PACKAGE_SQLITE_NO_SYNC)")
    case .damagedIdentity:
      return Failure(
        .dataError, "\(step): it is damaged, and so is its second copy",
        hint: "'handback id --repin REASON' pins another; '--hardware-id ID' gives one by hand")
    case .cannotSeal:
      return Failure(.configuration, "\(step): libcrypto refuses to encrypt the credential")
    case .tooManyAside:
      return Failure(
        .cannotCreate, "\(step): it is damaged, and too many damaged ones are beside it",
        hint: "move \(path).damaged-* away, and look after the disk; nothing is sent until then")
    case .sqlite:
      return sqlite(error, step, path)
    }
  }

  private static func system(_ error: JournalError, _ exit: ExitCode, _ step: Text) -> Failure {
    let code = Int32(truncatingIfNeeded: error.number)
    let isForbidden = Process.isForbidden(errno: code)
    var hint: Text?
    if isForbidden { hint = "run as the journal's owner, or name another file with --journal" }
    if Process.isReadOnly(errno: code) {
      hint = "name another file with --journal; a systemd unit needs ReadWritePaths= for it"
    }
    return Failure(
      isForbidden ? .noPermission : exit, "\(step): \(Process.description(ofErrno: code))",
      hint: hint)
  }

  private static func unsafeFile(
    _ cause: Literal, _ error: JournalError, _ step: Text, hint: Text? = nil
  ) -> Failure {
    Failure(.noPermission, "\(step): \(error.text) \(cause)", hint: hint)
  }

  private static func sqlite(_ error: JournalError, _ step: Text, _ path: Text) -> Failure {
    if error.isBusy {
      return Failure(
        .temporaryFailure, "\(step): another process has it locked", hint: "run again")
    }
    let text: Text = "\(step): \(Text(printable: error.text)) (SQLite \(error.number))"
    if error.isFull {
      let hint: Text = "nothing was changed; free \(Reserve.missingKiB(path)) KiB and run again"
      return Failure(.ioError, text, hint: hint)
    }
    if error.isDamage {
      return Failure(
        .dataError, text,
        hint: "the file is damaged; 'handback flush' brings over what can be read, and keeps it")
    }
    if error.isNotPermitted { return Failure(.noPermission, text) }
    return Failure(error.cannotOpen ? .cannotCreate : .ioError, text)
  }
}
