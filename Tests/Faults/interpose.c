// Faults from inside the process, by LD_PRELOAD: what no system call shows.
//
//   FAULTS_ALLOCATION=list:FILE     writes one letter for each allocation: who asked for it
//   FAULTS_ALLOCATION=once:N, on:N  allocation N fails; all from N on fail. If it ends by SIGSEGV,
//                                   "faults: ended in LIBRARY" on standard error
//   FAULTS_SYNC=list:FILE           writes the name of each file that is synced
//   FAULTS_SYNC=lose:N              sync N fails, and what was written since the file's last sync
//                                   is gone: the pages were dropped, as ext4 and XFS do
//   FAULTS_SYNC=skip:WORD           syncs of files with WORD in their names are left out
//   FAULTS_SYNCFS=skip              syncs of the whole file system are left out
//   FAULTS_SQL=OLD=>NEW             in each SQL statement
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

#define CALLER __builtin_return_address(0)

// MARK: - Allocations

static int report = -1;
static long fail_at = -1, fail_on, lose_at = -1;
static const char *skipped, *old_text, *new_text;
static atomic_long allocations, syncs;
static char owner_letters[65536];
static int is_listing, is_file_only;

// The object that holds `address`: 'h' the program, 's' SQLite, 'c' libcurl, 'o' another.
static int find_owner(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  uintptr_t address = ((uintptr_t *)data)[0];
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    uintptr_t start = info->dlpi_addr + part->p_vaddr;
    if (part->p_type != PT_LOAD || address < start || address >= start + part->p_memsz) continue;
    const char *name = info->dlpi_name;
    ((uintptr_t *)data)[1] = !*name                      ? 'h'
                             : strstr(name, "libsqlite") ? 's'
                             : strstr(name, "libcurl")   ? 'c'
                                                         : 'o';
    return 1;
  }
  return 0;
}

static int fails(void *caller) {
  if (fail_at < 0 && !is_listing) return 0;
  long number = atomic_fetch_add(&allocations, 1);
  if (is_listing && number < (long)sizeof owner_letters) {
    uintptr_t found[2] = {(uintptr_t)caller, 'o'};
    dl_iterate_phdr(find_owner, found);
    owner_letters[number] = (char)found[1];
  }
  if (fail_at < 0 || (fail_on ? number < fail_at : number != fail_at)) return 0;
  errno = ENOMEM;
  return 1;
}

void *malloc(size_t size) { return fails(CALLER) ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) {
  return fails(CALLER) ? NULL : __libc_calloc(count, size);
}
void *realloc(void *old, size_t size) {
  return fails(CALLER) ? NULL : __libc_realloc(old, size);
}
void *memalign(size_t alignment, size_t size) {
  return fails(CALLER) ? NULL : __libc_memalign(alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  return fails(CALLER) ? NULL : __libc_memalign(alignment, size);
}
int posix_memalign(void **result, size_t alignment, size_t size) {
  if (fails(CALLER)) return ENOMEM;
  return (*result = __libc_memalign(alignment, size)) ? 0 : ENOMEM;
}

// Tells in which library a process ends that was short of memory: the first one behind libc.
static void tell_where(int signal) {
  void *frames[16];
  Dl_info info;
  int count = backtrace(frames, 16);
  for (int i = 0; i < count; i++) {
    if (!dladdr(frames[i], &info) || !info.dli_fname) continue;
    const char *name = strrchr(info.dli_fname, '/');
    name = name ? name + 1 : info.dli_fname;
    if (strstr(name, "interpose") || !strncmp(name, "libc.", 5)) continue;
    dprintf(2, "\nfaults: ended in %s\n", name);
    break;
  }
  raise(signal);
}

// MARK: - Syncs

// What a write overwrote, newest first: undone when the pages are to be lost.
struct undo {
  struct undo *next;
  off_t offset, old_size;
  size_t length;
  char bytes[];
};
static struct undo *undone[1024];

static void name_of(int file, char name[4096]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, name, 4095);
  name[length > 0 ? length : 0] = 0;
}

static void remember(int file, off_t offset, size_t length) {
  struct stat status;
  if (lose_at < 0 || file < 0 || file >= 1024 || fstat(file, &status) || !S_ISREG(status.st_mode))
    return;
  struct undo *one = __libc_malloc(sizeof *one + length);
  one->next = undone[file];
  one->offset = offset;
  one->old_size = status.st_size;
  ssize_t got = length ? pread(file, one->bytes, length, offset) : 0;
  one->length = got > 0 ? (size_t)got : 0;
  undone[file] = one;
}

static ssize_t (*next_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*next_write)(int, const void *, size_t);
static int (*next_ftruncate)(int, off_t);
static long (*next_syscall)(long, ...);
static int (*next_fsync)(int), (*next_fdatasync)(int), (*next_close)(int);

static void forget(int file) {
  if (file < 0 || file >= 1024) return;
  while (undone[file]) {
    struct undo *one = undone[file];
    undone[file] = one->next;
    free(one);
  }
}

static void lose(int file) {
  for (struct undo *one = file < 1024 ? undone[file] : NULL; one; one = one->next) {
    if (next_ftruncate(file, one->old_size)) abort();
    if (one->length && next_pwrite(file, one->bytes, one->length, one->offset) < 0) abort();
  }
  forget(file);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off_t offset) {
  remember(file, offset, length);
  return next_pwrite(file, bytes, length, offset);
}
ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) {
  return pwrite64(file, bytes, length, offset);
}
ssize_t write(int file, const void *bytes, size_t length) {
  if (lose_at >= 0) remember(file, lseek(file, 0, SEEK_CUR), length);
  return next_write(file, bytes, length);
}
int ftruncate64(int file, off_t size) {
  struct stat status;
  if (lose_at >= 0 && !fstat(file, &status) && status.st_size > size)
    remember(file, size, (size_t)(status.st_size - size));
  else
    remember(file, 0, 0);
  return next_ftruncate(file, size);
}
int ftruncate(int file, off_t size) { return ftruncate64(file, size); }
int close(int file) {
  forget(file);
  return next_close(file);
}

static int synced(int file, int (*next)(int)) {
  char name[4096];
  if (report >= 0 && !is_listing) {
    name_of(file, name);
    strcat(name, "\n");
    next_write(report, name, strlen(name));
  }
  if (skipped) {
    name_of(file, name);
    if (strstr(name, skipped)) return 0;
  }
  if (lose_at >= 0 && atomic_fetch_add(&syncs, 1) == lose_at) {
    lose(file);
    errno = EIO;
    return -1;
  }
  forget(file);
  return next(file);
}
int fsync(int file) { return synced(file, next_fsync); }
int fdatasync(int file) { return synced(file, next_fdatasync); }

// The program has an fdatasync of its own, which makes the calls so.
long syscall(long number, ...) {
  long six[6];
  va_list arguments;
  va_start(arguments, number);
  for (int i = 0; i < 6; i++) six[i] = va_arg(arguments, long);
  va_end(arguments);
  if (number == SYS_fdatasync) return synced((int)six[0], next_fdatasync);
  if (number == SYS_syncfs && is_file_only) return 0;
  return next_syscall(number, six[0], six[1], six[2], six[3], six[4], six[5]);
}

// MARK: - SQL

// `sql` with the one text in place of the other; a copy is never freed, as the process is short.
static const char *rewritten(const char *sql) {
  const char *found = old_text ? strstr(sql, old_text) : NULL;
  if (!found) return sql;
  char *copy;
  if (asprintf(&copy, "%.*s%s%s", (int)(found - sql), sql, new_text, found + strlen(old_text)) < 0)
    abort();
  return copy;
}

int sqlite3_exec(void *handle, const char *sql, void *row, void *context, char **message) {
  static int (*next)(void *, const char *, void *, void *, char **);
  if (!next) *(void **)&next = dlsym(RTLD_NEXT, "sqlite3_exec");
  return next(handle, rewritten(sql), row, context, message);
}

int sqlite3_prepare_v2(void *handle, const char *sql, int length, void **statement,
                       const char **tail) {
  static int (*next)(void *, const char *, int, void **, const char **);
  if (!next) *(void **)&next = dlsym(RTLD_NEXT, "sqlite3_prepare_v2");
  // SQLite's own sqlite3_exec comes by here, with text that is rewritten already.
  const char *text = rewritten(sql);
  return next(handle, text, text == sql ? length : -1, statement, tail);
}

// MARK: - Beginning and end

__attribute__((constructor)) static void begin(void) {
  *(void **)&next_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  *(void **)&next_write = dlsym(RTLD_NEXT, "write");
  *(void **)&next_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  *(void **)&next_fsync = dlsym(RTLD_NEXT, "fsync");
  *(void **)&next_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  *(void **)&next_syscall = dlsym(RTLD_NEXT, "syscall");
  *(void **)&next_close = dlsym(RTLD_NEXT, "close");
  char *sync = getenv("FAULTS_SYNC");
  if (sync && !strncmp(sync, "list:", 5))
    report = open(sync + 5, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (sync && !strncmp(sync, "lose:", 5)) lose_at = atol(sync + 5);
  if (sync && !strncmp(sync, "skip:", 5)) skipped = sync + 5;
  is_file_only = getenv("FAULTS_SYNCFS") != NULL;
  char *sql = getenv("FAULTS_SQL");
  char *arrow = sql ? strstr(sql, "=>") : NULL;
  if (arrow) {
    old_text = strndup(sql, (size_t)(arrow - sql));
    new_text = arrow + 2;
  }
  char *allocation = getenv("FAULTS_ALLOCATION");
  if (!allocation) return;
  if (!strncmp(allocation, "list:", 5)) {
    report = open(allocation + 5, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    is_listing = 1;
  } else {
    void *first[1];
    // Loads what it needs.
    backtrace(first, 1);
    sigaction(SIGSEGV, &(struct sigaction){.sa_handler = tell_where, .sa_flags = SA_RESETHAND}, 0);
    fail_on = !strncmp(allocation, "on:", 3);
    fail_at = atol(strchr(allocation, ':') + 1);
  }
}

__attribute__((destructor)) static void end(void) {
  long count = allocations < (long)sizeof owner_letters ? allocations : (long)sizeof owner_letters;
  if (is_listing && next_write(report, owner_letters, (size_t)count) < 0) _exit(2);
}
