/* store.h - the contract of a checkpoint store: where the JobManager keeps manifests and the state
 * that they lead to.
 *
 * Everything in a store has a path, whichever store it is; a file, a row or a piece of memory may
 * lie behind it:
 *
 *   checkpoints/chk-N/_metadata     the manifest of checkpoint N
 *   checkpoints/chk-N/NAME          a part of the state that checkpoint N alone needs
 *   checkpoints/shared/chk-N/NAME   a part that checkpoint N was the first to need
 *   checkpoints/drafts/att-A/NAME   what a subtask of attempt A writes ahead of its checkpoints
 *
 * S1  Checkpoint N exists if and only if its manifest does.
 * S2  A commit is whole or nothing: when the manifest can be seen, all that it leads to is there,
 *     and as durable as itself.
 * S3  A discard takes the manifest before, or with, what it leads to: a crash in between leaves an
 *     orphan, never a manifest without its parts.
 * S5  What store_list answers is as durable as the store ever makes it: a commit that was under
 *     way when its JobManager died counts from then on, or not at all.
 *
 * Rules S4 and S6 are those of the store `files` (store_files.h).
 *
 * Every call may answer HALTED, IO or NO_SPACE besides what is named. What removes something may
 * also answer CORRUPT: the store says that its content is damaged (T5 of store_table.h), and will
 * say so again. */
#ifndef FAULTLINE_CHECKPOINT_STORE_H
#define FAULTLINE_CHECKPOINT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/hash.h"
#include "model/base/status.h"
#include "model/checkpoint/manifest.h"
#include "model/checkpoint/shared_registry.h"
#include "model/host.h"
#include "model/state/part_source.h"

#define STORE_ROOT     "checkpoints"
#define STORE_SHARED   STORE_ROOT "/shared"
#define STORE_DRAFTS   STORE_ROOT "/drafts"
#define STORE_MANIFEST "_metadata"
#define STORE_DATABASE STORE_ROOT "/store.db" /* of the store `sqlite` */

/* That database. A part of many pages is read page by page, each with the latency of the volume; a
 * manifest alone writes three of them twice. */
enum { STORE_PAGE_BYTES = 16384, STORE_CACHE_BYTES = 1024 * 1024 };

enum { STORE_PATH_SIZE = 128 };

enum store_kind { STORE_FILES, STORE_MEMORY, STORE_SQLITE, STORE_KIND_COUNT };

/* ---- paths ----------------------------------------------------------------------------------- */

/* Writes the path of checkpoint `id`'s directory, or of `name` in it, to `path`. */
void store_directory(char path[STORE_PATH_SIZE], uint64_t id);
void store_file(char path[STORE_PATH_SIZE], uint64_t id, const char *name);

/* The same for what later checkpoints may need, too. */
void store_shared_directory(char path[STORE_PATH_SIZE], uint64_t id);
void store_shared_file(char path[STORE_PATH_SIZE], uint64_t id, const char *name);

/* The same for what is written ahead by a subtask of `attempt`. */
void store_draft_directory(char path[STORE_PATH_SIZE], uint64_t attempt);
void store_draft_file(char path[STORE_PATH_SIZE], uint64_t attempt, const char *name);

/* Is `path` a shared one? Then `*id` is the checkpoint that made it, and `*name` the part of `path`
 * that names it in its directory. */
bool store_parse_shared(struct bytes path, uint64_t *id, struct bytes *name);

/* Is `name` that of a checkpoint's directory, as store_directory writes it below STORE_ROOT? */
bool store_parse_directory(struct bytes name, uint64_t *id);

/* ---- the contract ---------------------------------------------------------------------------- */

struct store;

/* Is a shared part wanted? Asked with the name "" for a whole directory: then true keeps it as it
 * is, which a checkpoint that is being taken needs. */
typedef bool (*store_needed_function)(void *context, uint64_t id, const char *name);

struct store_ops {
    enum status (*begin)(struct store *, uint64_t id, bool shared);
    void (*put)(struct store *, uint64_t id, struct bytes path, struct bytes part); /* or NULL */
    enum status (*commit)(struct store *, uint64_t id, uint64_t attempt, struct bytes manifest);
    enum status (*list)(struct store *, struct arena *, uint64_t **ids, size_t *count);
    enum status (*read)(struct store *, const char *path, struct buffer *out);
    enum status (*discard)(struct store *, uint64_t id);
    enum status (*discard_shared)(struct store *, uint64_t id);
    enum status (*remove_shared)(struct store *, const struct shared_garbage *, size_t count);
    enum status (*sweep_shared)(struct store *, store_needed_function, void *context,
                                uint64_t *removed);
    enum status (*discard_incomplete)(struct store *);
    enum status (*begin_attempt)(struct store *, uint64_t attempt);
    enum status (*end_attempts)(struct store *, uint64_t kept, uint64_t *removed);
};

/* The first member of each store's own struct. */
struct store {
    const struct store_ops *ops;
    struct host *host;
};

/* "memory". Static storage. */
const char *store_kind_name(enum store_kind kind);

/* Opens the store, which is made if there is none; from the host's arena. Errors: CORRUPT (what is
 * there is no store). */
MUST_USE enum status store_open(struct host *host, enum store_kind kind, struct store **store);

/* More than this is not carried: it keeps messages, and the rows of SQLite, in bounds. */
#define STORE_CARRIED_MAX_BYTES (UINT64_C(256) * 1024 * 1024)

/* Does the JobManager alone reach such a store? Then the parts of the state are carried to it with
 * the acknowledgements (store_put), and from it with the deployment. */
static inline bool store_kind_carries(enum store_kind kind)
{
    return kind != STORE_FILES;
}

/* Keeps a copy of a part of checkpoint `id` until that is committed or discarded. Only where the
 * parts are carried. */
static inline void store_put(struct store *store, uint64_t id, struct bytes path, struct bytes part)
{
    store->ops->put(store, id, path, part);
}

/* Checkpoint `id` is about to be triggered; `shared`: later ones may need parts of it. Errors:
 * EXISTS, NOT_FOUND (the store is gone). */
MUST_USE static inline enum status store_begin(struct store *store, uint64_t id, bool shared)
{
    return store->ops->begin(store, id, shared);
}

/* Commits the manifest (S2), reporting manifest.written, .synced and .renamed on the way with
 * `attempt`, as far as there are such steps. On STATUS_OK the checkpoint exists for good. On any
 * other status but HALTED it may or may not exist (the outcome is unknown). Errors: NOT_FOUND (no
 * store_begin), NO_SPACE, CORRUPT (the store is damaged, and no other commit will do better). */
MUST_USE static inline enum status store_commit(struct store *store, uint64_t id, uint64_t attempt,
                                                struct bytes manifest)
{
    return store->ops->commit(store, id, attempt, manifest);
}

/* The ids of all completed checkpoints, rising (S5); `*ids` comes from `arena`. */
MUST_USE static inline enum status store_list(struct store *store, struct arena *arena,
                                              uint64_t **ids, size_t *count)
{
    return store->ops->list(store, arena, ids, count);
}

/* Appends what lies behind `path` to `out`; nothing after an error. Errors: NOT_FOUND. */
MUST_USE static inline enum status store_read(struct store *store, const char *path,
                                              struct buffer *out)
{
    return store->ops->read(store, path, out);
}

/* Removes checkpoint `id`, complete or not, with all that it alone needs (S3). Nothing there:
 * STATUS_OK. After any error it can be repeated. Errors: EXISTS (somebody wrote to it
 * meanwhile). */
MUST_USE static inline enum status store_discard(struct store *store, uint64_t id)
{
    return store->ops->discard(store, id);
}

/* Removes all shared parts that checkpoint `id` made. Nothing there: STATUS_OK. After any error it
 * can be repeated. Errors: EXISTS, as above. */
MUST_USE static inline enum status store_discard_shared(struct store *store, uint64_t id)
{
    return store->ops->discard_shared(store, id);
}

/* Removes shared parts, durably. What is not there is passed over. After an error some of them are
 * left: a sweep finds them. */
MUST_USE static inline enum status store_remove_shared(struct store *store,
                                                       const struct shared_garbage *garbage,
                                                       size_t count)
{
    return store->ops->remove_shared(store, garbage, count);
}

/* Removes the shared parts that `is_needed` does not want. After any error it can be repeated.
 * `*removed` counts them. */
MUST_USE static inline enum status store_sweep_shared(struct store *store,
                                                      store_needed_function is_needed,
                                                      void *context, uint64_t *removed)
{
    return store->ops->sweep_shared(store, is_needed, context, removed);
}

/* Removes what crashes and aborts left behind of checkpoints without a manifest. For the start of a
 * JobManager: it would remove a checkpoint that is being taken, too. */
MUST_USE static inline enum status store_discard_incomplete(struct store *store)
{
    return store->ops->discard_incomplete(store);
}

/* Subtasks of `attempt` will write ahead of their checkpoints (store_files_adopt). Only where they
 * reach the store: elsewhere drafts wait in the memory of the subtask. */
MUST_USE static inline enum status store_begin_attempt(struct store *store, uint64_t attempt)
{
    return store->ops->begin_attempt(store, attempt);
}

/* Removes the drafts of all attempts but `kept` (0: of all): who writes late finds no folder, and
 * leaves nothing behind. After any error it can be repeated. `*removed` counts the attempts.
 * Errors: EXISTS (somebody wrote meanwhile). */
MUST_USE static inline enum status store_end_attempts(struct store *store, uint64_t kept,
                                                      uint64_t *removed)
{
    return store->ops->end_attempts(store, kept, removed);
}

/* For a subtask: a part that a handle leads to, read piece by piece and verified by its size and
 * checksum with the last one. */
struct store_part {
    struct part_source source; /* Errors of the reading: NOT_FOUND, CORRUPT */
    struct host *host;
    struct state_handle handle; /* its location stays borrowed */
    struct hash_stream hash;
    struct buffer first; /* the first piece, until it was asked for */
    file_id file;        /* 0: it is no file, or not open */
    uint64_t file_bytes; /* so large is what is read */
    uint64_t read_bytes;
};

/* Begins to read the part that `handle` leads to: inline, or among those `carried` here
 * (carried.h), or a file. What is missing, and what is damaged and small, is found here. After an
 * error there is nothing to close. Errors: NOT_FOUND, CORRUPT. */
MUST_USE enum status store_part_open(struct store_part *part, struct host *host,
                                     struct bytes carried, const struct state_handle *handle);

/* Gives back what it holds, read to its end or not. */
void store_part_close(struct store_part *part);

#endif
