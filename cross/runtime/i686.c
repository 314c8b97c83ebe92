// The word that Swift's code compares its stack frames against. The bare-metal triple expects a
// global variable; glibc has one on ARM, AArch64 and RISC-V, but on i386 keeps the word in its
// thread block, at %gs:20, seeded by the kernel. So the variable is set from there, before main.
#include <stdint.h>

__attribute__((visibility("hidden"))) uintptr_t __stack_chk_guard;

__attribute__((constructor)) static void copy_guard(void) {
  __asm__("mov %%gs:20, %0" : "=r"(__stack_chk_guard));
}
