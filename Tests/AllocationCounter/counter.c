// A program's own definitions of these functions take the place of the C library's, for all of
// the program. They count, and hand on to what glibc exports under its own names.
#include "AllocationCounter.h"
#include <errno.h>
#include <stddef.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static unsigned long count;

unsigned long allocation_count(void) { return count; }

void *malloc(size_t size) { return count++, __libc_malloc(size); }
void *calloc(size_t number, size_t size) { return count++, __libc_calloc(number, size); }
void *realloc(void *old, size_t size) { return count++, __libc_realloc(old, size); }
void *memalign(size_t align, size_t size) { return count++, __libc_memalign(align, size); }
void *aligned_alloc(size_t align, size_t size) { return count++, __libc_memalign(align, size); }
int posix_memalign(void **result, size_t align, size_t size) {
  count++;
  *result = __libc_memalign(align, size);
  return *result ? 0 : ENOMEM;
}
void free(void *memory) { __libc_free(memory); }
