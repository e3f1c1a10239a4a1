/* row_backend.h - a state backend over a store of rows (row_store.h): what SQLite and RocksDB have
 * in common. Private to row_*.c.
 *
 *   row_backend.c   states, the current key, iteration, restore
 *   row_entry.c     entries made of rows, the marks of changes
 *   row_load.c      many new rows at once, for a restore
 *   row_snapshot.c  freezing the state and writing it out
 *
 * The row of an entry: space = state id, key group (both u16, the greater byte first), entry key
 * (entry_key.h). So a state's entries lie key group by key group, and those of a map in the order
 * of their subkeys. A list has several rows, of LIST_CHUNK_BYTES each, so that to append costs the
 * same however long it is: its rows lie like the entries of a map whose subkeys are 0, 1, ... (u32,
 * the greater byte first), and the first names the last.
 *
 * Beginning a snapshot ends an epoch. Every row knows the epoch in which it was written last. While
 * a later snapshot may ask for the changes since a base, the first change of an entry in an epoch
 * leaves a mark: key group, epoch (u32, the greater byte first), state, entry key. What a snapshot
 * adds to its base is what the marks between the two name: so it costs what has changed.
 *
 * In Flink an incremental snapshot of RocksDB is a list of the table files that RocksDB holds, and
 * those that an earlier one has uploaded are not uploaded again. Here the parts of snapshot.h take
 * the place of those files: they are shared by reference count, and never rewritten, too. But they
 * hold entries, in one format for all backends, and which there are depends on the job alone; which
 * files RocksDB has at a moment depends on when its threads compacted, and only it can read them.
 * The price: what changes costs a mark, and a restore merges the parts entry by entry. */
#ifndef FAULTLINE_STATE_ROW_BACKEND_H
#define FAULTLINE_STATE_ROW_BACKEND_H

#include "model/base/check.h"
#include "model/host.h"
#include "model/state/backend.h"
#include "model/state/row_store.h"
#include "model/state/snapshot_base.h"
#include "model/state/state_table.h"

enum {
    ROW_PREFIX_BYTES = 4, /* state and key group */
    LIST_CHUNK_BYTES = 512,
    ROW_LOAD_COUNT = 64, /* rows that the store gets at once */
    ROW_MARKS_AT_ONCE = 64,
};

/* What is known of an entry that was looked up. */
struct row_known {
    bool is_present;
    uint32_t epoch;       /* in which it was changed last */
    uint32_t first_epoch; /* a list: of its first row */
    uint32_t last_chunk;  /* a list: the number of its last row */
};

struct row_iteration {
    bool is_open;
    bool is_begun;
    enum backend_scope scope;
    struct row_scan *scan; /* NULL: to be begun at `at` */
    struct buffer prefix;  /* of the rows to go through */
    struct buffer end;     /* what comes behind them */
    struct buffer at;      /* the row of the entry given last */
    struct buffer value;   /* a list's */
    uint64_t change_count; /* of the backend, when the scan was begun */
};

struct row_state {
    struct buffer row;   /* of the current entry; of a list without the chunk's number */
    uint64_t row_turn;   /* `row` is right if it equals the backend's */
    uint64_t known_turn; /* `known` is, if it does */
    struct row_known known;
    struct row_iteration iteration;
    struct buffer last; /* no row of the state was ever behind this one; empty: there was none */
};

/* Rows on their way to the store. */
struct row_load {
    bool is_on;   /* new rows are loaded, not put */
    bool is_open; /* the store has got some, and was not told their end */
    struct row rows[ROW_LOAD_COUNT];
    uint32_t count;
    struct buffer bytes; /* theirs; does not grow while there are any */
};

/* What is done for each key group in turn: WHOLE or REMOVALS and ENTRIES, then MARKS. */
enum row_phase {
    PHASE_WHOLE,    /* all entries are written */
    PHASE_REMOVALS, /* since the base */
    PHASE_ENTRIES,  /* that changed since the base */
    PHASE_MARKS,    /* those that nobody wants any more are dropped */
};

struct row_snapshot {
    struct backend_snapshot base;
    struct row_snapshot *next;
    uint64_t id;
    struct snapshot_base built_on; /* a copy; part_count 0: nothing */
    uint32_t since;                /* the base's epoch: only later changes count; 0: all does */
    uint32_t epoch;                /* the last one whose changes are in the snapshot */
    uint16_t state_count;
    struct row_view *view;
    uint64_t now_ns;      /* for the time to live */
    uint64_t entry_count; /* when it began */
    uint64_t written_count;
    uint64_t expired_count;
    bool has_header;
    bool is_done;
    enum row_phase phase;
    uint32_t key_group; /* to be visited next: those before it are passed */
    uint16_t state;     /* PHASE_WHOLE: to be visited next */
    struct buffer at;   /* the row or mark visited last; empty: none of this key group */
};

struct row_backend {
    struct backend base;
    struct host *host;
    struct arena *arena;
    struct key_group_range range;
    uint32_t parts_max;
    struct row_store *store;
    struct state_table table;
    struct row_state *states; /* by state_id */
    size_t state_capacity;
    uint16_t open_count; /* of the states of the table, that stand here */
    bool has_key;
    uint32_t key_group;
    struct entry_key at; /* of the current entry; all but the key lies in the two below */
    struct buffer name_space;
    struct buffer subkey;
    uint64_t turn;            /* rises when another entry becomes current */
    uint64_t change_count;    /* of rows, so far */
    uint32_t iteration_count; /* of open ones */
    uint32_t epoch;
    uint64_t entry_count;
    uint64_t mark_count;     /* of the epochs behind the next */
    uint32_t given_up_epoch; /* when the bases were given up last */
    uint32_t *marks_dropped; /* per key group the epoch up to which its marks are gone */
    struct row_load load;
    struct snapshot_bases bases;
    struct row_snapshot *snapshots; /* the open ones */
    state_id expire_state;          /* where the look for expired entries goes on */
    struct buffer expire_at;
    struct buffer row;   /* scratch: the row of an entry */
    struct buffer chunk; /* ... of a part of a list */
    struct buffer mark;
    struct buffer value; /* ... with its epoch */
    struct buffer list;  /* what is lent out of a list */
    struct buffer end;   /* ... of a scan */
    struct buffer kept;  /* what is left of an expired list, or was upgraded */
};

/* Its operations; by their address a backend is known to be one of rows. */
extern const struct backend_ops row_backend_ops;

static inline struct row_backend *row_backend_of(struct backend *backend)
{
    CHECK(backend->ops == &row_backend_ops);
    return (struct row_backend *)(void *)backend;
}

static inline const struct row_backend *row_backend_of_const(const struct backend *backend)
{
    CHECK(backend->ops == &row_backend_ops);
    return (const struct row_backend *)(const void *)backend;
}

/* A backend over an empty store, which it takes; the host's arena owns it. */
struct backend *row_backend_create(struct host *host, struct key_group_range range,
                                   uint32_t parts_max, struct row_store *store);

/* Asserts the invariants, at the cost of a walk over all of it: for tests. */
void row_backend_check(const struct backend *backend);

/* Notes the first failure of the store (B9). True if `status` is none, and there was none. */
bool row_backend_note(struct row_backend *backend, enum status status);

static inline bool row_backend_has_failed(const struct row_backend *backend)
{
    return backend->base.failure != STATUS_OK;
}

/* ---- row_entry.c -----------------------------------------------------------------------------
 *
 * `row` is the row of an entry; of a list without the chunk's number. It and values may be scratch
 * of the backend where that is said. After a failure nothing is found and nothing done. */

/* Appends the row of the entry with this composite key. */
void row_entry_write_row(const struct row_backend *backend, struct buffer *row, state_id state,
                         uint32_t key_group, struct bytes key);

/* Fills `end` with the first key that comes behind all those that begin with `prefix`. */
void row_end_of_prefix(struct buffer *end, struct bytes prefix);

/* The key group and the composite key of an entry whose row this is; false: it is a further row of
 * a list. Borrowed from `row`. */
bool row_entry_read_row(const struct row_backend *backend, struct bytes row, uint32_t *key_group,
                        struct bytes *key);

/* The value now, or in `view` if it is not NULL; data == NULL: it is absent. A list's is appended
 * to `list`, which is emptied first; another is lent out by the store. */
struct bytes row_entry_find(struct row_backend *backend, const struct row_view *view,
                            state_id state, struct bytes row, struct row_known *known,
                            struct buffer *list);

/* Only what is known of the entry. */
void row_entry_look_up(struct row_backend *backend, state_id state, struct bytes row,
                       struct row_known *known);

/* Change the entry of which `known` is known, and that. `value` may be lent out by the backend. */
void row_entry_put(struct row_backend *backend, state_id state, struct bytes row,
                   struct row_known *known, struct bytes value);
void row_entry_append(struct row_backend *backend, state_id state, struct bytes row,
                      struct row_known *known, struct bytes more);
void row_entry_remove(struct row_backend *backend, state_id state, struct bytes row,
                      struct row_known *known);

/* The mark with which those of an epoch of a key group begin; what a mark says. */
void row_mark_write(struct buffer *mark, uint32_t key_group, uint32_t epoch);
struct row_mark {
    uint32_t key_group;
    uint32_t epoch;
    state_id state;
    struct bytes key; /* the entry's; borrowed */
};
struct row_mark row_mark_read(struct bytes mark);

/* Drops up to ROW_MARKS_AT_ONCE of the marks of a key group that no snapshot wants any more, now or
 * later; returns how many. Fewer: there are none left. `at` is empty at first, and says then how
 * far it has come. */
uint32_t row_marks_drop(struct row_backend *backend, uint32_t key_group, struct buffer *at);

/* Gives up all bases, so that no snapshot to come wants the marks there are: it drops them. */
void row_marks_give_up(struct row_backend *backend);

/* Does this entry, and all that it may have for rows, lie behind all rows of its state? */
bool row_entry_is_behind(struct row_backend *backend, state_id state, struct bytes row);

/* ---- row_load.c ------------------------------------------------------------------------------
 *
 * A snapshot names its entries in the order of their rows. So a restore need not look for those
 * that it puts, and the store gets many at once, and need not look where each belongs. */

/* From now on new rows are loaded: each must lie behind all rows of its state. */
void row_load_begin(struct row_backend *backend);

/* Loads a row. Both are copied. */
void row_load_add(struct row_backend *backend, struct bytes row, struct bytes value);

/* Puts what is on its way into the store, and loads no more. */
void row_load_end(struct row_backend *backend);

/* ---- row_snapshot.c: see struct backend_ops -------------------------------------------------- */

struct backend_snapshot *row_snapshot_begin(struct backend *backend, uint64_t id, uint64_t base);
bool row_snapshot_keeps(const struct backend_snapshot *snapshot, uint32_t part);
enum backend_step row_snapshot_step(struct backend_snapshot *snapshot, struct buffer *out,
                                    size_t limit_bytes);
void row_snapshot_end(struct backend_snapshot *snapshot);

#endif
