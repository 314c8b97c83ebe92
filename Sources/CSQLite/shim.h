// SQLite's C API, with wrappers for what is variadic or a macro that casts.
#pragma once
#include <sqlite3.h>

#include "../CLibc/wipe.h"
#include "late_dates.h"

// Made of other macros.
enum {
  csqlite_constraint_unique = SQLITE_CONSTRAINT_UNIQUE,
  csqlite_ioerr_read = SQLITE_IOERR_READ,
  csqlite_ioerr_short_read = SQLITE_IOERR_SHORT_READ,
  csqlite_ioerr_shmsize = SQLITE_IOERR_SHMSIZE
};

// SQLite syncs the folder at each connection's first commit, in case it was that one which made
// the WAL: a sync more for a process that lives for one commit. Who makes files syncs it once for all.
static inline int csqlite_open_no_folder(const char *path, int *file) { return SQLITE_CANTOPEN; }
static inline void csqlite_leave_folder_alone(void) {
  sqlite3_vfs *system = sqlite3_vfs_find("unix");
  if (system && system->iVersion >= 3)
    system->xSetSystemCall(system, "openDirectory", (sqlite3_syscall_ptr)csqlite_open_no_folder);
}

// `sqlite3_db_config` is variadic.
static inline int csqlite_db_config(sqlite3 *connection, int option, int value) {
  return sqlite3_db_config(connection, option, value, (int *)0);
}

// `SQLITE_STATIC` is a cast macro. The text must outlive the step.
static inline int csqlite_bind_text_in_place(sqlite3_stmt *statement, int index, const char *text,
                                             int byte_count) {
  return sqlite3_bind_text(statement, index, text, byte_count, SQLITE_STATIC);
}

// `SQLITE_TRANSIENT` is a cast macro. SQLite copies the bytes.
static inline int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text,
                                    int byte_count) {
  return sqlite3_bind_text(statement, index, text, byte_count, SQLITE_TRANSIENT);
}

static inline int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes,
                                    int byte_count) {
  return sqlite3_bind_blob(statement, index, bytes, byte_count, SQLITE_TRANSIENT);
}

static inline void *csqlite_allocate(int byte_count) { return malloc((size_t)byte_count); }
static inline void *csqlite_resize(void *memory, int byte_count) {
  return clibc_wipe_and_resize(memory, (size_t)byte_count);
}
static inline int csqlite_size(void *memory) { return memory ? (int)malloc_usable_size(memory) : 0; }
static inline int csqlite_round_up(int byte_count) { return (byte_count + 7) & ~7; }
static inline int csqlite_start(void *unused) { return SQLITE_OK; }
static inline void csqlite_stop(void *unused) {}

// Rows hold license keys and passwords: SQLite's memory is wiped when it is freed. `sqlite3_config`
// is variadic, and refuses once SQLite is in use: the second call changes nothing.
static inline void csqlite_wipe_what_is_freed(void) {
  static const sqlite3_mem_methods methods = {
      csqlite_allocate, clibc_wipe_and_free, csqlite_resize, csqlite_size,
      csqlite_round_up, csqlite_start,       csqlite_stop,   NULL};
  sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}
