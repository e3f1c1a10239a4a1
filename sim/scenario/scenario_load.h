/* scenario_load.h - from files and overrides to the one JSON tree that the scenario reader reads.
 * Used by scenario_*.c only.
 *
 * L1  A file that is `like` another one starts from that one, which is found relative to it.
 *     Objects merge, everything else replaces. "name" and "about" speak of one file and are not
 *     taken over.
 * L2  "faults" takes the place of "random" and the other way round; so do an input "file", a
 *     "sqlite" database, and generated "records" or "keys"; and a job's "library" and its "name".
 * L3  An input file or database and a library are found relative to the file that names them; those
 *     of `--set`, relative to the scenario. */
#ifndef FAULTLINE_SIM_SCENARIO_LOAD_H
#define FAULTLINE_SIM_SCENARIO_LOAD_H

#include "sim/scenario/scenario_reader.h"

/* The whole file. STATUS_NOT_FOUND, STATUS_IO or STATUS_INVALID (far too large): `reason` says why,
 * as a borrowed text. */
MUST_USE enum status file_load(struct arena *arena, const char *path, struct bytes *content,
                               const char **reason);

/* What stands before the last '/' of `path`: "." if there is none. */
const char *path_directory(struct arena *arena, const char *path);
/* And what stands behind it. Borrowed from `path`. */
const char *path_base(const char *path);
/* The absolute path of a file, which need not exist and is relative to `directory`. */
const char *path_absolute(struct arena *arena, const char *directory, const char *path);

/* Makes reader->root of the text of the scenario in `directory`, and reader->origins. `path` is the
 * file, or NULL. */
bool load_tree(struct reader *reader, struct bytes json, const char *path, const char *directory,
               const struct scenario_overrides *overrides);

#endif
