// The reference for `handback deactivate --queue-only`: the least that a program must do to
// commit the same row durably with the same library. Opens, inserts, closes: WAL,
// synchronous=FULL, no checkpoint at close.
//   commit JOURNAL HARDWARE_ID
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static int fail(sqlite3 *db) {
  fprintf(stderr, "commit: %s\n", sqlite3_errmsg(db));
  return 1;
}

int main(int argc, char **argv) {
  sqlite3 *db;
  sqlite3_stmt *insert;
  if (argc != 3) return 64;
  if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL)) return fail(db);
  sqlite3_busy_timeout(db, 10000);
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  if (sqlite3_exec(db, "PRAGMA synchronous = FULL; BEGIN IMMEDIATE", 0, 0, 0)) return fail(db);
  if (sqlite3_prepare_v2(db,
                         "INSERT INTO deactivation (secret, fingerprint, nonce, product, hardware_id, way,"
                         " sdk_ver, queued_at) VALUES (?1, randomblob(16), 1, 'XY', ?2, 0,"
                         " 'handback 0.1.0', 1795392000)",
                         -1, &insert, NULL))
    return fail(db);
  sqlite3_bind_text(insert, 1, "AAAA-BBBB-CCCC-DDDD", -1, SQLITE_STATIC);
  sqlite3_bind_text(insert, 2, argv[2], -1, SQLITE_STATIC);
  if (sqlite3_step(insert) != SQLITE_DONE) return fail(db);
  sqlite3_finalize(insert);
  if (sqlite3_exec(db, "COMMIT", 0, 0, 0)) return fail(db);
  sqlite3_close(db);
  puts("queued");
  return 0;
}
