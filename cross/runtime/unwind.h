// The entries of ARM's table for unwinding name a function of libgcc_s, a library that not each board
// has. Nothing unwinds this program, so the name is enough.
__attribute__((visibility("hidden"))) void __aeabi_unwind_cpp_pr0(void) {}
__attribute__((visibility("hidden"))) void __aeabi_unwind_cpp_pr1(void) {}
