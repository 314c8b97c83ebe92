// Files: what is variadic, a macro, or of a width that differs between boards.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "status.h"

// `open` is variadic.
static inline int clibc_open(const char *path, int flags, unsigned mode) {
  return open(path, flags | O_CLOEXEC, (mode_t)mode);
}

// For descriptors that a child may inherit: the standard streams.
static inline int clibc_open_inherited(const char *path, int flags) { return open(path, flags); }

// `prctl` is variadic. No core file: it would hold keys and license keys.
static inline int clibc_forbid_core_dump(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

// The environment is a global array of pointers, which Swift 6 does not let one read.
extern char **environ;
static inline const char *clibc_environment(int index) { return environ ? environ[index] : 0; }

// `SIG_IGN` is a cast macro.
#include <signal.h>
typedef void (*clibc_handler)(int);
static inline clibc_handler clibc_ignore(void) { return SIG_IGN; }

// A place in a file of 64 bits on every board, when writing one below 0 for the file's own; EINTR is
// tried again.
static inline long clibc_read_at(int file, void *to, size_t size, int64_t offset) {
  ssize_t count;
  do count = pread(file, to, size, (off_t)offset);
  while (count < 0 && errno == EINTR);
  return count;
}
static inline long clibc_write_at(int file, const void *from, size_t size, int64_t offset) {
  ssize_t count;
  do count = offset < 0 ? write(file, from, size) : pwrite(file, from, size, (off_t)offset);
  while (count < 0 && errno == EINTR);
  return count;
}
static inline int clibc_truncate(int file, int64_t size) { return ftruncate(file, (off_t)size); }

// What others than root may still write to the file system of `path`; 0 if nobody knows.
static inline int64_t clibc_free_bytes(const char *path) {
  struct statvfs found;
  return statvfs(path, &found) ? 0 : (int64_t)found.f_bavail * (int64_t)found.f_frsize;
}
