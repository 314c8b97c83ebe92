// Division under the names and with the registers of ARM's run-time ABI (RTABI 4.3.1): quotient
// first, rest behind it.
#include "division.h"

DIVISION uint64_t divide_32(uint32_t number, uint32_t by) __asm__("__aeabi_uidivmod");
DIVISION uint64_t divide_32(uint32_t number, uint32_t by) {
  uint32_t quotient = number, left = 0;
  for (int bit = 0; bit < 32; bit++) {
    uint32_t over = left >> 31;
    left = left << 1 | quotient >> 31;
    quotient <<= 1;
    if (over || left >= by) {
      left -= by;
      quotient |= 1;
    }
  }
  return (uint64_t)left << 32 | quotient;
}

DIVISION uint64_t divide_32_signed(int32_t number, int32_t by) __asm__("__aeabi_idivmod");
DIVISION uint64_t divide_32_signed(int32_t number, int32_t by) {
  uint64_t both = divide_32(number < 0 ? -(uint32_t)number : (uint32_t)number,
                            by < 0 ? -(uint32_t)by : (uint32_t)by);
  uint32_t quotient = (uint32_t)both, left = (uint32_t)(both >> 32);
  if ((number < 0) != (by < 0)) quotient = -quotient;
  if (number < 0) left = -left;
  return (uint64_t)left << 32 | quotient;
}

// Whoever wants only the quotient doesn't look at the second register.
DIVISION extern uint64_t quotient_32(uint32_t, uint32_t)
    __asm__("__aeabi_uidiv") __attribute__((alias("__aeabi_uidivmod")));
DIVISION extern uint64_t quotient_32_signed(int32_t, int32_t)
    __asm__("__aeabi_idiv") __attribute__((alias("__aeabi_idivmod")));

// C has no function that returns four registers.
#define FOUR_REGISTERS(function)                                       \
  __asm__("push {r4, lr}\n\tsub sp, #16\n\tadd r4, sp, #8\n\tstr r4, [sp]\n\tbl " #function \
          "\n\tldr r2, [sp, #8]\n\tldr r3, [sp, #12]\n\tadd sp, #16\n\tpop {r4, pc}")

__attribute__((naked)) DIVISION void divide_64_apart(void) __asm__("__aeabi_uldivmod");
__attribute__((naked)) DIVISION void divide_64_apart(void) { FOUR_REGISTERS(divide_64); }
__attribute__((naked)) DIVISION void divide_64_signed_apart(void) __asm__("__aeabi_ldivmod");
__attribute__((naked)) DIVISION void divide_64_signed_apart(void) { FOUR_REGISTERS(divide_64_signed); }
