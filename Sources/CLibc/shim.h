#pragma once
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
static inline int clibc_errno(void) { return errno; }
