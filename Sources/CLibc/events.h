// What a process can sleep on: timers, signals, the kernel's routes, changes of files; and systemd's
// notify socket. Sockets' addresses are casts, and `struct itimerspec` differs between boards.
#pragma once
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "status.h"

// Timers. The kernel calls a timer's moment by the clock's own name.
static inline int clibc_timer(int clock) {
  return timerfd_create(clock, TFD_NONBLOCK | TFD_CLOEXEC);
}

// Sets a timer to an absolute time; 0 stops it. A 32-bit board's `timerfd_settime` ends in 2038; its
// kernel has the 64-bit call since 5.1 (number 411 on every 32-bit architecture).
static inline int clibc_timer_set(int timer, int flags, int64_t milliseconds) {
  int64_t seconds = milliseconds / 1000, nanoseconds = milliseconds % 1000 * 1000000;
  if (sizeof(time_t) < 8) {
    int64_t at[4] = {0, 0, seconds, nanoseconds};
    if (syscall(411, timer, flags | TFD_TIMER_ABSTIME, at, NULL) == 0) return 0;
    if (seconds > INT32_MAX) seconds = INT32_MAX;
  }
  struct itimerspec at = {{0, 0}, {(time_t)seconds, (long)nanoseconds}};
  return timerfd_settime(timer, flags | TFD_TIMER_ABSTIME, &at, NULL);
}

// Takes a timer's expiry; 1 if the clock was set, for one that was asked to say so.
static inline int clibc_timer_take(int timer) {
  uint64_t count;
  return read(timer, &count, sizeof count) < 0 && errno == ECANCELED;
}

// Hidden by glibc before 2.34.
static inline int clibc_timer_cancel_on_set(void) { return 1 << 1; }

// Blocks the signals that end or stir the agent and returns a descriptor that they are read from.
static inline int clibc_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  if (sigprocmask(SIG_BLOCK, &set, NULL)) return -1;
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

// The next signal's number, 0 if there is none.
static inline int clibc_next_signal(int signals) {
  struct signalfd_siginfo info;
  return read(signals, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

// A socket on which the kernel tells of links, addresses and routes. What it tells is not read, so
// its buffer is small: an overrun tells as much as an event.
static inline int clibc_route_events(void) {
  int file = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (file < 0) return -1;
  int size = 4096;
  setsockopt(file, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  struct sockaddr_nl address = {.nl_family = AF_NETLINK,
                                .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE |
                                             RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE};
  if (bind(file, (struct sockaddr *)&address, sizeof address) == 0) return file;
  close(file);
  return -1;
}

// Drops what waits there; 1 if there was anything, be it the word that something was lost.
static inline int clibc_drain_socket(int file) {
  char byte;
  int found = 0;
  while (recv(file, &byte, 1, 0) >= 0 || errno == ENOBUFS || errno == EINTR) found = 1;
  return found;
}

// A socket on which the kernel lists all routes, of IPv4 and IPv6, all tables.
static inline int clibc_route_list(void) {
  int file = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (file < 0) return -1;
  struct {
    struct nlmsghdr header;
    struct rtmsg route;
  } request = {{.nlmsg_len = sizeof request,
                .nlmsg_type = RTM_GETROUTE,
                .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (sendto(file, &request, sizeof request, 0, (struct sockaddr *)&kernel, sizeof kernel) ==
      (ssize_t)sizeof request)
    return file;
  close(file);
  return -1;
}

// Whether the kernel has a route to an address: 1 or 0; -1 if the text is no address, or the kernel
// can't be asked. Nothing is sent: connecting a datagram socket only asks for the route.
static inline int clibc_has_route_to(const char *text) {
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(443)};
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
  int is_four = inet_pton(AF_INET, text, &four.sin_addr) == 1;
  if (!is_four && inet_pton(AF_INET6, text, &six.sin6_addr) != 1) return -1;
  int file = socket(is_four ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (file < 0) return errno == EAFNOSUPPORT ? 0 : -1;
  int failed = is_four ? connect(file, (struct sockaddr *)&four, sizeof four)
                       : connect(file, (struct sockaddr *)&six, sizeof six);
  close(file);
  return !failed;
}

// Whether a descriptor is the file that these numbers name, as systemd writes them in
// $JOURNAL_STREAM.
static inline int clibc_is_file(int file, uint64_t device, uint64_t inode) {
  struct statx found;
  if (statx(file, "", CLIBC_EMPTY_PATH, STATX_INO, &found)) return 0;
  return makedev(found.stx_dev_major, found.stx_dev_minor) == device && found.stx_ino == inode;
}

// Sends a message to systemd; `path` is $NOTIFY_SOCKET, where @ begins an abstract name.
static inline int clibc_notify(const char *path, const char *message, size_t size) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(path);
  if (length < 2 || length >= sizeof address.sun_path) return -1;
  memcpy(address.sun_path, path, length);
  if (*path == '@') address.sun_path[0] = 0;
  int file = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (file < 0) return -1;
  ssize_t sent = sendto(file, message, size, MSG_NOSIGNAL, (struct sockaddr *)&address,
                        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
  close(file);
  return sent < 0 ? -1 : 0;
}
