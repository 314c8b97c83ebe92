// What a program for armv7 needs and the board's libraries don't have.
#include "unwind.h"
