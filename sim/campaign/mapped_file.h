/* mapped_file.h - an open file takes bytes, and gives them as bytes that need no memory of their
 * own. */
#ifndef FAULTLINE_SIM_MAPPED_FILE_H
#define FAULTLINE_SIM_MAPPED_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/status.h"

/* Maps the first `size` bytes, at least one, until `arena` is dropped; the file may be closed and
 * removed meanwhile, but not cut. False: errno says why. */
bool file_map(struct arena *arena, int file, size_t size, struct bytes *content);

/* Writes all of `bytes` where the file stands, which is at `path` or in that folder. Errors, with
 * one sentence that names it: NO_SPACE, IO. */
MUST_USE enum status file_append(int file, const char *path, struct bytes bytes,
                                 struct buffer *error);

#endif
