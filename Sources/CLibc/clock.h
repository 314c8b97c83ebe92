// Clocks with 64-bit seconds on every board.
//
// A 32-bit board's `time_t` has 32 bits with glibc before 2.34, and its kernel has the 64-bit
// system call since 5.1 (number 403 on every 32-bit architecture, time64 table of the kernel).
#pragma once
#include <errno.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>

// Returns 0, or an errno value.
static inline int clibc_clock_gettime(int clock, int64_t *seconds, int64_t *nanoseconds) {
  if (sizeof(time_t) < 8) {
    int64_t now[2];
    if (syscall(403, clock, now) == 0) {
      *seconds = now[0];
      *nanoseconds = (int32_t)now[1];
      return 0;
    }
    if (errno != ENOSYS && errno != EPERM) return errno;
  }
  struct timespec now;
  if (clock_gettime(clock, &now)) return errno;
  *seconds = now.tv_sec;
  *nanoseconds = now.tv_nsec;
  return 0;
}

// CLOCK_BOOTTIME is a macro. Since Linux 2.6.39.
static inline int clibc_clock_boottime(void) { return CLOCK_BOOTTIME; }
static inline int clibc_clock_realtime(void) { return CLOCK_REALTIME; }
static inline int clibc_clock_monotonic(void) { return CLOCK_MONOTONIC; }
