/* input.h - reads a job's input, in whatever form it comes, as plain lines: one record a line.
 *
 * N1  What is read is a file, a directory, standard input ("-") or what a SQLite query answers. A
 *     directory is its regular files in the byte order of their names; none is an error.
 * N2  Format and compression are those that are asked for, else each file's ending says them: .gz
 *     and .zst are compressed, what stands before is .csv, .jsonl or .ndjson, else lines.
 * N3  Lines pass as they are. Of CSV (RFC 4180) and of JSON lines one column passes, of a query
 *     the first; a value with a line break in it cannot be a record and is an error.
 * N4  Nothing is passed over in silence: what is broken ends in one sentence that names the file,
 *     and the line and column where there are such.
 * N5  Standard input can be read once. Whoever may have to read again - a simulated run that is
 *     to be replayed, a live source that goes back after a failure - must keep what was read;
 *     otherwise a crash loses all that was read since the last completed checkpoint.
 *
 * The reader works in steps of bounded size, so a live source need not hold the whole input; memory
 * is that of the longest row. Knows nothing of scenarios or of the simulation. */
#ifndef FAULTLINE_SIM_INPUT_INPUT_H
#define FAULTLINE_SIM_INPUT_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/status.h"

enum input_format { FORMAT_AUTO, FORMAT_LINES, FORMAT_CSV, FORMAT_JSON_LINES };
enum input_compression { COMPRESSION_AUTO, COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };
enum input_header { HEADER_AUTO, HEADER_PRESENT, HEADER_ABSENT };

/* How records stand in what is read. All zero: lines, unless the ending says otherwise. */
struct input_shape {
    enum input_format format;
    enum input_compression compression;
    const char *column; /* CSV: its name in the header, or its number from 1; JSON lines: a member
                         * of each object. NULL: none */
    enum input_header header; /* of CSV; AUTO: there is one if `column` is a name */
    const char *query;        /* the path is that of a SQLite database; NULL: it is not */
};

struct input;

/* Begins to read `path`. `path` and `shape` must outlive the reader, which takes its memory from
 * `arena`. After an error there is no reader, and `error` has one sentence more. Errors: NOT_FOUND,
 * IO (what cannot be read), INVALID (what was read is wrong, or is asked for in a wrong way). */
MUST_USE enum status input_open(struct input **input, struct arena *arena, const char *path,
                                const struct input_shape *shape, struct buffer *error);

/* Appends the next lines to `lines`, about a mebibyte. `*more` is false at the end. Only the last
 * line of all may lack its line feed. Errors as of input_open; then only input_close may follow. */
MUST_USE enum status input_read(struct input *input, struct buffer *lines, bool *more,
                                struct buffer *error);

/* Is a line's number that of the record only? At the end: the lines are not those of one text
 * file. */
bool input_is_numbered(const struct input *input);

void input_close(struct input *input);

/* All of it at once. `*is_numbered` is what input_is_numbered says. */
MUST_USE enum status input_read_all(struct arena *arena, const char *path,
                                    const struct input_shape *shape, struct bytes *lines,
                                    bool *is_numbered, struct buffer *error);

/* Is it standard input? */
bool input_is_standard(const char *path);

/* Can zstd be read? False: this program was built without it. */
bool input_has_zstd(void);

#endif
