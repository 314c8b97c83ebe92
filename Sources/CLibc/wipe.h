// Memory for libraries that secrets pass through: wiped before it is given back to the allocator.
#pragma once
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static inline void clibc_wipe_and_free(void *memory) {
  if (memory) explicit_bzero(memory, malloc_usable_size(memory));
  free(memory);
}

// As `realloc`; what it has to move, it moves by itself, since `realloc` would leave the old bytes.
static inline void *clibc_wipe_and_resize(void *memory, size_t byte_count) {
  size_t available = memory ? malloc_usable_size(memory) : 0;
  if (memory && byte_count <= available && byte_count > available / 2) return memory;
  void *moved = malloc(byte_count);
  if (!moved) return NULL;
  if (memory) memcpy(moved, memory, available < byte_count ? available : byte_count);
  clibc_wipe_and_free(memory);
  return moved;
}
