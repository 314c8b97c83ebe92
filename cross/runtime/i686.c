// What a program for i686 needs and the board's libraries don't have, or have larger.
#include "division.h"

DIVISION uint64_t __udivdi3(uint64_t number, uint64_t by) {
  uint64_t rest;
  return divide_64(number, by, &rest);
}

DIVISION uint64_t __umoddi3(uint64_t number, uint64_t by) {
  uint64_t rest;
  divide_64(number, by, &rest);
  return rest;
}

DIVISION int64_t __divdi3(int64_t number, int64_t by) {
  int64_t rest;
  return (int64_t)divide_64_signed(number, by, &rest);
}

DIVISION int64_t __moddi3(int64_t number, int64_t by) {
  int64_t rest;
  divide_64_signed(number, by, &rest);
  return rest;
}

// The word that Swift's code compares its stack frames against. The bare-metal triple expects a
// global variable; glibc has one on ARM, AArch64 and RISC-V, but on i386 keeps the word in its
// thread block, at %gs:20, seeded by the kernel. So the variable is set from there, before main.
__attribute__((visibility("hidden"))) uintptr_t __stack_chk_guard;

__attribute__((constructor)) static void copy_guard(void) {
  __asm__("mov %%gs:20, %0" : "=r"(__stack_chk_guard));
}
