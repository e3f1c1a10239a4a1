#include "sim/input/input.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "model/base/check.h"
#include "sim/input/input_private.h"

struct input {
    struct arena *arena;
    const struct input_shape *shape;
    struct query_reader *query; /* NULL: files are read */
    const char **paths;
    size_t path_count;
    size_t next_path;
    struct byte_stream *stream; /* of the file being read; NULL: none is open */
    bool has_rows;
    bool lacks_feed; /* the file that was read last does not end with one */
    struct row_reader rows;
    struct buffer unread; /* of a file with rows: what no whole row is yet */
};

/* ---- which files ----------------------------------------------------------------------------- */

static enum status cannot_read(const char *path, struct buffer *error)
{
    enum status status = errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    buffer_append_format(error, "cannot read %s: %s", path, strerror(errno));
    return status;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The regular files of the directory, in no order. */
static enum status collect_files(struct input *input, const char *path, size_t *capacity,
                                 struct buffer *error)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return cannot_read(path, error);
    }
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(directory)) != NULL) {
        const char *name = arena_format(input->arena, "%s/%s", path, entry->d_name);
        struct stat file;
        if (stat(name, &file) != 0) { /* it may be of those that are to be read */
            enum status status = cannot_read(name, error);
            (void)closedir(directory);
            return status;
        }
        if (S_ISREG(file.st_mode)) {
            input->paths = arena_grow(input->arena, input->paths, capacity, input->path_count + 1,
                                      sizeof *input->paths);
            input->paths[input->path_count++] = name;
        }
    }
    enum status status = errno == 0 ? STATUS_OK : cannot_read(path, error);
    (void)closedir(directory);
    return status;
}

static enum status list_files(struct input *input, const char *path, struct buffer *error)
{
    struct stat file;
    bool is_standard = input_is_standard(path);
    if (!is_standard && stat(path, &file) != 0) {
        return cannot_read(path, error);
    }
    size_t capacity = 0;
    if (is_standard || !S_ISDIR(file.st_mode)) {
        input->paths = arena_grow(input->arena, NULL, &capacity, 1, sizeof *input->paths);
        input->paths[0] = path;
        input->path_count = 1;
        return STATUS_OK;
    }
    enum status status = collect_files(input, path, &capacity, error);
    if (status == STATUS_OK && input->path_count == 0) {
        buffer_append_format(error, "%s: the directory has no files", path);
        status = STATUS_INVALID;
    }
    if (status == STATUS_OK) {
        qsort(input->paths, input->path_count, sizeof *input->paths, compare_paths);
    }
    return status;
}

/* ---- one file -------------------------------------------------------------------------------- */

static bool ends_in(const char *path, size_t size, const char *ending)
{
    size_t length = strlen(ending);
    return size > length && strncasecmp(path + size - length, ending, length) == 0;
}

/* Rule N2. */
static enum input_compression compression_of(const char *path, enum input_compression asked)
{
    size_t size = strlen(path);
    if (asked != COMPRESSION_AUTO) {
        return asked;
    }
    return ends_in(path, size, ".gz")    ? COMPRESSION_GZIP
           : ends_in(path, size, ".zst") ? COMPRESSION_ZSTD
                                         : COMPRESSION_NONE;
}

static enum input_format format_of(const char *path, enum input_format asked)
{
    size_t size = strlen(path);
    size -= ends_in(path, size, ".gz") ? strlen(".gz") : 0;
    size -= ends_in(path, size, ".zst") ? strlen(".zst") : 0;
    if (asked != FORMAT_AUTO) {
        return asked;
    }
    return ends_in(path, size, ".csv")                                       ? FORMAT_CSV
           : ends_in(path, size, ".jsonl") || ends_in(path, size, ".ndjson") ? FORMAT_JSON_LINES
                                                                             : FORMAT_LINES;
}

static enum status open_next(struct input *input, struct buffer *error)
{
    const char *path = input->paths[input->next_path++];
    const char *name = input_is_standard(path) ? "standard input" : path;
    const struct input_shape *shape = input->shape;
    enum input_format format = format_of(path, shape->format);
    enum status status = STATUS_OK;
    input->has_rows = format != FORMAT_LINES;
    if (input->has_rows) {
        status = row_reader_init(&input->rows, shape, name, format, error);
    } else if (shape->column != NULL) {
        buffer_append_format(error, "%s: is read as lines, which have no column %s", name,
                             shape->column);
        status = STATUS_INVALID;
    }
    return status != STATUS_OK ? status
                               : byte_stream_open(&input->stream, input->arena, path,
                                                  compression_of(path, shape->compression), error);
}

static void close_file(struct input *input)
{
    if (input->stream != NULL) {
        byte_stream_close(input->stream);
        input->stream = NULL;
    }
}

/* A file that is neither compressed nor parsed is read to where it will stay. */
static enum status read_lines(struct input *input, struct buffer *lines, struct buffer *error)
{
    size_t before = lines->size;
    enum status status = byte_stream_read(input->stream, INPUT_STEP_BYTES, lines, error);
    if (status == STATUS_OK && lines->size == before) {
        close_file(input);
    } else if (status == STATUS_OK) {
        input->lacks_feed = lines->data[lines->size - 1] != '\n';
    }
    return status;
}

static enum status read_rows(struct input *input, struct buffer *lines, struct buffer *error)
{
    struct buffer *unread = &input->unread;
    size_t before = unread->size;
    /* A row that is longer than a step is not looked at in every step from its beginning. */
    size_t limit = before > INPUT_STEP_BYTES ? before : INPUT_STEP_BYTES;
    enum status status = byte_stream_read(input->stream, limit, unread, error);
    if (status != STATUS_OK) {
        return status;
    }
    bool is_end = unread->size == before;
    size_t used;
    status = row_reader_take(&input->rows, buffer_bytes(unread), is_end, lines, &used, error);
    if (status == STATUS_OK) {
        unread->size -= used;
        memmove(unread->data, unread->data + used, unread->size);
        if (is_end) {
            close_file(input);
        }
    }
    return status;
}

/* ---- all of it ------------------------------------------------------------------------------- */

enum status input_open(struct input **input, struct arena *arena, const char *path,
                       const struct input_shape *shape, struct buffer *error)
{
    *input = arena_alloc(arena, 1, sizeof **input);
    **input = (struct input){ .arena = arena, .shape = shape };
    buffer_init(&(*input)->unread, arena);
    enum status status = shape->query != NULL
                             ? query_reader_open(&(*input)->query, arena, path, shape->query, error)
                             : list_files(*input, path, error);
    if (status != STATUS_OK) {
        (*input)->query = NULL;
        input_close(*input);
    }
    return status;
}

enum status input_read(struct input *input, struct buffer *lines, bool *more, struct buffer *error)
{
    if (input->query != NULL) {
        return query_reader_read(input->query, lines, more, error);
    }
    enum status status = STATUS_OK;
    if (input->stream == NULL) {
        status = open_next(input, error);
        if (input->lacks_feed) {
            buffer_append_text(lines, "\n");
            input->lacks_feed = false;
        }
    }
    if (status == STATUS_OK) {
        status = (input->has_rows ? read_rows : read_lines)(input, lines, error);
    }
    *more = input->stream != NULL || input->next_path < input->path_count;
    return status;
}

bool input_is_numbered(const struct input *input)
{
    return input->query != NULL || input->path_count > 1 || input->has_rows;
}

void input_close(struct input *input)
{
    if (input->query != NULL) {
        query_reader_close(input->query);
    }
    close_file(input);
    buffer_free(&input->unread);
    arena_free(input->arena, input);
}

enum status input_read_all(struct arena *arena, const char *path, const struct input_shape *shape,
                           struct bytes *lines, bool *is_numbered, struct buffer *error)
{
    struct input *input;
    enum status status = input_open(&input, arena, path, shape, error);
    if (status != STATUS_OK) {
        return status;
    }
    struct buffer all;
    buffer_init(&all, arena);
    bool more = true;
    while (status == STATUS_OK && more) {
        status = input_read(input, &all, &more, error);
    }
    *is_numbered = input_is_numbered(input);
    input_close(input);
    *lines = buffer_bytes(&all);
    return status;
}
