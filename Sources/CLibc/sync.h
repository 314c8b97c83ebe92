// Syncing, where the program's own `fdatasync` stands before the C library's.
#pragma once
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

// `syscall` is variadic.
static inline int clibc_fdatasync(int file) { return (int)syscall(SYS_fdatasync, file); }
static inline int clibc_syncfs(int file) { return (int)syscall(SYS_syncfs, file); }

// `f_type` differs in width between boards. F2FS_SUPER_MAGIC of linux/magic.h.
static inline int clibc_is_on_f2fs(int file) {
  struct statfs status;
  return fstatfs(file, &status) == 0 && (unsigned)status.f_type == 0xF2F52010u;
}
