/* heap_backend.h - the heap backend's own structs, for the files it consists of:
 *
 *   backend_heap.c   keys and values
 *   heap_iterate.c   going through entries, and dropping those whose time is over
 *   heap_snapshot.c  freezing the state and writing it out
 *   heap_restore.c   filing what a snapshot holds */
#ifndef FAULTLINE_STATE_HEAP_BACKEND_H
#define FAULTLINE_STATE_HEAP_BACKEND_H

#include "model/base/check.h"
#include "model/state/backend.h"
#include "model/state/heap_changes.h"
#include "model/state/heap_history.h"
#include "model/state/heap_maps.h"
#include "model/state/heap_table.h"
#include "model/state/state_table.h"

struct heap_snapshot {
    struct backend_snapshot base;
    struct heap_snapshot *next;
    uint64_t id;
    struct snapshot_base built_on; /* a copy; part_count 0: nothing */
    uint32_t since; /* the base's epoch: what did not change later is left out; 0: nothing is */
    uint32_t epoch; /* the last one whose changes are in the snapshot */
    uint16_t state_count;
    bool has_header;
    bool is_done;
    uint32_t table; /* the place to be visited next */
    uint32_t entry;
    uint32_t removal;     /* the removal to be visited next: those of a table go before it */
    uint64_t now_ns;      /* when it began */
    uint64_t entry_count; /* the same */
    uint64_t written_count;
    uint64_t expired_count; /* left out */
};

/* Where the current entry of one state is, once it has been looked up. */
struct cursor {
    uint64_t turn; /* known if it equals the backend's */
    struct heap_place place;
};

/* How far somebody has gone through the entries of one state. */
struct heap_iteration {
    enum backend_scope scope;
    uint32_t table;
    uint32_t next; /* of SCOPE_MAP: number + 1, or 0; of SCOPE_STATE: number */
};

struct heap_backend {
    struct backend base;
    /* What every record touches stands close together. */
    struct key_group_range range;
    struct heap_table *tables; /* one per key group of the range */
    struct cursor *cursors;    /* one per state */
    uint16_t state_count;
    bool all_plain; /* there is no state but plain ones */
    bool is_within; /* namespace and subkey were set since set_key; else both are empty */
    uint32_t epoch;
    uint64_t turn;            /* rises when cursors become stale */
    struct heap_table *table; /* of the current key; NULL before the first set_key */
    struct heap_key key;      /* the current one */
    uint64_t insertion_count; /* of entries: each may have moved others in the index */
    uint64_t foreseen_at;     /* as many had been inserted when keys were foreseen */
    uint64_t entry_count;
    /* What only some states need. */
    struct arena *arena;
    struct state_table states;
    struct heap_maps *maps;            /* one per table; NULL before the first entry of a map */
    struct heap_iteration *iterations; /* one per state */
    struct buffer name_space;          /* the current one */
    struct buffer subkey;              /* the same */
    struct buffer composite;           /* of key, namespace and subkey, for one call */
    uint32_t expire_table;             /* the place that expire visits next */
    uint32_t expire_entry;
    struct buffer scratch;
    /* What snapshots need. */
    uint32_t parts_max;
    struct heap_snapshot *snapshots; /* the open ones */
    struct heap_history *histories;  /* one per table */
    uint32_t sweep_table;            /* the record to be looked at next, if any may be of no use */
    uint32_t sweep_record;
    uint32_t sweep_tables_left; /* 0: none may */
    struct heap_changes changes;
};

/* Its operations; by their address a backend is known to be a heap's. */
extern const struct backend_ops heap_backend_ops;

static inline struct heap_backend *heap_of(struct backend *backend)
{
    CHECK(backend->ops == &heap_backend_ops);
    return (struct heap_backend *)(void *)backend;
}

static inline const struct heap_backend *heap_of_const(const struct backend *backend)
{
    CHECK(backend->ops == &heap_backend_ops);
    return (const struct heap_backend *)(const void *)backend;
}

static inline uint32_t heap_table_count(const struct heap_backend *heap)
{
    return heap->range.last - heap->range.first + 1;
}

static inline struct heap_table *heap_table_of(const struct heap_backend *heap, uint32_t key_group)
{
    CHECK(key_group >= heap->range.first && key_group <= heap->range.last);
    return &heap->tables[key_group - heap->range.first];
}

/* Is the key of each of the state's entries just a key? */
static inline bool heap_is_plain(const struct heap_backend *heap, state_id state)
{
    return heap->all_plain || state_is_plain(&heap->states.states[state]);
}

/* ---- backend_heap.c -------------------------------------------------------------------------- */

/* Makes room for what is known of each state, for states that have come to the table. */
void heap_add_states(struct heap_backend *heap);

/* The beginning that the keys of the current map's entries share. Borrowed until the next call. */
struct heap_key heap_map_prefix(struct heap_backend *heap, state_id state);

/* Removes the entry `number` of table `table`, or gives it another value; whatever key is
 * current. */
void heap_remove_at(struct heap_backend *heap, uint32_t table, uint32_t number);
void heap_put_at(struct heap_backend *heap, uint32_t table, uint32_t number, struct bytes value);

/* ---- heap_iterate.c: see struct backend_ops -------------------------------------------------- */

void heap_iterate(struct backend *backend, state_id state, enum backend_scope scope);
bool heap_next(struct backend *backend, state_id state, struct backend_entry *entry);
void heap_expire(struct backend *backend, uint32_t count);

/* ---- heap_snapshot.c ------------------------------------------------------------------------- */

/* Will an open snapshot of the epochs first..end-1 come to this place yet, and want what changed in
 * the first of them? */
bool heap_snapshot_is_awaited(const struct heap_backend *heap, uint32_t table, uint32_t entry,
                              uint32_t epoch_first, uint32_t epoch_end);

/* See struct backend_ops. */
struct backend_snapshot *heap_snapshot_begin(struct backend *backend, uint64_t id, uint64_t base);
bool heap_snapshot_keeps(const struct backend_snapshot *snapshot, uint32_t part);
enum backend_step heap_snapshot_step(struct backend_snapshot *snapshot, struct buffer *out,
                                     size_t limit_bytes);
void heap_snapshot_end(struct backend_snapshot *snapshot);

/* ---- heap_restore.c: see struct backend_ops -------------------------------------------------- */

MUST_USE enum status heap_restore(struct backend *backend, uint64_t id,
                                  struct part_source *const *parts, uint32_t part_count);

#endif
