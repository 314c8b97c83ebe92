// The C library, as far as Swift can't reach it by itself on bare-metal triples, where there is
// no Glibc module. A function here is `static inline` and says why Swift can't call the original.
#pragma once
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "crypto.h"
#include "files.h"
#include "options.h"
#include "hardware.h"
#include "sync.h"
#include "tpm.h"
#include "events.h"

// `errno` is a macro.
static inline int clibc_errno(void) { return errno; }
