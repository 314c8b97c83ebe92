// Division, for processors without an instruction for it. libgcc's functions are unrolled for speed,
// 1.5 KB of them; what this program divides are dates, waits and the digits that it prints.
//
// A bit at a time: the number leaves `quotient` at the top as the quotient enters it at the bottom.
// Nothing divides by zero: Swift's code checks that before.
#include <stdint.h>

#define DIVISION __attribute__((visibility("hidden"), noinline))

DIVISION uint64_t divide_64(uint64_t number, uint64_t by, uint64_t *rest) {
  uint64_t quotient = number, left = 0;
  for (int bit = 0; bit < 64; bit++) {
    int over = (int)(left >> 63);
    left = left << 1 | quotient >> 63;
    quotient <<= 1;
    if (over || left >= by) {
      left -= by;
      quotient |= 1;
    }
  }
  *rest = left;
  return quotient;
}

// The quotient has the sign of both together, the rest that of the number.
DIVISION uint64_t divide_64_signed(int64_t number, int64_t by, int64_t *rest) {
  uint64_t left;
  uint64_t quotient = divide_64(number < 0 ? -(uint64_t)number : (uint64_t)number,
                                by < 0 ? -(uint64_t)by : (uint64_t)by, &left);
  *rest = (int64_t)(number < 0 ? -left : left);
  return (number < 0) != (by < 0) ? -quotient : quotient;
}
