// Command-line options by `getopt_long`: its results are global variables, which Swift 6 does
// not let one read.
#pragma once
#include <getopt.h>
#include <stddef.h>

typedef struct option clibc_option;

// Returns the option's `value` (1 and up), 0 at the end, -1 for an unknown option, -2 for a
// missing argument, -3 for an argument that the option doesn't take
// (then `optopt` is its value; ours begin at 1000), and less than -256 by the letter of an
// unknown short option (`optopt` is the letter): the word it stands in may not be read to its end.
static inline int clibc_next_option(int count, char *const *arguments,
                                    const clibc_option *options, const char **argument) {
  opterr = 0;
  int found = getopt_long(count, arguments, ":h", options, NULL);
  *argument = optarg;
  if (found == 'h') return 'h';
  if (found == -1) return 0;
  if (found == ':') return -2;
  if (found == '?' && optopt >= 1000) return -3;
  if (found == '?') return optopt == 0 ? -1 : -256 - (unsigned char)optopt;
  return found;
}
static inline int clibc_first_operand(void) { return optind; }
// 0, not 1: it forgets the word that it stopped in, too.
static inline void clibc_begin_options(void) { optind = 0; }
