// What a program for armv6 needs and the board's libraries don't have.
//
// ARMv5 has no instruction for an atomic change, so the compiler calls these for each reference
// count. libatomic has them too, but boards don't always have that; libgcc's older family, which
// asks the kernel's helper page, is linked into the program. Every order is the strictest one.
#include <stdbool.h>
#include <stdint.h>

// Debian 12's glibc is 2.36; boards have older ones.
#define REACH_BASE "GLIBC_2.4"
#include "reach.h"
#include "unwind.h"

#define HIDDEN __attribute__((visibility("hidden")))

HIDDEN uint32_t load_4(const volatile uint32_t *place, int order) __asm__("__atomic_load_4");
HIDDEN uint32_t load_4(const volatile uint32_t *place, int order) {
  (void)order;
  uint32_t value = *place;
  __sync_synchronize();
  return value;
}

HIDDEN void store_4(volatile uint32_t *place, uint32_t value, int order) __asm__("__atomic_store_4");
HIDDEN void store_4(volatile uint32_t *place, uint32_t value, int order) {
  (void)order;
  __sync_synchronize();
  *place = value;
  __sync_synchronize();
}

HIDDEN uint32_t exchange_4(volatile uint32_t *place, uint32_t value, int order)
    __asm__("__atomic_exchange_4");
HIDDEN uint32_t exchange_4(volatile uint32_t *place, uint32_t value, int order) {
  (void)order;
  uint32_t old = *place;
  for (;;) {
    uint32_t seen = __sync_val_compare_and_swap(place, old, value);
    if (seen == old) return old;
    old = seen;
  }
}

HIDDEN bool compare_exchange_4(volatile uint32_t *place, uint32_t *expected, uint32_t value,
                               bool weak, int success, int failure)
    __asm__("__atomic_compare_exchange_4");
HIDDEN bool compare_exchange_4(volatile uint32_t *place, uint32_t *expected, uint32_t value,
                               bool weak, int success, int failure) {
  (void)weak, (void)success, (void)failure;
  uint32_t seen = __sync_val_compare_and_swap(place, *expected, value);
  bool same = seen == *expected;
  *expected = seen;
  return same;
}

HIDDEN uint32_t fetch_add_4(volatile uint32_t *place, uint32_t by, int order)
    __asm__("__atomic_fetch_add_4");
HIDDEN uint32_t fetch_add_4(volatile uint32_t *place, uint32_t by, int order) {
  (void)order;
  return __sync_fetch_and_add(place, by);
}

HIDDEN uint32_t fetch_sub_4(volatile uint32_t *place, uint32_t by, int order)
    __asm__("__atomic_fetch_sub_4");
HIDDEN uint32_t fetch_sub_4(volatile uint32_t *place, uint32_t by, int order) {
  (void)order;
  return __sync_fetch_and_sub(place, by);
}
