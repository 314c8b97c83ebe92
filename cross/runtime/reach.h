// Lets a program that is linked against a newer glibc start on 2.31. Two of its functions got a new
// symbol version in 2.34 without a change that matters here: the start-up function, when the running
// of initializers moved into libc, and the functions of libdl, when they moved into libc too. These
// take their places in the program and call the older versions, which every later glibc keeps.
//
// REACH_BASE is the version of a board's first glibc, as text.

#include <stddef.h>

#define REACH_HIDDEN __attribute__((visibility("hidden")))
#define REACH_OLD(name) __asm__(".symver old_" #name ", " #name "@" REACH_BASE)

typedef int (*reach_main)(int, char **, char **);
typedef void (*reach_initializer)(int, char **, char **);

REACH_OLD(__libc_start_main);
int old___libc_start_main(reach_main, int, char **, reach_initializer, void (*)(void),
                          void (*)(void), void *);

REACH_HIDDEN extern reach_initializer __init_array_start[];
REACH_HIDDEN extern reach_initializer __init_array_end[];

// Before 2.34 each program brought its own loop; libc still calls one that is given.
static void run_initializers(int count, char **arguments, char **environment) {
  for (reach_initializer *next = __init_array_start; next < __init_array_end; next++)
    (*next)(count, arguments, environment);
}

REACH_HIDDEN int __libc_start_main(reach_main main, int count, char **arguments,
                                   reach_initializer initializer, void (*finish)(void),
                                   void (*loader_finish)(void), void *stack_end) {
  (void)initializer;
  return old___libc_start_main(main, count, arguments, run_initializers, finish, loader_finish,
                               stack_end);
}

REACH_OLD(dlopen);
REACH_OLD(dlsym);
void *old_dlopen(const char *, int);
void *old_dlsym(void *, const char *);
REACH_HIDDEN void *dlopen(const char *name, int mode) { return old_dlopen(name, mode); }
REACH_HIDDEN void *dlsym(void *library, const char *name) { return old_dlsym(library, name); }
