// Files: what is variadic, a macro, or of a width that differs between boards.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

// `open` is variadic.
static inline int clibc_open(const char *path, int flags, unsigned mode) {
  return open(path, flags | O_CLOEXEC, (mode_t)mode);
}

// For descriptors that a child may inherit: the standard streams.
static inline int clibc_open_inherited(const char *path, int flags) { return open(path, flags); }

// `prctl` is variadic. No core file: it would hold keys and license keys.
static inline int clibc_forbid_core_dump(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

// `struct stat` differs between boards, and `S_ISREG` is a macro.
typedef struct {
  int64_t size;
  uint32_t mode;
  uint32_t owner;
  uint32_t links;
  int is_regular;
  int is_directory;
  int is_symbolic_link;
} clibc_status;

static inline int clibc_keep_status(const struct stat *from, clibc_status *to) {
  to->size = from->st_size;
  to->mode = from->st_mode & 07777;
  to->owner = from->st_uid;
  to->links = (uint32_t)from->st_nlink;
  to->is_regular = S_ISREG(from->st_mode);
  to->is_directory = S_ISDIR(from->st_mode);
  to->is_symbolic_link = S_ISLNK(from->st_mode);
  return 0;
}

static inline int clibc_fstat(int file, clibc_status *status) {
  struct stat found;
  return fstat(file, &found) ? -1 : clibc_keep_status(&found, status);
}

static inline int clibc_stat(const char *path, clibc_status *status) {
  struct stat found;
  return stat(path, &found) ? -1 : clibc_keep_status(&found, status);
}

// Does not follow a symbolic link at the end of the path.
static inline int clibc_lstat(const char *path, clibc_status *status) {
  struct stat found;
  return lstat(path, &found) ? -1 : clibc_keep_status(&found, status);
}

// The environment is a global array of pointers, which Swift 6 does not let one read.
extern char **environ;
static inline const char *clibc_environment(int index) { return environ ? environ[index] : 0; }

// `SIG_IGN` is a cast macro.
#include <signal.h>
typedef void (*clibc_handler)(int);
static inline clibc_handler clibc_ignore(void) { return SIG_IGN; }
