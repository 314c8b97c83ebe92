// What a file is, the same on every board.
//
// `struct stat` differs between boards, and on a 32-bit one glibc 2.34 and newer refuse a file that
// was changed after 2038 (EOVERFLOW). `statx` does neither; glibc has it since 2.28 and does
// without the kernel's where that is missing.
#pragma once
#include <fcntl.h>
#include <linux/stat.h>
#include <stdint.h>
#include <sys/stat.h>

// Declared by glibc for _GNU_SOURCE alone.
int statx(int folder, const char *path, int flags, unsigned wanted, struct statx *status);
#define CLIBC_EMPTY_PATH 0x1000

typedef struct {
  int64_t size;
  uint64_t inode;
  uint32_t mode;
  uint32_t owner;
  uint32_t links;
  int is_regular;
  int is_directory;
  int is_symbolic_link;
} clibc_status;

static inline int clibc_status_at(int folder, const char *path, int flags, clibc_status *to) {
  struct statx found;
  if (statx(folder, path, flags, STATX_BASIC_STATS, &found)) return -1;
  to->size = (int64_t)found.stx_size;
  to->inode = found.stx_ino;
  to->mode = found.stx_mode & 07777;
  to->owner = found.stx_uid;
  to->links = found.stx_nlink;
  to->is_regular = S_ISREG(found.stx_mode);
  to->is_directory = S_ISDIR(found.stx_mode);
  to->is_symbolic_link = S_ISLNK(found.stx_mode);
  return 0;
}

static inline int clibc_fstat(int file, clibc_status *status) {
  return clibc_status_at(file, "", CLIBC_EMPTY_PATH, status);
}

static inline int clibc_stat(const char *path, clibc_status *status) {
  return clibc_status_at(AT_FDCWD, path, 0, status);
}

// Does not follow a symbolic link at the end of the path.
static inline int clibc_lstat(const char *path, clibc_status *status) {
  return clibc_status_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, status);
}
