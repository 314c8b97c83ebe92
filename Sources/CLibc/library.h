// Functions of libraries that are opened when they are first needed.
#pragma once
#include <dlfcn.h>
#include <string.h>

// Fills the pointers with the functions named one after the other; 0 if one is missing.
static inline int clibc_find(void *library, const char *name, void **slot) {
  int found = 1;
  for (; *name; name += strlen(name) + 1) {
    *slot = dlsym(library, name);
    if (!*slot++) found = 0;
  }
  return found;
}
