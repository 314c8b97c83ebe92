// What a program for armv7 needs and the board's libraries don't have, or have larger.
#include "division-arm.h"
#include "unwind.h"
