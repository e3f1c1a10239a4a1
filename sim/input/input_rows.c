#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"
#include "sim/input/input_private.h"

/* The rows that are there, and how far they are read. */
struct cursor {
    const uint8_t *row; /* where the row being read starts */
    const uint8_t *at;
    const uint8_t *end;
    bool is_end;     /* nothing follows behind `end` */
    const char *why; /* what is wrong at `at` */
};

enum answer { TAKEN, UNFINISHED, BROKEN };

static enum answer break_at(struct cursor *cursor, const uint8_t *at, const char *why)
{
    CHECK(at >= cursor->row);
    CHECK(at <= cursor->end);
    cursor->at = at;
    cursor->why = why;
    return BROKEN;
}

/* The sentence, with its place FILE:LINE:COLUMN from 1. A row may have line feeds in it. */
static enum status say_broken(const struct row_reader *reader, const struct cursor *cursor,
                              struct buffer *error)
{
    uint64_t line = reader->line;
    const uint8_t *line_start = cursor->row;
    for (const uint8_t *at = cursor->row; at < cursor->at; at++) {
        if (*at == '\n') {
            line++;
            line_start = at + 1;
        }
    }
    buffer_append_format(error, "%s:%llu:%llu: %s", reader->path, (unsigned long long)line,
                         (unsigned long long)(cursor->at - line_start) + 1, cursor->why);
    return STATUS_INVALID;
}

static enum answer append_value(struct cursor *cursor, const uint8_t *at, struct bytes value,
                                struct buffer *lines)
{
    if (memchr(value.data, '\n', value.size) != NULL ||
        memchr(value.data, '\r', value.size) != NULL) {
        return break_at(cursor, at, "a value with a line break in it cannot be a record");
    }
    uint8_t *to = buffer_extend(lines, value.size + 1);
    memcpy(to, value.data, value.size);
    to[value.size] = '\n';
    return TAKEN;
}

/* ---- CSV ------------------------------------------------------------------------------------- */

struct csv_value {
    const uint8_t *at; /* where it starts, at its quote if it has one */
    struct bytes raw;
    bool is_doubled; /* `raw` has two quotes for each one that is meant */
    bool is_last;    /* of its row */
};

/* Where the quotes close that were opened before `at`; NULL: nowhere. */
static const uint8_t *closing_quote(const uint8_t *at, const uint8_t *end, bool *is_doubled)
{
    while ((at = memchr(at, '"', (size_t)(end - at))) != NULL && end - at > 1 && at[1] == '"') {
        *is_doubled = true;
        at += 2;
    }
    return at;
}

static enum answer next_quoted(struct cursor *cursor, struct csv_value *value)
{
    const uint8_t *start = cursor->at + 1;
    const uint8_t *end = cursor->end;
    const uint8_t *quote = closing_quote(start, end, &value->is_doubled);
    if (quote == NULL && cursor->is_end) {
        return break_at(cursor, cursor->at, "this quote is never closed");
    }
    /* A quote that is the last byte may be the first of two; a CR, the first half of a break. */
    if (quote == NULL || (end - quote < 3 && !cursor->is_end)) {
        return UNFINISHED;
    }
    value->raw = (struct bytes){ start, (size_t)(quote - start) };
    const uint8_t *behind = quote + 1;
    if (behind < end && *behind == ',') {
        cursor->at = behind + 1;
        return TAKEN;
    }
    behind += behind < end && *behind == '\r' ? 1 : 0;
    if (behind < end && *behind != '\n') {
        return break_at(cursor, quote + 1,
                        "behind a closed quote stands neither a comma nor a line break");
    }
    value->is_last = true;
    cursor->at = behind < end ? behind + 1 : end;
    return TAKEN;
}

static enum answer next_plain(struct cursor *cursor, struct csv_value *value)
{
    const uint8_t *to = cursor->at;
    while (to < cursor->end && *to != ',' && *to != '\n' && *to != '"') {
        to++;
    }
    if (to == cursor->end && !cursor->is_end) {
        return UNFINISHED;
    }
    if (to < cursor->end && *to == '"') {
        return break_at(cursor, to, "a quote in a value that does not start with one");
    }
    size_t size = (size_t)(to - cursor->at);
    value->is_last = to == cursor->end || *to == '\n';
    size -= value->is_last && size > 0 && to[-1] == '\r' ? 1 : 0;
    const uint8_t *lone = memchr(cursor->at, '\r', size);
    if (lone != NULL) {
        return break_at(cursor, lone, "a carriage return that no line feed follows");
    }
    value->raw = (struct bytes){ cursor->at, size };
    cursor->at = to < cursor->end ? to + 1 : to;
    return TAKEN;
}

static enum answer next_value(struct cursor *cursor, struct csv_value *value)
{
    *value = (struct csv_value){ .at = cursor->at };
    return cursor->at < cursor->end && *cursor->at == '"' ? next_quoted(cursor, value)
                                                          : next_plain(cursor, value);
}

/* What is meant by the value; in `scratch` if that is not what stands there. */
static struct bytes value_bytes(const struct csv_value *value, struct buffer *scratch)
{
    if (!value->is_doubled) {
        return value->raw;
    }
    buffer_reset(scratch);
    uint8_t *to = buffer_extend(scratch, value->raw.size);
    size_t size = 0;
    for (size_t i = 0; i < value->raw.size; i++) {
        to[size++] = value->raw.data[i];
        i += value->raw.data[i] == '"' ? 1 : 0;
    }
    return (struct bytes){ to, size };
}

/* Passes the header; it says where a column is that is known by its name. */
static enum answer take_header(struct row_reader *reader, struct cursor *cursor,
                               struct buffer *scratch)
{
    struct bytes name = bytes_of_text(reader->shape->column);
    bool is_found = !reader->by_name;
    struct csv_value value;
    uint32_t count = 0;
    do {
        enum answer answer = next_value(cursor, &value);
        if (answer != TAKEN) {
            return answer;
        }
        if (reader->by_name && bytes_equal(value_bytes(&value, scratch), name)) {
            if (is_found) {
                return break_at(cursor, value.at, "a second column of that name");
            }
            is_found = true;
            reader->column = count;
        }
        count++;
    } while (!value.is_last);
    if (!is_found) {
        return break_at(cursor, cursor->row, "the header has no column of that name");
    }
    reader->is_header = false;
    return TAKEN;
}

static enum answer take_csv_row(struct row_reader *reader, struct cursor *cursor,
                                struct buffer *lines, struct buffer *scratch)
{
    struct csv_value value;
    struct csv_value wanted = { 0 };
    uint32_t count = 0;
    do {
        enum answer answer = next_value(cursor, &value);
        if (answer != TAKEN) {
            return answer;
        }
        if (count++ == reader->column) {
            wanted = value;
        }
    } while (!value.is_last);
    if (wanted.at == NULL) {
        return break_at(cursor, value.at, "the row ends before the column that is read");
    }
    return append_value(cursor, wanted.at, value_bytes(&wanted, scratch), lines);
}

/* ---- JSON lines ------------------------------------------------------------------------------ */

static enum answer append_member(struct cursor *cursor, const json_t *member, struct buffer *lines)
{
    if (json_is_string(member)) {
        struct bytes text = { (const uint8_t *)json_string_value(member),
                              json_string_length(member) };
        return append_value(cursor, cursor->row, text, lines);
    }
    char *number = json_is_number(member) ? json_dumps(member, JSON_ENCODE_ANY) : NULL;
    if (number == NULL) {
        return break_at(cursor, cursor->row,
                        member == NULL ? "the object has no member of that name"
                                       : "the member is neither a text nor a number");
    }
    enum answer answer = append_value(cursor, cursor->row, bytes_of_text(number), lines);
    free(number);
    return answer;
}

static enum answer take_json_row(const struct row_reader *reader, struct cursor *cursor,
                                 struct buffer *lines, struct buffer *scratch)
{
    size_t left = (size_t)(cursor->end - cursor->at);
    const uint8_t *feed = memchr(cursor->at, '\n', left);
    if (feed == NULL && !cursor->is_end) {
        return UNFINISHED;
    }
    size_t size = feed != NULL ? (size_t)(feed - cursor->at) : left;
    json_error_t error;
    json_t *object =
        json_loadb((const char *)cursor->at, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    enum answer answer;
    if (object == NULL) {
        size_t column = error.position > 0 ? (size_t)error.position - 1 : 0;
        buffer_reset(scratch);
        buffer_append_format(scratch, "%s", error.text);
        *buffer_extend(scratch, 1) = '\0';
        answer = break_at(cursor, cursor->row + (column < size ? column : size),
                          (const char *)scratch->data);
    } else if (!json_is_object(object)) {
        answer = break_at(cursor, cursor->row, "not an object");
    } else {
        answer = append_member(cursor, json_object_get(object, reader->shape->column), lines);
    }
    json_decref(object);
    if (answer == TAKEN) {
        cursor->at += size + (feed != NULL ? 1 : 0);
    }
    return answer;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static bool is_number(const char *column)
{
    return *column != '\0' && column[strspn(column, "0123456789")] == '\0';
}

enum status row_reader_init(struct row_reader *reader, const struct input_shape *shape,
                            const char *path, enum input_format format, struct buffer *error)
{
    enum { NUMBER_DIGITS_MAX = 5 };
    CHECK(format == FORMAT_CSV || format == FORMAT_JSON_LINES);
    *reader = (struct row_reader){
        .shape = shape, .path = path, .is_csv = format == FORMAT_CSV, .line = 1
    };
    if (shape->column == NULL) {
        buffer_append_format(error, "%s: which column of the %s is the record must be said", path,
                             reader->is_csv ? "CSV" : "JSON lines");
        return STATUS_INVALID;
    }
    if (!reader->is_csv) {
        return STATUS_OK;
    }
    reader->by_name = !is_number(shape->column);
    reader->is_header =
        shape->header == HEADER_PRESENT || (shape->header == HEADER_AUTO && reader->by_name);
    if (reader->by_name && !reader->is_header) {
        buffer_append_format(error, "%s: without a header no column is named %s", path,
                             shape->column);
        return STATUS_INVALID;
    }
    if (!reader->by_name) {
        unsigned long number = strtoul(shape->column, NULL, 10);
        if (number == 0 || strlen(shape->column) > NUMBER_DIGITS_MAX) {
            buffer_append_format(error, "%s: column %s: columns are numbered from 1", path,
                                 shape->column);
            return STATUS_INVALID;
        }
        reader->column = (uint32_t)number - 1;
    }
    return STATUS_OK;
}

/* Some programs begin a text with it. */
static size_t byte_order_mark(struct bytes bytes)
{
    static const char mark[] = "\xef\xbb\xbf";
    enum { MARK_BYTES = sizeof mark - 1 };
    return bytes.size >= MARK_BYTES && memcmp(bytes.data, mark, MARK_BYTES) == 0 ? MARK_BYTES : 0;
}

static uint64_t count_feeds(const uint8_t *at, const uint8_t *end)
{
    uint64_t count = 0;
    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        count++;
    }
    return count;
}

enum status row_reader_take(struct row_reader *reader, struct bytes bytes, bool is_end,
                            struct buffer *lines, size_t *used, struct buffer *error)
{
    struct buffer scratch;
    buffer_init(&scratch, lines->arena);
    struct cursor cursor = {
        .row = bytes.data, .at = bytes.data, .end = bytes.data + bytes.size, .is_end = is_end
    };
    if (reader->line == 1) {
        cursor.row += byte_order_mark(bytes);
    }
    enum answer answer = TAKEN;
    while (answer == TAKEN && cursor.row < cursor.end) {
        cursor.at = cursor.row;
        answer = !reader->is_csv     ? take_json_row(reader, &cursor, lines, &scratch)
                 : reader->is_header ? take_header(reader, &cursor, &scratch)
                                     : take_csv_row(reader, &cursor, lines, &scratch);
        if (answer == TAKEN) {
            reader->line += count_feeds(cursor.row, cursor.at);
            cursor.row = cursor.at;
        }
    }
    if (answer != BROKEN && is_end && reader->is_header) {
        answer = break_at(&cursor, cursor.row, "the file ends before its header");
    }
    enum status status = answer == BROKEN ? say_broken(reader, &cursor, error) : STATUS_OK;
    *used = (size_t)(cursor.row - bytes.data);
    CHECK(status != STATUS_OK || !is_end || *used == bytes.size);
    buffer_free(&scratch);
    return status;
}
