// Reading a device's tree: directories, links, and files that may be anything.
#pragma once
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
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

// ethtool's ETHTOOL_GPERMADDR: the address that a network port came with, whatever was set since, as
// 17 characters and a NUL; needs no privilege. 1, or 0 if there is none. (The kernel's is all zeros
// then, which is no address for any rule.)
static inline int clibc_permanent_address(const char *port, uint8_t *text) {
  struct {
    struct ethtool_perm_addr head;
    uint8_t bytes[32];
  } request;
  struct ifreq interface;
  memset(&request, 0, sizeof request);
  memset(&interface, 0, sizeof interface);
  if (strlen(port) >= sizeof interface.ifr_name) return 0;
  strcpy(interface.ifr_name, port);
  request.head.cmd = ETHTOOL_GPERMADDR;
  request.head.size = sizeof request.bytes;
  interface.ifr_data = (void *)&request;
  int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (file < 0) return 0;
  int failed = ioctl(file, SIOCETHTOOL, &interface);
  close(file);
  if (failed || request.head.size != 6) return 0;
  const uint8_t *byte = request.bytes;
  snprintf((char *)text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", byte[0], byte[1], byte[2], byte[3],
           byte[4], byte[5]);
  return 1;
}
