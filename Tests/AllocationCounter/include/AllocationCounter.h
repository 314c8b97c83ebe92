// Counts the calls to the C library's allocator in the program that this is linked into.
#pragma once
unsigned long allocation_count(void);
