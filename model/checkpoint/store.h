/* store.h - the checkpoint store `files`: durable checkpoints on the SHARED volume.
 *
 *   checkpoints/chk-N/_metadata   the manifest of checkpoint N
 *   checkpoints/chk-N/NAME        a state file of checkpoint N
 *   checkpoints/shared/           state files that several checkpoints need
 *
 * S1  Checkpoint N exists if and only if chk-N/_metadata exists.
 * S2  The manifest gets its name only after its content is durable, and counts as committed only
 *     after its directory is synced: written, synced, renamed, directory synced, in that order.
 * S3  Discarding a completed checkpoint removes and syncs away the manifest first, then the files:
 *     a crash in between leaves an orphan, never a manifest without its files. The manifest's
 *     removal is synced even if it was gone already: an earlier discard may have died before that.
 * S4  Who writes a state file makes it durable with store_seal before it is acknowledged. The sync
 *     of the directory that a commit does is too late for the names of the state files: the
 *     writer's machine may have lost them since, and a power cut during the commit may keep the
 *     name of the manifest and lose theirs.
 * S5  What store_list answers is durable: a manifest that was renamed and not yet synced when its
 *     JobManager died counts from then on, or not at all.
 *
 * Every call may answer HALTED or IO besides what is named. */
#ifndef FAULTLINE_CHECKPOINT_STORE_H
#define FAULTLINE_CHECKPOINT_STORE_H

#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/status.h"
#include "model/host.h"

#define STORE_ROOT     "checkpoints"
#define STORE_SHARED   STORE_ROOT "/shared"
#define STORE_MANIFEST "_metadata"

enum { STORE_PATH_SIZE = 128 };

/* Makes the directories of an empty store, durably; where they exist, they are only synced. */
MUST_USE enum status store_init(struct host *host);

/* Writes the path of checkpoint `id`'s directory, or of the file `name` in it, to `path`. */
void store_directory(char path[STORE_PATH_SIZE], uint64_t id);
void store_file(char path[STORE_PATH_SIZE], uint64_t id, const char *name);

/* Makes the directory of checkpoint `id`, durably. Errors: EXISTS, NOT_FOUND (no store_init),
 * NO_SPACE. */
MUST_USE enum status store_begin(struct host *host, uint64_t id);

/* Makes the state file `file`, which lies in the directory of checkpoint `id`, durable: its
 * content, then its name (S4). Errors: NOT_FOUND (`id` was discarded meanwhile). */
MUST_USE enum status store_seal(struct host *host, uint64_t id, file_id file);

/* Commits the manifest (S2), reporting manifest.written, .synced and .renamed on the way with
 * `attempt`. On STATUS_OK the checkpoint exists for good. On any other status but HALTED it may
 * or may not exist (the outcome is unknown). Errors: NOT_FOUND (no store_begin), NO_SPACE. */
MUST_USE enum status store_commit(struct host *host, uint64_t id, uint64_t attempt,
                                  struct bytes manifest);

/* The ids of all completed checkpoints, rising, all durable (S5); `*ids` comes from `arena`. */
MUST_USE enum status store_list(struct host *host, struct arena *arena, uint64_t **ids,
                                size_t *count);

/* Appends a whole file of the SHARED volume to `out`; nothing after an error. Errors: NOT_FOUND. */
MUST_USE enum status store_read(struct host *host, const char *path, struct buffer *out);

/* Appends the state that `handle` (manifest.h) leads to to `out`, verified by its size and
 * checksum; nothing after an error. Errors: NOT_FOUND, CORRUPT. */
struct state_handle;
MUST_USE enum status store_read_state(struct host *host, const struct state_handle *handle,
                                      struct buffer *out);

/* Removes checkpoint `id`, complete or not, with all files in its directory (S3). Nothing there:
 * STATUS_OK. After any error it can be repeated. Errors: EXISTS (somebody wrote a file to it
 * meanwhile). */
MUST_USE enum status store_discard(struct host *host, uint64_t id);

/* Removes every checkpoint directory without a manifest: what crashes and aborts left behind. For
 * the start of a JobManager: it would remove a checkpoint that is being taken, too. */
MUST_USE enum status store_discard_incomplete(struct host *host);

#endif
