// SQLite on a 32-bit board after 2038.
//
// A 32-bit SQLite that wasn't built for 64-bit time asks glibc for a file's facts, and since glibc
// 2.34 that fails with EOVERFLOW when the file was changed after January 2038: measured with
// Debian 12's armhf, no such database opens ("unable to open database file"). SQLite lets a
// program put its own function in place of a system call. The ones here ask the library's own
// first, and only when a date doesn't fit they answer with the same facts and the last date that
// does; SQLite doesn't look at dates.
#pragma once
#include <sqlite3.h>

#if defined(__LP64__)
static inline void csqlite_accept_late_dates(void) {}
#else
#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

// The same number on every architecture, but hidden without _GNU_SOURCE.
#define CSQLITE_EMPTY_PATH 0x1000

typedef int (*csqlite_fstat_function)(int, struct stat *);
typedef int (*csqlite_stat_function)(const char *, struct stat *);
typedef struct {
  csqlite_fstat_function fstat;
  csqlite_stat_function stat;
  csqlite_stat_function lstat;
} csqlite_originals;

// The library's own functions. A variable outside of a function would not be emitted by Swift.
static inline csqlite_originals *csqlite_original(void) {
  static csqlite_originals functions;
  return &functions;
}

static inline int csqlite_late_status(int file, const char *path, int flags, struct stat *status) {
  struct statx found;
  if (syscall(SYS_statx, file, path, flags, STATX_BASIC_STATS, &found)) return -1;
  memset(status, 0, sizeof *status);
  status->st_dev = makedev(found.stx_dev_major, found.stx_dev_minor);
  status->st_ino = found.stx_ino;
  status->st_mode = found.stx_mode;
  status->st_nlink = found.stx_nlink;
  status->st_uid = found.stx_uid;
  status->st_gid = found.stx_gid;
  status->st_size = (off_t)found.stx_size;
  status->st_blocks = (off_t)found.stx_blocks;
  status->st_atime = status->st_mtime = status->st_ctime = INT32_MAX;
  return 0;
}

static inline int csqlite_late_fstat(int file, struct stat *status) {
  int code = csqlite_original()->fstat(file, status);
  return code && errno == EOVERFLOW ? csqlite_late_status(file, "", CSQLITE_EMPTY_PATH, status) : code;
}

static inline int csqlite_late_stat(const char *path, struct stat *status) {
  int code = csqlite_original()->stat(path, status);
  return code && errno == EOVERFLOW ? csqlite_late_status(AT_FDCWD, path, 0, status) : code;
}

static inline int csqlite_late_lstat(const char *path, struct stat *status) {
  int code = csqlite_original()->lstat(path, status);
  return code && errno == EOVERFLOW
             ? csqlite_late_status(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, status)
             : code;
}

// Before the first connection is opened, once or more often.
static inline void csqlite_accept_late_dates(void) {
  sqlite3_vfs *system = sqlite3_vfs_find("unix");
  csqlite_originals *original = csqlite_original();
  if (!system || system->iVersion < 3 || original->fstat) return;
  original->fstat = (csqlite_fstat_function)system->xGetSystemCall(system, "fstat");
  original->stat = (csqlite_stat_function)system->xGetSystemCall(system, "stat");
  original->lstat = (csqlite_stat_function)system->xGetSystemCall(system, "lstat");
  if (!original->fstat || !original->stat || !original->lstat) return;
  system->xSetSystemCall(system, "fstat", (sqlite3_syscall_ptr)csqlite_late_fstat);
  system->xSetSystemCall(system, "stat", (sqlite3_syscall_ptr)csqlite_late_stat);
  system->xSetSystemCall(system, "lstat", (sqlite3_syscall_ptr)csqlite_late_lstat);
}
#endif
