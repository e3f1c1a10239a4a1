/* live_folder.h - the folder in which a live run keeps its volumes: empty when the run begins, gone
 * when it is over, also when this process is killed. */
#ifndef FAULTLINE_SIM_LIVE_LIVE_FOLDER_H
#define FAULTLINE_SIM_LIVE_LIVE_FOLDER_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/status.h"

struct live_folder;

/* Makes the folder at `path` (borrowed; those above it exist), or empties it of what a run has
 * left, unless another uses it or it holds anything else. A small process does, which then waits
 * for the end of this one, and removes what is left. NULL: one sentence in `error`. */
struct live_folder *live_folder_open(struct arena *arena, const char *path, struct buffer *error);

/* Writes a file under `path` in the folder, with the folders above it. */
MUST_USE enum status live_folder_write(struct live_folder *folder, const char *path,
                                       struct bytes content, struct buffer *error);

/* The same file has another name, on the same file system, from which it may be added to. */
MUST_USE enum status live_folder_link(struct live_folder *folder, const char *path,
                                      const char *other, struct buffer *error);

/* Removes it with all that is in it. */
void live_folder_close(struct live_folder *folder);

#endif
