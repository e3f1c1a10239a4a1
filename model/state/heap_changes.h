/* heap_changes.h - what the heap backend remembers for incremental snapshots: which snapshots can
 * be built on, and what has been removed since.
 *
 * What was put since is found by the versions of the entries. Removals are logged per key group, in
 * the order of their epochs, as long as there is a base at all. A log that outgrows the state is
 * given up together with the bases: the next snapshot is then a whole one. */
#ifndef FAULTLINE_STATE_HEAP_CHANGES_H
#define FAULTLINE_STATE_HEAP_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "model/state/heap_table.h"

/* A snapshot that later ones may build on. */
struct heap_base {
    uint64_t id;          /* of the snapshot */
    uint32_t epoch;       /* the last one whose changes are in it */
    uint32_t part_count;  /* 0: it is not written out yet */
    uint64_t last_part;   /* id of the newest of its parts */
    uint64_t entry_count; /* over all its parts, removals included */
};

struct heap_removal {
    union heap_cell key; /* shared with nobody but records of the history */
    uint32_t epoch;
    uint16_t state;
    uint8_t key_size;
};

/* The removals of one key group. */
struct heap_removals {
    struct heap_removal *items; /* rising epochs */
    size_t capacity;
    uint32_t count;
    uint32_t dropped; /* how many went before items[0] */
};

struct heap_changes {
    struct heap_base *bases; /* rising ids */
    size_t base_capacity;
    uint32_t base_count;
    uint32_t table_count;
    struct heap_removals *removals; /* one per table */
    uint64_t removal_count;         /* over all tables */
};

void heap_changes_init(struct heap_changes *changes, struct arena *arena, uint32_t table_count);
void heap_changes_free(struct heap_changes *changes, struct arena *arena);

/* The base called `id`, or NULL. Borrowed until the next call. */
struct heap_base *heap_changes_find(const struct heap_changes *changes, uint64_t id);

/* Adds a base with the largest id so far. */
void heap_changes_add(struct heap_changes *changes, struct arena *arena, struct heap_base base);

/* Forgets the base called `id`, if it is there; those with smaller ids; or all. */
void heap_changes_forget(struct heap_changes *changes, uint64_t id);
void heap_changes_forget_below(struct heap_changes *changes, uint64_t id);
void heap_changes_forget_all(struct heap_changes *changes);

/* Notes that `entry` of table `table` is about to be removed, in `epoch`; `entry_count` is how many
 * the backend holds. */
void heap_changes_note_removal(struct heap_changes *changes, struct arena *arena, uint32_t table,
                               const struct heap_entry *entry, uint32_t epoch,
                               uint64_t entry_count);

/* Drops the removals of `table` up to and including `epoch`. */
void heap_changes_drop(struct heap_changes *changes, struct arena *arena, uint32_t table,
                       uint32_t epoch);

/* The oldest epoch of a base; UINT32_MAX: there is none. */
uint32_t heap_changes_oldest(const struct heap_changes *changes);

/* Asserts the invariants. */
void heap_changes_check(const struct heap_changes *changes);

#endif
