/* backend.h - the contract of a state backend: it keeps the keyed state of one subtask.
 *
 * A state (descriptor.h) has entries. Where an entry lies is said by four coordinates: the key
 * group and the key, which set_key makes current for all states; the namespace (a window) of those
 * states that have one; the subkey of those that are maps. get, put, append and remove concern the
 * entry there. How an entry's key is made of the three is told in entry_key.h.
 *
 * A snapshot is a list of parts: runs of bytes that are kept, and given back in their order by a
 * restore. One that builds on a base, an older snapshot, keeps some of the base's parts and adds
 * new ones: so it costs what has changed since. Which parts it keeps is the backend's choice.
 *
 * B1  Between set_key and the next set_key, get/put/append/remove concern that key. set_key goes
 *     back to the empty namespace (Flink's VoidNamespace) and the empty subkey; set_namespace keeps
 *     the subkey. A state without namespace or subkey does not heed them.
 * B2  A snapshot holds exactly the state at snapshot_begin, whatever is put or removed while it is
 *     written out; beginning one takes a time that does not depend on how much state there is.
 * B3  The content of a snapshot (as a set of entries) depends only on the puts and removes, and
 *     its bytes only on their order, its id and its base: never on addresses or on chance.
 * B4  Restoring a snapshot gives the same answers to every get as the backend that wrote it.
 * B5  A backend's working memory or files are disposable: after a failure they are rebuilt.
 * B6  A part never changes. What a snapshot keeps of its base are parts of the base as it was
 *     acknowledged; B2 to B4 hold for it as for a whole one.
 * B7  The entries of a map come in the order of their subkeys' bytes, whatever the backend and
 *     whether it was restored: so what a job emits does not hang on either.
 * B8  An entry whose time to live is over may vanish (ttl.h, L2); no other does.
 * B9  A backend whose files fail says so in backend_failure. From then on its answers and what a
 *     snapshot step has written mean nothing: its subtask must fail before any of it is used, that
 *     is, before it acknowledges another checkpoint.
 * B10 A backend may write ahead of its snapshots: drafts, of each kind one at a time. Its owner
 *     keeps the bytes, and can lose them at any time. A snapshot may take drafts: they are, or
 *     begin, its first new parts, and are drafts no more.
 *
 * The bytes of a part are those of snapshot.h, the same for every backend. */
#ifndef FAULTLINE_STATE_BACKEND_H
#define FAULTLINE_STATE_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/check.h"
#include "model/base/status.h"
#include "model/state/descriptor.h"
#include "model/state/entry_key.h"
#include "model/state/key_group.h"
#include "model/state/part_source.h"

typedef uint16_t state_id;

enum { STATE_REFUSED = UINT16_MAX }; /* no state */

struct backend;
struct backend_snapshot;

/* What a step of writing a snapshot has left to do. */
enum backend_step {
    BACKEND_DONE, /* nothing: the bytes since the last part's end, if any, are the last new part */
    BACKEND_MORE, /* more of the part */
    BACKEND_NEXT, /* the part is complete; another one follows */
};

enum backend_draft {
    DRAFT_STATE, /* the whole state as it was when the draft was begun: a whole part */
    DRAFT_LOG,   /* what was changed, as it comes: the beginning of a part */
    BACKEND_DRAFT_COUNT
};

/* What a step of writing a draft has written. */
enum backend_draft_step {
    DRAFT_BEGUN, /* the first bytes of a new one: an older one of the kind is void */
    DRAFT_MORE,  /* further ones */
};

/* A key that will be current soon. */
struct backend_key {
    const struct bytes *bytes; /* borrowed, as are the bytes, until another key is current */
    uint32_t key_group;
    uint32_t hash; /* the backend's own, as is what follows */
    uint32_t entry;
};

/* Which entries of a state to go through. */
enum backend_scope {
    SCOPE_MAP,   /* of a map: those of the current key and namespace, in the order of B7 */
    SCOPE_STATE, /* all, key group by key group; within one in an order of the backend's own */
};

/* An entry that iteration has come to. Borrowed until the next call. */
struct backend_entry {
    uint32_t key_group;
    struct entry_key at;
    struct bytes value;
};

struct backend_ops {
    void (*destroy)(struct backend *);
    state_id (*declare)(struct backend *, const struct state_descriptor *);
    void (*set_key)(struct backend *, uint32_t key_group, struct bytes key);
    void (*foresee)(struct backend *, struct backend_key *keys, uint32_t count); /* NULL: no use */
    void (*set_foreseen)(struct backend *, const struct backend_key *key); /* NULL: by set_key */
    void (*set_namespace)(struct backend *, struct bytes name_space);
    void (*set_subkey)(struct backend *, struct bytes subkey);
    struct bytes (*get)(struct backend *, state_id);
    void (*put)(struct backend *, state_id, struct bytes value);
    uint64_t (*add)(struct backend *, state_id, uint64_t amount);
    void (*append)(struct backend *, state_id, struct bytes more);
    void (*remove)(struct backend *, state_id);
    void (*iterate)(struct backend *, state_id, enum backend_scope);
    bool (*next)(struct backend *, state_id, struct backend_entry *);
    void (*expire)(struct backend *, uint32_t count); /* NULL: it has ways of its own */
    struct bytes (*refusal)(const struct backend *);
    struct backend_snapshot *(*snapshot_begin)(struct backend *, uint64_t id, uint64_t base);
    bool (*snapshot_keeps)(const struct backend_snapshot *, uint32_t part);
    enum backend_step (*snapshot_step)(struct backend_snapshot *, struct buffer *out,
                                       size_t limit_bytes);
    void (*snapshot_end)(struct backend_snapshot *);
    void (*snapshot_lost)(struct backend *, uint64_t id);                        /* NULL: no use */
    bool (*snapshot_takes)(const struct backend_snapshot *, enum backend_draft); /* NULL: none */
    bool (*draft_is_due)(const struct backend *, enum backend_draft);            /* NULL: never */
    enum backend_draft_step (*draft_step)(struct backend *, enum backend_draft, struct buffer *out,
                                          size_t limit_bytes);
    void (*draft_kept)(struct backend *, enum backend_draft);
    void (*draft_lost)(struct backend *, enum backend_draft);
    enum status (*restore)(struct backend *, uint64_t id, struct part_source *const *parts,
                           uint32_t part_count);
    uint64_t (*entry_count)(const struct backend *);
};

/* Is told of what a backend drops by itself: of the entry `key` (entry_key.h) of a state, just
 * before, with what is left of its value (data == NULL: nothing). */
struct backend_witness {
    void (*on_expired)(struct backend_witness *, state_id, uint32_t key_group, struct bytes key,
                       struct bytes left);
};

/* The first member of each backend's own struct. */
struct backend {
    const struct backend_ops *ops;
    struct backend_witness *witness; /* NULL: nobody wants to know */
    uint64_t now_ns; /* for the time to live: the newest time it was told */
    enum status failure; /* B9 */
};

struct backend_snapshot {
    struct backend *backend;
};

/* Frees the backend and any snapshots under way. */
static inline void backend_destroy(struct backend *backend)
{
    backend->ops->destroy(backend);
}

/* The state that `state` describes, which is copied; the same id each time it is asked. Names
 * survive in snapshots. At most SNAPSHOT_STATE_COUNT_MAX of them (snapshot.h). States should be
 * declared before a restore: only then can their values be upgraded (D2). STATE_REFUSED: there is
 * another state of this name, declared or restored; backend_refusal tells more. */
static inline state_id backend_declare(struct backend *backend,
                                       const struct state_descriptor *state)
{
    return backend->ops->declare(backend, state);
}

/* The same for a value of bytes that only its owner understands. */
static inline state_id backend_declare_value(struct backend *backend, const char *name)
{
    struct state_descriptor state = state_of_bytes(name);
    return backend->ops->declare(backend, &state);
}

/* Why the last declare or restore was refused, as a sentence; else empty. Borrowed until the next
 * one. */
static inline struct bytes backend_refusal(const struct backend *backend)
{
    return backend->ops->refusal(backend);
}

/* What the host answered first that was not STATUS_OK: HALTED, IO, NO_SPACE or CORRUPT (B9). */
static inline enum status backend_failure(const struct backend *backend)
{
    return backend->failure;
}

/* Tells the present, for the time to live. It does not fall. */
static inline void backend_set_time(struct backend *backend, uint64_t now_ns)
{
    backend->now_ns = now_ns > backend->now_ns ? now_ns : backend->now_ns;
}

/* Makes `key` current. `key_group` lies in the backend's range. The bytes are borrowed until the
 * next set_key. */
static inline void backend_set_key(struct backend *backend, uint32_t key_group, struct bytes key)
{
    backend->ops->set_key(backend, key_group, key);
}

/* Looks ahead at keys that will be current soon: much of the time that memory takes is then waited
 * for once for all of them, not once for each. It changes no answer, and not the current key. */
static inline void backend_foresee(struct backend *backend, struct backend_key *keys,
                                   uint32_t count)
{
    if (backend->ops->foresee != NULL) {
        backend->ops->foresee(backend, keys, count);
    }
}

/* backend_set_key of one of the keys of the last backend_foresee; whatever happened since. */
static inline void backend_set_foreseen(struct backend *backend, const struct backend_key *key)
{
    if (backend->ops->set_foreseen != NULL) {
        backend->ops->set_foreseen(backend, key);
    } else {
        backend->ops->set_key(backend, key->key_group, *key->bytes);
    }
}

/* Makes a namespace of the current key current, and a subkey of the current key and namespace (B1).
 * The bytes are copied. */
static inline void backend_set_namespace(struct backend *backend, struct bytes name_space)
{
    backend->ops->set_namespace(backend, name_space);
}
static inline void backend_set_subkey(struct backend *backend, struct bytes subkey)
{
    backend->ops->set_subkey(backend, subkey);
}

/* The current entry's value, or data == NULL if it is absent. Borrowed until the next call. */
static inline struct bytes backend_get(struct backend *backend, state_id state)
{
    return backend->ops->get(backend, state);
}

/* Sets the current entry's value to a copy of `value`. */
static inline void backend_put(struct backend *backend, state_id state, struct bytes value)
{
    backend->ops->put(backend, state, value);
}

/* Adds `amount` to the current entry's value, a number of 64 bits that wraps round, or to 0 if it
 * is absent; returns the new value. The same as a get and a put, in one step if the backend can. */
static inline uint64_t backend_add(struct backend *backend, state_id state, uint64_t amount)
{
    return backend->ops->add(backend, state, amount);
}

/* Appends `more`, which is not borrowed from the backend, to the current entry's value of a list;
 * to nothing, if it is absent. Takes a time that does not depend on what is there already,
 * amortised over the appends between two snapshots. */
static inline void backend_append(struct backend *backend, state_id state, struct bytes more)
{
    backend->ops->append(backend, state, more);
}

/* Makes the current entry's value absent. */
static inline void backend_remove(struct backend *backend, state_id state)
{
    backend->ops->remove(backend, state);
}

/* Goes through entries of `state`, from the first: backend_next gives one after the other, and
 * false after the last. There is one iteration per state: beginning another one gives up the one
 * before. Until it has come to its end or is given up, of that state only the entry given last may
 * be changed (a put of another value, or a remove; SCOPE_STATE: not even that). set_key and
 * set_namespace give up one of SCOPE_MAP; set_subkey does not. */
static inline void backend_iterate(struct backend *backend, state_id state,
                                   enum backend_scope scope)
{
    backend->ops->iterate(backend, state, scope);
}
static inline bool backend_next(struct backend *backend, state_id state,
                                struct backend_entry *entry)
{
    return backend->ops->next(backend, state, entry);
}

/* For backends: tells the witness, if there is one. */
static inline void backend_tell_expired(const struct backend *backend, state_id state,
                                        uint32_t key_group, struct bytes key, struct bytes left)
{
    if (backend->witness != NULL) {
        backend->witness->on_expired(backend->witness, state, key_group, key, left);
    }
}

/* Lets the backend look at about `count` entries, in turns, and drop those that have expired. Not
 * while something is borrowed. */
static inline void backend_expire(struct backend *backend, uint32_t count)
{
    if (backend->ops->expire != NULL) {
        backend->ops->expire(backend, count);
    }
}

/* Freezes the state (B2). Several snapshots may be open at once, with rising ids from 1 on. `base`
 * is 0, or the id of a snapshot of this backend that was written to its end, or that it was
 * restored from. Snapshots older than `base` are not named as one again. A backend may always write
 * a whole snapshot instead. Owned by the backend until backend_snapshot_end. */
static inline struct backend_snapshot *backend_snapshot_begin(struct backend *backend, uint64_t id,
                                                              uint64_t base)
{
    return backend->ops->snapshot_begin(backend, id, base);
}

/* Does the snapshot keep part number `part` of its base? What it keeps, in the order it has there,
 * and its own new parts behind that are its parts. Known from the beginning. */
static inline bool backend_snapshot_keeps(const struct backend_snapshot *snapshot, uint32_t part)
{
    return snapshot->backend->ops->snapshot_keeps(snapshot, part);
}

/* Appends about `limit_bytes` more of the snapshot's new parts to `out`, whole entries only, and
 * none after a while of looking for some. Not to be called again after BACKEND_DONE. */
static inline enum backend_step backend_snapshot_step(struct backend_snapshot *snapshot,
                                                      struct buffer *out, size_t limit_bytes)
{
    return snapshot->backend->ops->snapshot_step(snapshot, out, limit_bytes);
}

/* Releases a snapshot, written out or not. */
static inline void backend_snapshot_end(struct backend_snapshot *snapshot)
{
    snapshot->backend->ops->snapshot_end(snapshot);
}

/* A hint that snapshot `id`, though written out, will never be named as a base. */
static inline void backend_snapshot_lost(struct backend *backend, uint64_t id)
{
    if (backend->ops->snapshot_lost != NULL) {
        backend->ops->snapshot_lost(backend, id);
    }
}

/* Does the snapshot take that draft? Known from the beginning. Its first new parts are what it
 * takes, in the order of enum backend_draft; the bytes of the first step go on where they end. */
static inline bool backend_snapshot_takes(const struct backend_snapshot *snapshot,
                                          enum backend_draft draft)
{
    const struct backend_ops *ops = snapshot->backend->ops;
    return ops->snapshot_takes != NULL && ops->snapshot_takes(snapshot, draft);
}

/* Is there something to be written ahead, as things stand? Tell the time before. */
static inline bool backend_draft_is_due(const struct backend *backend, enum backend_draft draft)
{
    return backend->ops->draft_is_due != NULL && backend->ops->draft_is_due(backend, draft);
}

/* Appends about `limit_bytes` of a draft that is due to `out`. When it is due no more it is written
 * as far as it goes; a DRAFT_STATE is whole then. */
static inline enum backend_draft_step backend_draft_step(struct backend *backend,
                                                         enum backend_draft draft,
                                                         struct buffer *out, size_t limit_bytes)
{
    return backend->ops->draft_step(backend, draft, out, limit_bytes);
}

/* What was written of the draft, up to where it was due no more, is durable: it may be taken from
 * now on. Or it is lost: it is begun anew, but not at once. */
static inline void backend_draft_kept(struct backend *backend, enum backend_draft draft)
{
    backend->ops->draft_kept(backend, draft);
}
static inline void backend_draft_lost(struct backend *backend, enum backend_draft draft)
{
    backend->ops->draft_lost(backend, draft);
}

/* Fills a backend from the parts of snapshot `id`, each of which is read to its end unless an error
 * comes first that has nothing to do with its bytes; entries outside its key groups are left out.
 * After a change of parallelism it is called once for each old snapshot that meets the range. No
 * snapshot may be under way, and no key is current afterwards. A snapshot that was restored alone
 * can be the base of later ones. Errors: INVALID, for a state that is not what the job declares
 * (D1; backend_refusal tells more); CORRUPT, for any bytes that no backend wrote, for parts that do
 * not belong together and for an entry that another snapshot has brought already. The backend can
 * then only be destroyed. */
MUST_USE static inline enum status backend_restore(struct backend *backend, uint64_t id,
                                                   struct part_source *const *parts,
                                                   uint32_t part_count)
{
    return backend->ops->restore(backend, id, parts, part_count);
}

/* How many entries there are. */
static inline uint64_t backend_entry_count(const struct backend *backend)
{
    return backend->ops->entry_count(backend);
}

/* The backends. All memory comes from `arena`.
 *
 * The heap's new part of a snapshot with a base holds what was put and removed since. It begins
 * anew with one whole part when there are `parts_max` parts (1: each time), or when the parts hold
 * more than twice as many entries as are alive: this takes the place of compaction. */
struct backend *backend_heap_create(struct arena *arena, struct key_group_range range,
                                    uint32_t parts_max);

/* Asserts the invariants of a heap backend, at the cost of a walk over all of it: for tests. */
void backend_heap_check(const struct backend *backend);

#endif
