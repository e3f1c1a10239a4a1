/* backend.h - the contract of a state backend: it keeps the keyed state of one subtask.
 *
 * B1  Between set_key and the next set_key, get/put/remove concern that key.
 * B2  A snapshot holds exactly the state at snapshot_begin, whatever is put or removed while it is
 *     written out; beginning one takes a time that does not depend on how much state there is.
 * B3  The content of a snapshot (as a set of entries) depends only on the puts and removes, and
 *     its bytes only on their order: never on addresses or on chance.
 * B4  Restoring a snapshot gives the same answers to every get as the backend that wrote it.
 * B5  A backend's working memory or files are disposable: after a failure they are rebuilt.
 *
 * The snapshot's bytes are those of snapshot.h, the same for every backend. */
#ifndef FAULTLINE_STATE_BACKEND_H
#define FAULTLINE_STATE_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/status.h"
#include "model/state/key_group.h"

typedef uint16_t state_id;

struct backend;
struct backend_snapshot;

struct backend_ops {
    void (*destroy)(struct backend *);
    state_id (*declare)(struct backend *, const char *name);
    void (*prefetch)(struct backend *, uint32_t key_group, struct bytes key); /* NULL: no use */
    void (*set_key)(struct backend *, uint32_t key_group, struct bytes key);
    struct bytes (*get)(struct backend *, state_id);
    void (*put)(struct backend *, state_id, struct bytes value);
    void (*remove)(struct backend *, state_id);
    struct backend_snapshot *(*snapshot_begin)(struct backend *);
    bool (*snapshot_step)(struct backend_snapshot *, struct buffer *out, size_t limit_bytes);
    void (*snapshot_end)(struct backend_snapshot *);
    enum status (*restore)(struct backend *, struct bytes snapshot);
    uint64_t (*entry_count)(const struct backend *);
};

/* The first member of each backend's own struct. */
struct backend {
    const struct backend_ops *ops;
};

struct backend_snapshot {
    struct backend *backend;
};

/* Frees the backend and any snapshots under way. */
static inline void backend_destroy(struct backend *backend)
{
    backend->ops->destroy(backend);
}

/* The state called `name`; the same id each time it is asked. Names survive in snapshots. At most
 * SNAPSHOT_STATE_COUNT_MAX of them (snapshot.h). */
static inline state_id backend_declare(struct backend *backend, const char *name)
{
    return backend->ops->declare(backend, name);
}

/* A hint that `key` will be current soon: called about eight records ahead it hides much of the
 * time that memory takes. It changes no answer, and not the current key. */
static inline void backend_prefetch(struct backend *backend, uint32_t key_group, struct bytes key)
{
    if (backend->ops->prefetch != NULL) {
        backend->ops->prefetch(backend, key_group, key);
    }
}

/* Makes `key` current. `key_group` lies in the backend's range. The bytes are borrowed until the
 * next set_key. */
static inline void backend_set_key(struct backend *backend, uint32_t key_group, struct bytes key)
{
    backend->ops->set_key(backend, key_group, key);
}

/* The current key's value, or data == NULL if it is absent. Borrowed until the next call. */
static inline struct bytes backend_get(struct backend *backend, state_id state)
{
    return backend->ops->get(backend, state);
}

/* Sets the current key's value to a copy of `value`. */
static inline void backend_put(struct backend *backend, state_id state, struct bytes value)
{
    backend->ops->put(backend, state, value);
}

/* Makes the current key's value absent. */
static inline void backend_remove(struct backend *backend, state_id state)
{
    backend->ops->remove(backend, state);
}

/* Freezes the state (B2). Several snapshots may be open at once. Owned by the backend until
 * backend_snapshot_end. */
static inline struct backend_snapshot *backend_snapshot_begin(struct backend *backend)
{
    return backend->ops->snapshot_begin(backend);
}

/* Appends about `limit_bytes` more of the snapshot to `out` (at least one entry, whole entries
 * only). True while more is left; not to be called again after false. */
static inline bool backend_snapshot_step(struct backend_snapshot *snapshot, struct buffer *out,
                                         size_t limit_bytes)
{
    return snapshot->backend->ops->snapshot_step(snapshot, out, limit_bytes);
}

/* Releases a snapshot, written out or not. */
static inline void backend_snapshot_end(struct backend_snapshot *snapshot)
{
    snapshot->backend->ops->snapshot_end(snapshot);
}

/* Fills a backend from the bytes of a snapshot; entries outside its key groups are left out. After
 * a change of parallelism it is called once for each old snapshot that meets the range. No snapshot
 * may be under way, and no key is current afterwards. Errors: CORRUPT, for any bytes that no
 * backend wrote and for an entry that is already there; the backend can then only be destroyed. */
MUST_USE static inline enum status backend_restore(struct backend *backend, struct bytes snapshot)
{
    return backend->ops->restore(backend, snapshot);
}

/* How many values are present. */
static inline uint64_t backend_entry_count(const struct backend *backend)
{
    return backend->ops->entry_count(backend);
}

/* The backends. All memory comes from `arena`. */
struct backend *backend_heap_create(struct arena *arena, struct key_group_range range);

/* Asserts the invariants of a heap backend, at the cost of a walk over all of it: for tests. */
void backend_heap_check(const struct backend *backend);

#endif
