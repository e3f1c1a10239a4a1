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
#include "model/state/snapshot_base.h"

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
    struct snapshot_bases bases;
    uint32_t table_count;
    struct heap_removals *removals; /* one per table */
    uint64_t removal_count;         /* over all tables */
};

void heap_changes_init(struct heap_changes *changes, struct arena *arena, uint32_t table_count);
void heap_changes_free(struct heap_changes *changes, struct arena *arena);

/* Notes that `entry` of table `table` is about to be removed, in `epoch`; `entry_count` is how many
 * the backend holds. */
void heap_changes_note_removal(struct heap_changes *changes, struct arena *arena, uint32_t table,
                               const struct heap_entry *entry, uint32_t epoch,
                               uint64_t entry_count);

/* Drops the removals of `table` up to and including `epoch`. */
void heap_changes_drop(struct heap_changes *changes, struct arena *arena, uint32_t table,
                       uint32_t epoch);

/* Asserts the invariants. */
void heap_changes_check(const struct heap_changes *changes);

#endif
