/* shared_registry.h - which checkpoint refers to which shared file: Flink's SharedStateRegistry as
 * a pure machine.
 *
 * An incremental checkpoint consists of parts of its own and of files of earlier ones, in
 * checkpoints/shared/ (store.h). The rules by which such a file lives and goes:
 *
 * I1  A snapshot builds only on the base that its barrier names: the newest completed checkpoint,
 *     or the restored one, when it was triggered. It is durable, and every subtask that may be
 *     asked for a snapshot has acked it or was restored from it.
 * I2  A checkpoint refers to the files among its parts from the ack that names them until it is
 *     discarded. While it is pending it also refers to all files of its base: the base may be
 *     subsumed before the acks come.
 * I3  A file is removed only when no checkpoint refers to it any more, and only after the manifest
 *     of the last one that did is durably gone (S3).
 * I4  Nobody but checkpoint N refers to the files that N made, unless N has completed. If it ends
 *     otherwise they go with their folder (S6), acknowledged or not, late or not.
 * I5  While it is not known what a retained checkpoint refers to, because its manifest cannot be
 *     read, no other file is removed. What was left lying for that reason, by a crash or by a
 *     failing store is swept: each file that nobody refers to.
 *
 * Of the JobManager, job_shared.c carries this out. */
#ifndef FAULTLINE_CHECKPOINT_SHARED_REGISTRY_H
#define FAULTLINE_CHECKPOINT_SHARED_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"

struct shared_registry;

/* A file that nobody refers to any more. */
struct shared_garbage {
    uint64_t creator; /* the checkpoint that made it */
    const char *name; /* in the creator's folder */
    bool is_last;     /* nobody refers to any file of that folder: it can go, too */
};

/* An empty registry; memory from `arena`. */
struct shared_registry *shared_registry_create(struct arena *arena);
void shared_registry_destroy(struct shared_registry *registry);

/* Pending checkpoint `id` refers to all files of checkpoint `base` until it is confirmed. */
void shared_registry_pin(struct shared_registry *registry, uint64_t id, uint64_t base);

/* Checkpoint `id` refers to the file `name` of checkpoint `creator`. Repetitions change nothing. */
void shared_registry_refer(struct shared_registry *registry, uint64_t id, uint64_t creator,
                           struct bytes name);

/* Does any checkpoint refer to the file? To any file of the folder? */
bool shared_registry_needs(const struct shared_registry *registry, uint64_t creator,
                           struct bytes name);
bool shared_registry_needs_folder(const struct shared_registry *registry, uint64_t creator);

/* Checkpoint `id` completed: it refers to its own parts only. Or it is gone: it refers to nothing.
 * Returns the files that nobody needs any more, by rising creators; borrowed until the next call.
 * An unknown `id` refers to nothing. */
const struct shared_garbage *shared_registry_confirm(struct shared_registry *registry, uint64_t id,
                                                     size_t *count);
const struct shared_garbage *shared_registry_release(struct shared_registry *registry, uint64_t id,
                                                     size_t *count);

/* Asserts the invariants. */
void shared_registry_check(const struct shared_registry *registry);

#endif
