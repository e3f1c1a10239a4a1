/* mapped_file.h - the content of an open file as bytes that need no memory of their own. */
#ifndef FAULTLINE_SIM_MAPPED_FILE_H
#define FAULTLINE_SIM_MAPPED_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"

/* Maps the first `size` bytes, at least one, until `arena` is dropped; the file may be closed and
 * removed meanwhile, but not cut. False: errno says why. */
bool file_map(struct arena *arena, int file, size_t size, struct bytes *content);

#endif
