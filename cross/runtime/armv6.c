// What a program for armv6 needs and the board's libraries don't have.
//
// ARMv5 has no instruction for an atomic change, so the compiler calls these for each reference
// count. libatomic has them too, but boards don't always have that; libgcc's own come with those for
// every other size, 4 KB. Every order is the strictest one.
#include <stdbool.h>
#include <stdint.h>

// Debian 12's glibc is 2.36; boards have older ones.
#define REACH_BASE "GLIBC_2.4"
#include "division-arm.h"
#include "reach.h"
#include "unwind.h"

#define HIDDEN __attribute__((visibility("hidden")))

// The kernel's helper page, the same for each ARM processor (Documentation/arch/arm/
// kernel_user_helpers.rst): `exchange` stores `value` if `place` still holds `old`, and then returns 0.
// It is a full barrier where one is needed.
static inline bool exchange(uint32_t old, uint32_t value, volatile uint32_t *place) {
  return ((int (*)(uint32_t, uint32_t, volatile uint32_t *))0xffff0fc0)(old, value, place) == 0;
}

static inline void barrier(void) { ((void (*)(void))0xffff0fa0)(); }

HIDDEN uint32_t load_4(const volatile uint32_t *place, int order) __asm__("__atomic_load_4");
HIDDEN uint32_t load_4(const volatile uint32_t *place, int order) {
  (void)order;
  uint32_t value = *place;
  barrier();
  return value;
}

HIDDEN void store_4(volatile uint32_t *place, uint32_t value, int order) __asm__("__atomic_store_4");
HIDDEN void store_4(volatile uint32_t *place, uint32_t value, int order) {
  (void)order;
  barrier();
  *place = value;
  barrier();
}

HIDDEN uint32_t exchange_4(volatile uint32_t *place, uint32_t value, int order)
    __asm__("__atomic_exchange_4");
HIDDEN uint32_t exchange_4(volatile uint32_t *place, uint32_t value, int order) {
  (void)order;
  uint32_t old;
  do old = *place;
  while (!exchange(old, value, place));
  return old;
}

HIDDEN bool compare_exchange_4(volatile uint32_t *place, uint32_t *expected, uint32_t value,
                               bool weak, int success, int failure)
    __asm__("__atomic_compare_exchange_4");
HIDDEN bool compare_exchange_4(volatile uint32_t *place, uint32_t *expected, uint32_t value,
                               bool weak, int success, int failure) {
  (void)weak, (void)success, (void)failure;
  // The helper may fail for other reasons than another value in the place.
  do {
    uint32_t seen = *place;
    if (seen != *expected) {
      barrier();
      *expected = seen;
      return false;
    }
  } while (!exchange(*expected, value, place));
  return true;
}

HIDDEN uint32_t fetch_add_4(volatile uint32_t *place, uint32_t by, int order)
    __asm__("__atomic_fetch_add_4");
HIDDEN uint32_t fetch_add_4(volatile uint32_t *place, uint32_t by, int order) {
  (void)order;
  uint32_t old;
  do old = *place;
  while (!exchange(old, old + by, place));
  return old;
}

HIDDEN uint32_t fetch_sub_4(volatile uint32_t *place, uint32_t by, int order)
    __asm__("__atomic_fetch_sub_4");
HIDDEN uint32_t fetch_sub_4(volatile uint32_t *place, uint32_t by, int order) {
  return fetch_add_4(place, -by, order);
}
