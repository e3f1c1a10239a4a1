/* heap_history.h - older contents of one key group's entries in the heap backend, kept for open
 * snapshots.
 *
 * A record is what one place of the slab held during the epochs first..end-1. The records of a
 * place form a chain, newest first, that starts at heap_entry.history. They lie in blocks, so that
 * the change that needs one more costs the same however many there are. Each key group has its own:
 * a snapshot reads them in the order of the slab, which is not that of the changes, and would find
 * those of all key groups in neither cache nor TLB. */
#ifndef FAULTLINE_STATE_HEAP_HISTORY_H
#define FAULTLINE_STATE_HEAP_HISTORY_H

#include <stdint.h>

#include "model/state/heap_table.h"

struct heap_record {
    union heap_cell key;
    union heap_cell value;
    uint32_t epoch_first;
    uint32_t epoch_end; /* not included; 0: the record is free */
    uint32_t entry;     /* the place's number within the slab */
    uint32_t next;      /* the next older record of the place, or the next free one, + 1; or 0 */
    uint16_t state;
    uint8_t key_size;
    uint8_t value_size;
};

enum { HEAP_HISTORY_BLOCK = 64 };

struct heap_history {
    struct heap_record **blocks; /* of HEAP_HISTORY_BLOCK records each */
    size_t block_capacity;
    uint32_t count;      /* records in use or free */
    uint32_t live_count; /* records in use */
    uint32_t free_first; /* + 1; or 0 */
};

/* The record with this number, from 0. */
static inline struct heap_record *heap_history_at(const struct heap_history *history,
                                                  uint32_t number)
{
    CHECK(number < history->count);
    return &history->blocks[number / HEAP_HISTORY_BLOCK][number % HEAP_HISTORY_BLOCK];
}

/* Moves the value of `entry`, number `number` of the slab, into a new record that ends before
 * `epoch_end`; the entry's value is then absent. The key is shared. */
void heap_history_push(struct heap_history *history, struct arena *arena, struct heap_entry *entry,
                       uint32_t number, uint32_t epoch_end);

/* The record of `epoch` in the chain that starts at `first`, or NULL. Borrowed until the next
 * push or drop. */
const struct heap_record *heap_history_find(const struct heap_history *history, uint32_t first,
                                            uint32_t epoch);

/* Drops the record that `*link` points to: `*link` then points to the next older one. */
void heap_history_drop(struct heap_history *history, struct arena *arena, uint32_t *link);

/* Frees all records. The chains' starts are then dangling. */
void heap_history_free(struct heap_history *history, struct arena *arena);

#endif
