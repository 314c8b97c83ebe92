// Reading a device's tree: directories, links, and files that may be anything.
#pragma once
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <unistd.h>

#include "status.h"

// glibc shows O_PATH to those who ask for GNU's additions, but has the value under its own name.
#ifndef O_PATH
#define O_PATH __O_PATH
#endif

// `open` and `openat` are variadic. O_NONBLOCK: opening a FIFO or a device must not wait.
static inline int clibc_open_to_read(const char *path) {
  return open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}
static inline int clibc_open_in(int folder, const char *name) {
  return openat(folder, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
}
static inline int clibc_open_folder(const char *path) {
  return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}
static inline int clibc_open_folder_in(int folder, const char *name) {
  return openat(folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

// 1, 0, or -1 and `errno`.
static inline int clibc_is_regular(int file) {
  clibc_status status;
  return clibc_fstat(file, &status) ? -1 : status.is_regular;
}

// AT_FDCWD is a macro with a cast in some headers.
static inline long clibc_read_link_at(int folder, const char *name, uint8_t *text, long size) {
  return readlinkat(folder < 0 ? AT_FDCWD : folder, name, (char *)text, (size_t)size);
}

// `readdir` tells its end from an error by `errno` only, and `d_name` is an array.
static inline const char *clibc_next_name(DIR *folder) {
  errno = 0;
  struct dirent *entry = readdir(folder);
  return entry ? entry->d_name : 0;
}

// `poll` of nothing: a pause that no signal handler is needed for.
static inline void clibc_pause_milliseconds(int milliseconds) { poll(0, 0, milliseconds); }

static inline int clibc_is_refused(int code) { return code == EACCES || code == EPERM; }
static inline int clibc_is_missing(int code) {
  return code == ENOENT || code == ENOTDIR || code == ENXIO || code == ENODEV;
}

// `errno` is a macro.
static inline void clibc_set_errno(int code) { errno = code; }
