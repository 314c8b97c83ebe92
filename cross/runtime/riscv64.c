// Debian 13's glibc is 2.41; boards have older ones.
#define REACH_BASE "GLIBC_2.27"
#include "reach.h"
