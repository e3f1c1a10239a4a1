/* output_files.h - whole files in a folder, and the pictures that gnuplot draws there.
 *
 * Each file is written without a name, synced, and then given it: it is whole or as before, and of
 * one that is not whole nothing is left, however the writer ends. */
#ifndef FAULTLINE_SIM_OUTPUT_FILES_H
#define FAULTLINE_SIM_OUTPUT_FILES_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/status.h"

/* The folder that is written to, and where a failure is told: one sentence that names the file.
 * Errors of all calls: NO_SPACE, IO. */
struct output_folder {
    struct arena *arena;
    const char *path;
    struct buffer *error;
};

/* Makes the folder and those above it. */
MUST_USE enum status output_folder_make(const struct output_folder *folder);

/* Makes the folders above `path`; the sentence goes to `error`. */
MUST_USE enum status output_parent_make(struct arena *arena, const char *path,
                                        struct buffer *error);

MUST_USE enum status output_file_write(const struct output_folder *folder, const char *name,
                                       struct bytes content);

/* The same for a path with its folders; the sentence goes to `error`. */
MUST_USE enum status output_path_write(struct arena *arena, const char *path, struct bytes content,
                                       struct buffer *error);

/* A file that is not there is removed already. */
MUST_USE enum status output_file_remove(const struct output_folder *folder, const char *name);

/* Runs gnuplot on a script in the folder, without a shell. Its not being installed is no failure:
 * then there is no picture. */
MUST_USE enum status output_file_draw(const struct output_folder *folder, const char *script);

#endif
