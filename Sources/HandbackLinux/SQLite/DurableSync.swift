internal import CLibc

// SQLite syncs with fdatasync, and takes the program's function before the C library's.
//
// On F2FS neither fdatasync nor fsync makes a file durable that grew inside its last block: the
// node with its new size comes behind the flush (Linux 6.1, seen by scripts/faults in 1 of 70
// power cuts). Only the whole file system's sync, a checkpoint, does.
@c(fdatasync)
public func syncDurably(_ file: CInt) -> CInt {
  let code = clibc_fdatasync(file)
  return code == 0 && clibc_is_on_f2fs(file) != 0 ? clibc_syncfs(file) : code
}
