// AES-256-GCM of OpenSSL's libcrypto, which is opened when a seal key is set: a device without one
// needs neither the library nor its headers.
#pragma once
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "library.h"

// By the manual page EVP_EncryptInit(3); all since OpenSSL 1.1.0.
#define CLIBC_CRYPTO_FUNCTIONS(use)                                                              \
  use(void *, make, EVP_CIPHER_CTX_new, (void))                                                  \
  use(void, release, EVP_CIPHER_CTX_free, (void *context))                                       \
  use(const void *, aes_256_gcm, EVP_aes_256_gcm, (void))                                        \
  use(int, start, EVP_CipherInit_ex,                                                             \
      (void *context, const void *cipher, void *engine, const void *key, const void *nonce,      \
       int encrypts))                                                                            \
  use(int, add, EVP_CipherUpdate,                                                                \
      (void *context, void *output, int *output_count, const void *input, int input_count))      \
  use(int, finish, EVP_CipherFinal_ex, (void *context, void *output, int *output_count))         \
  use(int, control, EVP_CIPHER_CTX_ctrl, (void *context, int what, int count, void *bytes))

struct clibc_crypto {
#define CLIBC_FIELD(result, name, function, parameters) result(*name) parameters;
  CLIBC_CRYPTO_FUNCTIONS(CLIBC_FIELD)
#undef CLIBC_FIELD
  // What Swift fills in: the cipher's key, and the 8 bytes that name it.
  uint8_t key[32], check[8];
};

// Returns 1, or 0 if the library or one of its functions is missing. It stays open for the
// process's life, as it registers exit handlers.
static inline int clibc_load_crypto(struct clibc_crypto *crypto) {
  void *library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
  if (!library) library = dlopen("libcrypto.so.1.1", RTLD_NOW | RTLD_LOCAL);
  // The table's pointers and these names are in one order.
#define CLIBC_NAME(result, name, function, parameters) #function "\0"
  return library && clibc_find(library, CLIBC_CRYPTO_FUNCTIONS(CLIBC_NAME), (void **)crypto);
#undef CLIBC_NAME
}

// Of a text of `count` bytes, `sealed` has 36 more: the key's check, the nonce, the ciphertext, the
// tag. Writes the one from the other: 1, or 0 if nothing that was written may be used.
static inline int clibc_crypt(const struct clibc_crypto *crypto, int encrypts, const void *bound,
                              int bound_count, uint8_t *sealed, void *text, int count) {
  enum { check_size = sizeof crypto->check, nonce_size = 12, tag_size = 16 };
  enum { get_tag = 0x10, set_tag = 0x11 };
  uint8_t *nonce = sealed + check_size, *cipher = nonce + nonce_size, *tag = cipher + count;
  int written = 0;
  if (encrypts) {
    memcpy(sealed, crypto->check, check_size);
    // So few bytes come all at once. It waits for the kernel's pool, and a signal may end that.
    do {
      written = (int)getrandom(nonce, nonce_size, 0);
    } while (written < 0 && errno == EINTR);
    if (written != nonce_size) return 0;
  }
  void *context = crypto->make();
  int is_done =
      context && crypto->start(context, crypto->aes_256_gcm(), 0, crypto->key, nonce, encrypts) == 1 &&
      crypto->add(context, 0, &written, bound, bound_count) == 1 &&
      crypto->add(context, encrypts ? cipher : text, &written, encrypts ? text : cipher, count) == 1 &&
      (encrypts || crypto->control(context, set_tag, tag_size, tag) == 1) &&
      crypto->finish(context, tag, &written) == 1 &&
      (!encrypts || crypto->control(context, get_tag, tag_size, tag) == 1);
  crypto->release(context);
  return is_done;
}
