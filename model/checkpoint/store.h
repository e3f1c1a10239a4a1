/* store.h - the checkpoint store `files`: durable checkpoints on the SHARED volume.
 *
 *   checkpoints/chk-N/_metadata   the manifest of checkpoint N
 *   checkpoints/chk-N/NAME        a state file of checkpoint N alone
 *   checkpoints/shared/chk-N/NAME a state file that checkpoint N was the first to need
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
 * S6  A folder in shared/ is made when its checkpoint is begun, and removed whole when that ends
 *     without completing: so who writes late (a subtask that has not heard of the abort, or of the
 *     end of its attempt) finds no folder, and leaves nothing behind.
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

/* The same for the shared files of checkpoint `id`. */
void store_shared_directory(char path[STORE_PATH_SIZE], uint64_t id);
void store_shared_file(char path[STORE_PATH_SIZE], uint64_t id, const char *name);
MUST_USE enum status store_begin_shared(struct host *host, uint64_t id);

/* Is `path` that of a shared file? Then `*id` is the checkpoint that made it, and `*name` the part
 * of `path` that names it in its folder. */
bool store_parse_shared(struct bytes path, uint64_t *id, struct bytes *name);

/* Makes the open state file `file`, whose path is `path`, durable: its content, then its name (S4).
 * Errors: NOT_FOUND (the checkpoint was discarded meanwhile). */
MUST_USE enum status store_seal(struct host *host, const char *path, file_id file);

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

/* Removes the folder of shared files of checkpoint `id`, with all that is in it. Nothing there:
 * STATUS_OK. After any error it can be repeated. Errors: EXISTS, as above. */
MUST_USE enum status store_discard_shared(struct host *host, uint64_t id);

/* Removes the shared file `name` of checkpoint `id`. Durable after store_sync_shared, or after the
 * folder is discarded. Nothing there: STATUS_OK. */
MUST_USE enum status store_remove_shared(struct host *host, uint64_t id, const char *name);
MUST_USE enum status store_sync_shared(struct host *host, uint64_t id);

/* Removes the shared files that `is_needed` does not want, and the folders that then are empty. It
 * is asked for each folder first, with the name "": then true keeps the folder as it is, which a
 * checkpoint that is being taken needs. After any error it can be repeated. `*removed` counts the
 * files. */
typedef bool (*store_needed_function)(void *context, uint64_t id, const char *name);
MUST_USE enum status store_sweep_shared(struct host *host, store_needed_function is_needed,
                                        void *context, uint64_t *removed);

/* Removes every checkpoint directory without a manifest: what crashes and aborts left behind. For
 * the start of a JobManager: it would remove a checkpoint that is being taken, too. */
MUST_USE enum status store_discard_incomplete(struct host *host);

#endif
