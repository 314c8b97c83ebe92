// libcurl, typed by its own header and opened when it is first needed.
//
// A program that journals must not pay for the 30 libraries that libcurl pulls in, so nothing
// here is linked: `ccurl_load` fills a table of the functions used. A static build, which has no
// `dlopen`, defines HANDBACK_STATIC_CURL and links them.
#pragma once
// Newer headers mark options whose successors the oldest libcurl doesn't have: a warning here is
// an error in Swift.
#define CURL_DISABLE_DEPRECATION
#include <curl/curl.h>
#include <dlfcn.h>
#include <stddef.h>
#include <time.h>

#include "../CLibc/library.h"
#include "../CLibc/wipe.h"

// Every function is in libcurl 7.68, the oldest that boards have.
#define CCURL_FUNCTIONS(use)                                                                     \
  use(global_init, curl_global_init_mem) use(version_info, curl_version_info)                    \
  use(easy_init, curl_easy_init) use(easy_setopt, curl_easy_setopt)                              \
  use(easy_getinfo, curl_easy_getinfo) use(easy_cleanup, curl_easy_cleanup)                      \
  use(easy_strerror, curl_easy_strerror) use(multi_init, curl_multi_init)                        \
  use(multi_setopt, curl_multi_setopt) use(multi_add_handle, curl_multi_add_handle)              \
  use(multi_remove_handle, curl_multi_remove_handle) use(multi_perform, curl_multi_perform)      \
  use(multi_poll, curl_multi_poll) use(multi_info_read, curl_multi_info_read)                    \
  use(multi_cleanup, curl_multi_cleanup)

// Of the OpenSSL that libcurl uses, since 1.1.1. Declared here, as this program is built on boards
// whose libcurl has another TLS library. None of them takes a `time_t`, whose width on 32-bit
// boards differs between builds of OpenSSL.
#define CCURL_OPENSSL_FUNCTIONS(use)                                                             \
  use(const char *, version, OpenSSL_version, (int what))                                        \
  use(void, set_verify, SSL_CTX_set_verify, (void *context, int mode, ccurl_verify check))       \
  use(int, get_error, X509_STORE_CTX_get_error, (void *chain))                                   \
  use(void, set_error, X509_STORE_CTX_set_error, (void *chain, int error))                       \
  use(void *, certificate, X509_STORE_CTX_get_current_cert, (void *chain))                       \
  use(const void *, end, X509_get0_notAfter, (const void *certificate))                          \
  use(int, to_calendar, ASN1_TIME_to_tm, (const void *time, struct tm *calendar))
typedef int (*ccurl_verify)(int is_good, void *chain);

typedef struct {
#define CCURL_FIELD(name, function) __typeof__(function) *name;
  CCURL_FUNCTIONS(CCURL_FIELD)
#undef CCURL_FIELD
} ccurl_api;

typedef struct {
#define CCURL_FIELD(result, name, function, parameters) result (*name) parameters;
  CCURL_OPENSSL_FUNCTIONS(CCURL_FIELD)
#undef CCURL_FIELD
} ccurl_openssl;

#ifndef HANDBACK_STATIC_CURL
static inline void *ccurl_open(void) {
  void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  return library ? library : dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
}
#endif

// `curl_version_info` needs a macro's version.
static inline const curl_version_info_data *ccurl_version(const ccurl_api *api) {
  return api->version_info(CURLVERSION_NOW);
}

// Returns 1, or 0 if the library or one of its functions is missing. The library stays open for
// the process's life: OpenSSL below it registers exit handlers.
static inline int ccurl_load(ccurl_api *api) {
#ifdef HANDBACK_STATIC_CURL
#define CCURL_LINK(name, function) api->name = function;
  CCURL_FUNCTIONS(CCURL_LINK)
#undef CCURL_LINK
  return 1;
#else
  void *library = ccurl_open();
  if (!library) return 0;
  // The table's pointers and these names are in one order.
#define CCURL_NAME(name, function) #function "\0"
  return clibc_find(library, CCURL_FUNCTIONS(CCURL_NAME), (void **)api);
#undef CCURL_NAME
#endif
}

// Returns 1 if libcurl's TLS library is OpenSSL and its functions were found. `dlsym` looks through
// libcurl's own dependencies, so that another OpenSSL of the process isn't taken; one inside of
// libcurl beside one of its dependencies is told by the version.
static inline int ccurl_load_openssl(const ccurl_api *api, ccurl_openssl *openssl) {
#ifdef HANDBACK_STATIC_CURL
  return 0;
#else
  static const char expected[] = "OpenSSL/";
  const char *used = ccurl_version(api)->ssl_version;
  if (!used || strncmp(used, expected, sizeof expected - 1)) return 0;
#define CCURL_NAME(result, name, function, parameters) #function "\0"
  void *library = ccurl_open();
  if (!clibc_find(library, CCURL_OPENSSL_FUNCTIONS(CCURL_NAME), (void **)openssl)) return 0;
#undef CCURL_NAME
  // "OpenSSL/3.0.17" and "OpenSSL 3.0.17 1 Jul 2025".
  used += sizeof expected - 1;
  return !strncmp(openssl->version(0) + sizeof expected - 1, used, strlen(used));
#endif
}

// `curl_easy_setopt` and `curl_easy_getinfo` are variadic; these name the type of the argument.
static inline CURLcode ccurl_set_long(const ccurl_api *api, CURL *easy, CURLoption option,
                                      long value) {
  return api->easy_setopt(easy, option, value);
}
static inline CURLcode ccurl_set_offset(const ccurl_api *api, CURL *easy, CURLoption option,
                                        int64_t value) {
  return api->easy_setopt(easy, option, (curl_off_t)value);
}
static inline CURLcode ccurl_set_pointer(const ccurl_api *api, CURL *easy, CURLoption option,
                                         const void *value) {
  return api->easy_setopt(easy, option, value);
}
typedef size_t (*ccurl_receive)(char *bytes, size_t size, size_t count, void *receiver);
static inline CURLcode ccurl_set_receive(const ccurl_api *api, CURL *easy, CURLoption option,
                                         ccurl_receive function) {
  return api->easy_setopt(easy, option, function);
}
typedef int (*ccurl_debug)(CURL *easy, curl_infotype type, char *bytes, size_t count,
                           void *receiver);
static inline CURLcode ccurl_set_debug(const ccurl_api *api, CURL *easy, ccurl_debug function) {
  return api->easy_setopt(easy, CURLOPT_DEBUGFUNCTION, function);
}
typedef CURLcode (*ccurl_context)(CURL *easy, void *context, void *receiver);
static inline CURLcode ccurl_set_context(const ccurl_api *api, CURL *easy, ccurl_context function) {
  return api->easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, function);
}
static inline long ccurl_get_long(const ccurl_api *api, CURL *easy, CURLINFO info) {
  long value = 0;
  return api->easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}

// The result of the one transfer that a multi handle has, -1 while it goes on: `CURLMsg` holds
// a union.
static inline int ccurl_result(const ccurl_api *api, CURLM *multi) {
  int left = 0;
  const CURLMsg *message = api->multi_info_read(multi, &left);
  return message && message->msg == CURLMSG_DONE ? (int)message->data.result : -1;
}

// CURLOPT_QUICK_EXIT, since 7.87: a transfer that is stopped doesn't wait for its resolver thread,
// which a silent name server keeps for 10 to 28 seconds.
static inline CURLcode ccurl_set_quick_exit(const ccurl_api *api, CURL *easy) {
  return api->easy_setopt(easy, (CURLoption)(CURLOPTTYPE_LONG + 322), 1L);
}
// Whether stopping the transfer now would wait for that thread all the same. Until a name is
// resolved, the time it took is 0.
static inline int ccurl_waits_for_resolver(const ccurl_api *api, CURL *easy) {
  curl_off_t microseconds = 0;
  return ccurl_version(api)->version_num < 0x075700 &&
         api->easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &microseconds) == CURLE_OK &&
         microseconds == 0;
}

static inline int ccurl_resolves_without_blocking(const ccurl_api *api) {
  return (ccurl_version(api)->features & CURL_VERSION_ASYNCHDNS) != 0;
}

// Casts of macros, and `long` flags that are made of macros.
static inline long ccurl_protocols(int plain_http_too) {
  return CURLPROTO_HTTPS | (plain_http_too ? CURLPROTO_HTTP : 0);
}
static inline long ccurl_tls_1_2(void) { return CURL_SSLVERSION_TLSv1_2; }
static inline long ccurl_http_1_1(void) { return CURL_HTTP_VERSION_1_1; }
// Request bodies hold license keys and passwords: libcurl's memory is wiped when it is freed.
static inline int ccurl_global_init(const ccurl_api *api) {
  return api->global_init(CURL_GLOBAL_DEFAULT, malloc, clibc_wipe_and_free, clibc_wipe_and_resize,
                          strdup, calloc) == CURLE_OK;
}
