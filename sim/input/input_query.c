#include <sqlite3.h>
#include <string.h>

#include "model/base/check.h"
#include "sim/input/input_private.h"

struct query_reader {
    struct arena *arena;
    const char *path;
    sqlite3 *database;
    sqlite3_stmt *statement;
    uint64_t row; /* of the next, from 1 */
};

/* What SQLite has to say. A fault of the query has a place in it. */
static enum status say_failed(const struct query_reader *reader, struct buffer *error)
{
    int code = sqlite3_errcode(reader->database);
    int offset = sqlite3_error_offset(reader->database);
    buffer_append_format(error, "%s: ", reader->path);
    if (offset >= 0) {
        buffer_append_format(error, "query:1:%d: ", offset + 1);
    }
    buffer_append_text(error, sqlite3_errmsg(reader->database));
    switch (code & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY: /* it must be recovered, or have a -shm, before it can be read */
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return STATUS_IO;
    default: return STATUS_INVALID;
    }
}

static enum status say(const struct query_reader *reader, const char *why, struct buffer *error)
{
    buffer_append_format(error, "%s: %s", reader->path, why);
    return STATUS_INVALID;
}

/* One statement that asks for something and changes nothing. */
static enum status prepare(struct query_reader *reader, const char *query, struct buffer *error)
{
    const char *rest = NULL;
    if (sqlite3_prepare_v2(reader->database, query, -1, &reader->statement, &rest) != SQLITE_OK) {
        return say_failed(reader, error);
    }
    if (reader->statement == NULL || sqlite3_column_count(reader->statement) == 0 ||
        !sqlite3_stmt_readonly(reader->statement)) {
        return say(reader, "the query must be one that answers rows, such as SELECT", error);
    }
    if (rest[strspn(rest, " \t\r\n;")] != '\0') {
        return say(reader, "the query must be one statement", error);
    }
    return STATUS_OK;
}

enum status query_reader_open(struct query_reader **reader, struct arena *arena, const char *path,
                              const char *query, struct buffer *error)
{
    *reader = arena_alloc(arena, 1, sizeof **reader);
    **reader = (struct query_reader){ .arena = arena, .path = path, .row = 1 };
    enum status status = STATUS_OK;
    if (sqlite3_open_v2(path, &(*reader)->database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        buffer_append_format(error, "cannot read %s: %s", path,
                             sqlite3_errmsg((*reader)->database));
        status = STATUS_NOT_FOUND;
    }
    if (status == STATUS_OK) {
        status = prepare(*reader, query, error);
    }
    if (status != STATUS_OK) {
        query_reader_close(*reader);
    }
    return status;
}

/* The first column of the row as a line. */
static enum status append_row(const struct query_reader *reader, struct buffer *lines,
                              struct buffer *error)
{
    /* The type first: asking for a text changes it. */
    bool is_null = sqlite3_column_type(reader->statement, 0) == SQLITE_NULL;
    struct bytes value = { .data = sqlite3_column_text(reader->statement, 0) };
    value.size = (size_t)sqlite3_column_bytes(reader->statement, 0);
    const char *why = NULL;
    if (is_null) {
        why = "is NULL, which cannot be a record";
    } else if (memchr(value.data, '\n', value.size) != NULL ||
               memchr(value.data, '\r', value.size) != NULL) {
        why = "has a line break in it, so it cannot be a record";
    }
    if (why != NULL) {
        buffer_append_format(error, "%s: the first column of row %llu of the answer %s",
                             reader->path, (unsigned long long)reader->row, why);
        return STATUS_INVALID;
    }
    buffer_append(lines, value);
    buffer_append(lines, bytes_of_text("\n"));
    return STATUS_OK;
}

enum status query_reader_read(struct query_reader *reader, struct buffer *lines, bool *more,
                              struct buffer *error)
{
    size_t end = lines->size + INPUT_STEP_BYTES;
    *more = true;
    while (lines->size < end) {
        int answer = sqlite3_step(reader->statement);
        if (answer == SQLITE_DONE) {
            *more = false;
            return STATUS_OK;
        }
        if (answer != SQLITE_ROW) {
            return say_failed(reader, error);
        }
        enum status status = append_row(reader, lines, error);
        if (status != STATUS_OK) {
            return status;
        }
        reader->row++;
    }
    return STATUS_OK;
}

void query_reader_close(struct query_reader *reader)
{
    (void)sqlite3_finalize(reader->statement);
    (void)sqlite3_close(reader->database);
    arena_free(reader->arena, reader);
}
