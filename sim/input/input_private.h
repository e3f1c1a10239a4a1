/* input_private.h - what the files of the reader share. Private to sim/input/.
 *
 * input.c          files and directories, formats by ending, the loop over all of it
 * input_bytes.c    a file's bytes, decompressed
 * input_rows.c     rows of CSV and of JSON lines: one column of each
 * input_query.c    rows of a SQLite query */
#ifndef FAULTLINE_SIM_INPUT_INPUT_PRIVATE_H
#define FAULTLINE_SIM_INPUT_INPUT_PRIVATE_H

#include "sim/input/input.h"

enum { INPUT_STEP_BYTES = 1 << 20 };

/* ---- input_bytes.c --------------------------------------------------------------------------- */

struct byte_stream;

/* Errors as of input_open. `path` is borrowed until it is closed. */
MUST_USE enum status byte_stream_open(struct byte_stream **stream, struct arena *arena,
                                      const char *path, enum input_compression compression,
                                      struct buffer *error);

/* Appends up to `limit` bytes. None at the end of the file only. */
MUST_USE enum status byte_stream_read(struct byte_stream *stream, size_t limit,
                                      struct buffer *bytes, struct buffer *error);

void byte_stream_close(struct byte_stream *stream);

/* ---- input_rows.c ---------------------------------------------------------------------------- */

/* One file's rows. */
struct row_reader {
    const struct input_shape *shape;
    const char *path;
    uint64_t line; /* of the next row, from 1 */
    bool is_csv;
    bool by_name;    /* the header says which column it is */
    bool is_header;  /* the next row is the header */
    uint32_t column; /* of CSV, from 0 */
};

/* INVALID if the shape does not fit, with a sentence. */
MUST_USE enum status row_reader_init(struct row_reader *reader, const struct input_shape *shape,
                                     const char *path, enum input_format format,
                                     struct buffer *error);

/* Appends the column of each whole row of `bytes` to `lines`; `*used` are the bytes of those rows.
 * With `is_end` the last row ends with the bytes. INVALID, with a sentence. */
MUST_USE enum status row_reader_take(struct row_reader *reader, struct bytes bytes, bool is_end,
                                     struct buffer *lines, size_t *used, struct buffer *error);

/* ---- input_query.c --------------------------------------------------------------------------- */

struct query_reader;

MUST_USE enum status query_reader_open(struct query_reader **reader, struct arena *arena,
                                       const char *path, const char *query, struct buffer *error);

MUST_USE enum status query_reader_read(struct query_reader *reader, struct buffer *lines,
                                       bool *more, struct buffer *error);

void query_reader_close(struct query_reader *reader);

#endif
