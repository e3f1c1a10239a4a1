/* sqlite_database.h - one SQLite database on the host's disk: opening, statements, transactions.
 *
 * A DURABLE database keeps each committed transaction, whole, over every crash; of a transaction
 * whose commit did not return, all or nothing is left. Its journal is a rollback journal that stays
 * (PERSIST, synchronous=EXTRA), not a write-ahead log: a log would write and read each large value
 * twice, and a deleted journal needs directory syncs instead of one overwritten header.
 * A DISPOSABLE one is emptied when it is opened and is not synced; no crash leaves anything of it,
 * and no transaction can be rolled back.
 *
 * After an error the database can only be closed, and opened again: SQLite then brings the file
 * back to the last commit. Running out of memory is a failed check. */
#ifndef FAULTLINE_STATE_SQLITE_DATABASE_H
#define FAULTLINE_STATE_SQLITE_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/status.h"
#include "model/host.h"

enum sqlite_durability { DATABASE_DURABLE, DATABASE_DISPOSABLE };

struct sqlite_database_options {
    enum host_volume volume;
    const char *path; /* its directory exists, and is durable if the database shall be */
    enum sqlite_durability durability;
    uint32_t page_bytes;  /* of a new database: a power of two, 512 .. 65536 */
    uint64_t cache_bytes; /* the most that SQLite keeps of the file in memory */
};

struct sqlite_database;

/* Opens or creates a database; `*database` is set only on STATUS_OK. It belongs to the host's
 * arena, whose end also frees what SQLite holds, without a call of the host. Errors: HALTED, IO,
 * NO_SPACE, NOT_FOUND (no directory), CORRUPT (the file is no database). */
MUST_USE enum status sqlite_database_open(struct host *host,
                                          const struct sqlite_database_options *options,
                                          struct sqlite_database **database);

/* Closes it; a transaction under way is rolled back, and every statement finalized. */
void sqlite_database_close(struct sqlite_database *database);

/* Errors of all calls below: HALTED, IO, NO_SPACE, CORRUPT, and EXISTS where a constraint of the
 * schema is broken (only then the database can go on). SQL that SQLite cannot compile is a failed
 * check; in a DURABLE database it is CORRUPT, as the file may lack a table that it had. */

/* Runs statements without parameters; their rows are ignored. */
MUST_USE enum status sqlite_database_run(struct sqlite_database *database, const char *sql);

/* Compiles one statement. Owned by the database; bound and read by SQLite's own functions. */
MUST_USE enum status sqlite_database_prepare(struct sqlite_database *database, const char *sql,
                                             sqlite3_stmt **statement);

/* Goes to the statement's next row; `*has_row` is false behind the last one, and the statement is
 * then reset, as after an error. Bindings stay. */
MUST_USE enum status sqlite_database_step(struct sqlite_database *database, sqlite3_stmt *statement,
                                          bool *has_row);

/* Runs a statement that gives no row, and resets it. */
MUST_USE enum status sqlite_database_execute(struct sqlite_database *database,
                                             sqlite3_stmt *statement);

/* The bytes of a column of the current row, data == NULL for an SQL NULL only. Borrowed until the
 * next step. */
struct bytes sqlite_column_bytes(sqlite3_stmt *statement, int column);

/* Binds bytes that are borrowed until the statement is reset and bound anew. */
void sqlite_bind_bytes(sqlite3_stmt *statement, int parameter, struct bytes bytes);

/* Binds a number. */
void sqlite_bind_number(sqlite3_stmt *statement, int parameter, uint64_t number);

/* The connection, for what is not here. Borrowed. */
sqlite3 *sqlite_database_connection(struct sqlite_database *database);

#endif
