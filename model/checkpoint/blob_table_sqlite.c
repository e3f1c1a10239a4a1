#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/checkpoint/blob_table.h"
#include "model/checkpoint/store.h"
#include "model/state/sqlite_database.h"

enum statement { BEGIN, COMMIT, PUT, REMOVE, GET, LIST, STATEMENT_COUNT };

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS blob(path TEXT PRIMARY KEY, content BLOB NOT NULL)";

/* A path is bound as a blob, and a blob is never equal to a text. */
static const char *const statement_texts[STATEMENT_COUNT] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [PUT] = "REPLACE INTO blob VALUES(CAST(?1 AS TEXT), ?2)",
    [REMOVE] = "DELETE FROM blob WHERE path = CAST(?1 AS TEXT)",
    [GET] = "SELECT content FROM blob WHERE path = CAST(?1 AS TEXT)",
    [LIST] = "SELECT CAST(path AS BLOB) FROM blob WHERE path >= CAST(?1 AS TEXT) ORDER BY path",
};

struct sqlite_table {
    struct blob_table base;
    struct sqlite_database *database; /* NULL: the last call failed, the next one opens it again */
    sqlite3_stmt *statements[STATEMENT_COUNT];
};

static struct sqlite_table *table_of(struct blob_table *table)
{
    return (struct sqlite_table *)(void *)table;
}

static void close_database(struct sqlite_table *table)
{
    if (table->database != NULL) {
        sqlite_database_close(table->database);
        table->database = NULL;
    }
}

/* After an error SQLite brings the file back to the last commit when it is opened anew (B3). */
static enum status conclude(struct sqlite_table *table, enum status status)
{
    if (status != STATUS_OK) {
        close_database(table);
    }
    return status;
}

static enum status ensure_open(struct sqlite_table *table)
{
    if (table->database != NULL) {
        return STATUS_OK;
    }
    struct sqlite_database_options options = { .volume = HOST_SHARED,
                                               .path = STORE_DATABASE,
                                               .durability = DATABASE_DURABLE,
                                               .page_bytes = STORE_PAGE_BYTES,
                                               .cache_bytes = STORE_CACHE_BYTES };
    enum status status = sqlite_database_open(table->base.host, &options, &table->database);
    if (status != STATUS_OK) {
        CHECK(table->database == NULL);
        return status;
    }
    status = sqlite_database_run(table->database, schema);
    for (int i = 0; i < STATEMENT_COUNT && status == STATUS_OK; i++) {
        status =
            sqlite_database_prepare(table->database, statement_texts[i], &table->statements[i]);
    }
    return conclude(table, status);
}

static enum status execute(struct sqlite_table *table, enum statement number)
{
    CHECK(table->database != NULL);
    return conclude(table, sqlite_database_execute(table->database, table->statements[number]));
}

static enum status begin(struct blob_table *base)
{
    struct sqlite_table *table = table_of(base);
    enum status status = ensure_open(table);
    return status == STATUS_OK ? execute(table, BEGIN) : status;
}

static enum status end(struct blob_table *base)
{
    return execute(table_of(base), COMMIT);
}

static enum status put(struct blob_table *base, struct bytes path, struct bytes content)
{
    struct sqlite_table *table = table_of(base);
    sqlite_bind_bytes(table->statements[PUT], 1, path);
    sqlite_bind_bytes(table->statements[PUT], 2, content);
    return execute(table, PUT);
}

static enum status remove_blob(struct blob_table *base, struct bytes path)
{
    struct sqlite_table *table = table_of(base);
    sqlite_bind_bytes(table->statements[REMOVE], 1, path);
    return execute(table, REMOVE);
}

static enum status get(struct blob_table *base, struct bytes path, struct buffer *out)
{
    struct sqlite_table *table = table_of(base);
    bool has_row = false;
    enum status status = ensure_open(table);
    if (status != STATUS_OK) {
        return status;
    }
    sqlite3_stmt *statement = table->statements[GET];
    sqlite_bind_bytes(statement, 1, path);
    status = sqlite_database_step(table->database, statement, &has_row);
    if (status == STATUS_OK && !has_row) {
        return STATUS_NOT_FOUND;
    }
    if (status == STATUS_OK) {
        buffer_append(out, sqlite_column_bytes(statement, 0));
        (void)sqlite3_reset(statement);
    }
    return conclude(table, status);
}

static bool begins_with(struct bytes bytes, struct bytes prefix)
{
    return bytes.size >= prefix.size && memcmp(bytes.data, prefix.data, prefix.size) == 0;
}

static enum status list(struct blob_table *base, struct bytes prefix, struct buffer *paths)
{
    struct sqlite_table *table = table_of(base);
    size_t size_before = paths->size;
    bool has_row = false;
    enum status status = ensure_open(table);
    if (status != STATUS_OK) {
        return status;
    }
    sqlite3_stmt *statement = table->statements[LIST];
    sqlite_bind_bytes(statement, 1, prefix);
    while ((status = sqlite_database_step(table->database, statement, &has_row)) == STATUS_OK &&
           has_row && begins_with(sqlite_column_bytes(statement, 0), prefix)) {
        encode_bytes(paths, sqlite_column_bytes(statement, 0));
    }
    if (status == STATUS_OK) {
        (void)sqlite3_reset(statement);
    } else {
        paths->size = size_before;
    }
    return conclude(table, status);
}

static const struct blob_table_ops sqlite_ops = {
    .begin = begin,
    .end = end,
    .put = put,
    .remove = remove_blob,
    .get = get,
    .list = list,
};

enum status blob_table_sqlite_open(struct host *host, struct blob_table **table)
{
    struct sqlite_table *opened = arena_alloc(host->arena, 1, sizeof *opened);
    opened->base = (struct blob_table){ .ops = &sqlite_ops, .host = host };
    enum status status = ensure_open(opened);
    if (status == STATUS_OK) {
        *table = &opened->base;
    } else {
        arena_free(host->arena, opened);
    }
    return status;
}
