#include "sim/oracle/stored.h"

#include <sqlite3.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/hash.h"

static bool is_below_root(const char *path)
{
    return strncmp(path, STORE_ROOT "/", strlen(STORE_ROOT "/")) == 0;
}

bool stored_is_database(const char *path)
{
    return strncmp(path, STORE_DATABASE, strlen(STORE_DATABASE)) == 0;
}

static void free_blob(struct stored *stored, const struct stored_blob *blob)
{
    arena_free(stored->arena, (void *)(uintptr_t)blob->path);
    arena_free(stored->arena, (void *)(uintptr_t)blob->content.data);
}

static void forget(struct stored *stored)
{
    for (size_t i = 0; i < stored->count; i++) {
        free_blob(stored, &stored->blobs[i]);
    }
    stored->count = 0;
    stored->is_readable = true;
}

/* A journal that begins with its magic number holds what a transaction has overwritten. */
static bool has_hot_journal(const struct disk *disk)
{
    static const uint8_t magic[] = { 0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7 };
    struct bytes journal;
    return disk_peek(disk, STORE_DATABASE "-journal", &journal) && journal.size > sizeof magic &&
           memcmp(journal.data, magic, sizeof magic) == 0;
}

static void add(struct stored *stored, const char *path, struct bytes content)
{
    stored->blobs = arena_grow(stored->arena, stored->blobs, &stored->capacity, stored->count + 1,
                               sizeof *stored->blobs);
    stored->blobs[stored->count++] =
        (struct stored_blob){ .path = path, .content = bytes_copy(stored->arena, content) };
}

static void add_row(struct stored *stored, sqlite3_stmt *statement)
{
    const char *path = (const char *)sqlite3_column_text(statement, 0);
    struct bytes content = { .data = sqlite3_column_blob(statement, 1) };
    content.size = (size_t)sqlite3_column_bytes(statement, 1);
    if (path == NULL || !is_below_root(path)) {
        stored->is_readable = false; /* nobody writes such a row */
        return;
    }
    add(stored, arena_text(stored->arena, path), content);
}

static void read_rows(struct stored *stored, sqlite3 *connection)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(connection, "SELECT path, content FROM blob ORDER BY path", -1,
                                  &statement, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW) {
            add_row(stored, statement);
        }
    }
    (void)sqlite3_finalize(statement);
    stored->is_readable = stored->is_readable && code == SQLITE_DONE;
}

static void read_database(struct stored *stored, struct bytes file)
{
    sqlite3 *connection = NULL;
    CHECK(sqlite3_open(":memory:", &connection) == SQLITE_OK);
    /* SQLite does not write to what it may only read. */
    int code = sqlite3_deserialize(connection, "main", (unsigned char *)(uintptr_t)file.data,
                                   (sqlite3_int64)file.size, (sqlite3_int64)file.size,
                                   SQLITE_DESERIALIZE_READONLY);
    if (code == SQLITE_OK) {
        read_rows(stored, connection);
    } else {
        stored->is_readable = false;
    }
    CHECK(sqlite3_close(connection) == SQLITE_OK);
}

void stored_refresh(struct stored *stored)
{
    struct bytes file = { 0 };
    if (stored->kind != STORE_SQLITE) {
        return;
    }
    bool is_there = disk_peek(stored->shared, STORE_DATABASE, &file) && file.size > 0;
    bool is_hot = has_hot_journal(stored->shared);
    uint64_t hash = is_there && !is_hot ? hash_bytes(file) : 0;
    if (hash != 0 && hash == stored->file_hash) {
        return;
    }
    forget(stored);
    stored->file_hash = hash;
    if (is_hot) {
        stored->is_readable = false;
    } else if (is_there) {
        read_database(stored, file);
    }
}

/* ---- memory ---------------------------------------------------------------------------------- */

void stored_on_removed(struct stored *stored, const struct fact *fact)
{
    CHECK(stored->kind == STORE_MEMORY);
    for (size_t i = 0; i < stored->count; i++) {
        struct stored_blob *blob = &stored->blobs[i];
        if (bytes_equal(bytes_of_text(blob->path), fact->text)) {
            free_blob(stored, blob);
            *blob = stored->blobs[--stored->count];
            return;
        }
    }
}

void stored_on_put(struct stored *stored, const struct fact *fact)
{
    stored_on_removed(stored, fact);
    stored->is_readable = stored->is_readable && fact->content.size == fact->values[0];
    if (stored->is_readable) {
        add(stored,
            arena_format(stored->arena, "%.*s", (int)fact->text.size,
                         (const char *)fact->text.data),
            fact->content);
    }
}

void stored_on_lost(struct stored *stored)
{
    if (stored->kind == STORE_MEMORY) {
        forget(stored);
    }
}

/* ---- all ------------------------------------------------------------------------------------- */

bool stored_peek(const struct stored *stored, const char *path, struct bytes *content)
{
    if (stored->kind == STORE_FILES || !is_below_root(path)) {
        return disk_peek(stored->shared, path, content);
    }
    for (size_t i = 0; i < stored->count; i++) {
        if (strcmp(stored->blobs[i].path, path) == 0) {
            *content = stored->blobs[i].content;
            return true;
        }
    }
    return false;
}

void stored_each(const struct stored *stored, void (*each)(void *context, const char *path),
                 void *context)
{
    disk_each_file(stored->shared, each, context);
    for (size_t i = 0; i < stored->count; i++) {
        each(context, stored->blobs[i].path);
    }
}
