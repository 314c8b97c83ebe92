// A TPM, through the transport of tpm2-tss, which is found at run time: a board without a TPM
// needs neither the library nor its headers.
#pragma once
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

// The head of every TSS2_TCTI_CONTEXT: TSS2_TCTI_CONTEXT_COMMON_V1 of tss2_tcti.h, from the TCG's
// "TSS 2.0 TPM Command Transmission Interface (TCTI) API Specification", 3.2.
struct clibc_tpm {
  uint64_t magic;
  uint32_t version;
  uint32_t (*transmit)(struct clibc_tpm *, size_t, const uint8_t *);
  uint32_t (*receive)(struct clibc_tpm *, size_t *, uint8_t *, int32_t);
};

// A function of the library, which is never unloaded: the process ends soon.
static inline void *clibc_tpm_function(const char *name) {
  void *library = dlopen("libtss2-tctildr.so.0", RTLD_NOW | RTLD_LOCAL);
  return library ? dlsym(library, name) : 0;
}

// 0 without the library, or if the TPM can't be reached there.
static inline struct clibc_tpm *clibc_tpm_open(const char *place) {
  // Its own words on standard error would stand between ours; who set the variable wants them.
  setenv("TSS2_LOG", "all+none", 0);
  uint32_t (*initialize)(const char *, struct clibc_tpm **) =
      (uint32_t(*)(const char *, struct clibc_tpm **))clibc_tpm_function("Tss2_TctiLdr_Initialize");
  struct clibc_tpm *tpm = 0;
  return initialize && initialize(place, &tpm) == 0 ? tpm : 0;
}

static inline void clibc_tpm_close(struct clibc_tpm *tpm) {
  void (*finalize)(struct clibc_tpm **) =
      (void (*)(struct clibc_tpm **))clibc_tpm_function("Tss2_TctiLdr_Finalize");
  if (finalize) finalize(&tpm);
}

// Sends a command and waits for its answer: its length, or -1.
static inline long clibc_tpm_exchange(
    struct clibc_tpm *tpm, const uint8_t *command, long count, uint8_t *answer, long room) {
  size_t size = (size_t)room;
  if (tpm->transmit(tpm, (size_t)count, command) != 0) return -1;
  // TSS2_TCTI_TIMEOUT_BLOCK
  return tpm->receive(tpm, &size, answer, -1) == 0 ? (long)size : -1;
}
