// SQLite's C API, with wrappers for what is variadic or a macro that casts.
#pragma once
#include <sqlite3.h>

#include "late_dates.h"

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
