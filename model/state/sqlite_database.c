#include "model/state/sqlite_database.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "model/state/sqlite_vfs.h"

struct sqlite_database {
    struct sqlite_vfs vfs;
    struct arena *arena;
    struct arena_deferred *deferred; /* the cleanup if the arena is dropped first */
    sqlite3 *connection;
    bool is_durable;
};

/* What a call comes to that SQLite answered with `code`. */
static enum status status_of(const struct sqlite_database *database, int code)
{
    enum status failure = sqlite_vfs_status(&database->vfs);
    if (failure == STATUS_HALTED) {
        return failure; /* SQLite ignores some errors; a dead process may not */
    }
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return STATUS_OK;
    case SQLITE_FULL: return STATUS_NO_SPACE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return STATUS_CORRUPT;
    case SQLITE_ERROR:    /* the schema, or the version in the file's header, is not what it was */
    case SQLITE_READONLY: /* the same of the version that may write */
    case SQLITE_TOOBIG:
        if (database->is_durable) {
            return STATUS_CORRUPT;
        }
        break;
    case SQLITE_CONSTRAINT: return STATUS_EXISTS;
    case SQLITE_CANTOPEN: return failure != STATUS_OK ? failure : STATUS_NOT_FOUND;
    case SQLITE_IOERR:
        CHECK(code != SQLITE_IOERR_NOMEM);
        return failure != STATUS_OK ? failure : STATUS_IO;
    default: break;
    }
    CHECK_UNREACHABLE("a misuse of SQLite, or no memory");
}

/* Frees all that SQLite holds. */
static void disconnect(struct sqlite_database *database)
{
    sqlite3_stmt *statement;
    while ((statement = sqlite3_next_stmt(database->connection, NULL)) != NULL) {
        (void)sqlite3_finalize(statement); /* repeats the error of its last step */
    }
    int code = sqlite3_close(database->connection);
    CHECK(code == SQLITE_OK);
    database->connection = NULL;
}

/* The arena is being dropped, and the host may be gone. */
static void end_without_host(void *argument)
{
    struct sqlite_database *database = argument;
    sqlite_vfs_abandon(&database->vfs);
    disconnect(database);
}

static enum status set_up(struct sqlite_database *database,
                          const struct sqlite_database_options *options)
{
    char sql[512];
    /* locking_mode comes before the first access to the file, page_size and auto_vacuum before its
     * first page. Freed pages are not overwritten with zeros, which some builds of SQLite do. */
    int length = snprintf(sql, sizeof sql,
                          "PRAGMA locking_mode=EXCLUSIVE;"
                          "PRAGMA temp_store=MEMORY;"
                          "PRAGMA page_size=%" PRIu32 ";"
                          "PRAGMA auto_vacuum=NONE;"
                          "PRAGMA secure_delete=OFF;"
                          "PRAGMA cache_size=-%" PRIu64 ";"
                          "PRAGMA journal_mode=%s;"
                          "PRAGMA synchronous=%s;",
                          options->page_bytes, options->cache_bytes / 1024,
                          database->is_durable ? "PERSIST" : "OFF",
                          database->is_durable ? "EXTRA" : "OFF");
    CHECK(length > 0 && (size_t)length < sizeof sql);
    return sqlite_database_run(database, sql);
}

enum status sqlite_database_open(struct host *host, const struct sqlite_database_options *options,
                                 struct sqlite_database **database)
{
    uint32_t page = options->page_bytes;
    CHECK(page >= 512 && page <= 65536 && (page & (page - 1)) == 0);
    struct sqlite_database *opened = arena_alloc(host->arena, 1, sizeof *opened);
    opened->arena = host->arena;
    opened->is_durable = options->durability == DATABASE_DURABLE;
    sqlite_vfs_init(&opened->vfs, host, options->volume);
    enum status status = opened->is_durable
                             ? sqlite_vfs_settle(&opened->vfs, options->path)
                             : sqlite_vfs_remove(&opened->vfs, options->path);
    if (status != STATUS_OK) {
        arena_free(host->arena, opened);
        return status;
    }
    int code = sqlite_vfs_connect(&opened->vfs, options->path, &opened->connection);
    status = status_of(opened, code);
    if (code != SQLITE_OK) {
        CHECK(status != STATUS_OK);
        arena_free(host->arena, opened);
        return status;
    }
    (void)sqlite3_extended_result_codes(opened->connection, 1);
    opened->deferred = arena_defer(host->arena, end_without_host, opened);
    status = set_up(opened, options);
    if (status != STATUS_OK) {
        sqlite_database_close(opened);
        return status;
    }
    *database = opened;
    return STATUS_OK;
}

void sqlite_database_close(struct sqlite_database *database)
{
    disconnect(database);
    arena_undefer(database->arena, database->deferred);
    arena_free(database->arena, database);
}

enum status sqlite_database_run(struct sqlite_database *database, const char *sql)
{
    sqlite_vfs_forget(&database->vfs);
    return status_of(database, sqlite3_exec(database->connection, sql, NULL, NULL, NULL));
}

enum status sqlite_database_prepare(struct sqlite_database *database, const char *sql,
                                    sqlite3_stmt **statement)
{
    sqlite_vfs_forget(&database->vfs);
    int code = sqlite3_prepare_v3(database->connection, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                  statement, NULL);
    enum status status = status_of(database, code);
    CHECK(status != STATUS_OK || *statement != NULL);
    return status;
}

enum status sqlite_database_step(struct sqlite_database *database, sqlite3_stmt *statement,
                                 bool *has_row)
{
    sqlite_vfs_forget(&database->vfs);
    int code = sqlite3_step(statement);
    *has_row = code == SQLITE_ROW;
    if (code != SQLITE_ROW) {
        (void)sqlite3_reset(statement); /* repeats the error */
    }
    return status_of(database, code);
}

enum status sqlite_database_execute(struct sqlite_database *database, sqlite3_stmt *statement)
{
    bool has_row;
    enum status status = sqlite_database_step(database, statement, &has_row);
    CHECK(status != STATUS_OK || !has_row);
    return status;
}

struct bytes sqlite_column_bytes(sqlite3_stmt *statement, int column)
{
    struct bytes bytes = { .data = sqlite3_column_blob(statement, column) };
    bytes.size = (size_t)sqlite3_column_bytes(statement, column);
    if (bytes.data == NULL && sqlite3_column_type(statement, column) != SQLITE_NULL) {
        bytes.data = (const uint8_t *)""; /* SQLite answers NULL for an empty value, too */
    }
    return bytes;
}

void sqlite_bind_bytes(sqlite3_stmt *statement, int parameter, struct bytes bytes)
{
    const void *data = bytes.data != NULL ? (const void *)bytes.data : "";
    int code = sqlite3_bind_blob64(statement, parameter, data, bytes.size, SQLITE_STATIC);
    CHECK(code == SQLITE_OK);
}

void sqlite_bind_number(sqlite3_stmt *statement, int parameter, uint64_t number)
{
    CHECK(number <= INT64_MAX);
    int code = sqlite3_bind_int64(statement, parameter, (sqlite3_int64)number);
    CHECK(code == SQLITE_OK);
}

sqlite3 *sqlite_database_connection(struct sqlite_database *database)
{
    return database->connection;
}
