/* fold_table.h - what the judge knows about each key of a job whose keys are runs of bytes: a hash
 * table from keys to a few numbers.
 *
 * Entries stay in the order in which their keys first came, so that walking over them depends on
 * nothing else. Nothing is ever removed.
 *
 * With millions of keys each look at another place waits for memory. So a slot has the key's hash
 * beside it, and hardly any entry but the right one is looked at; most keys are in their entries;
 * and slots are in the order of their hashes, so that a table that grows is read from end to end,
 * the larger one is written likewise, and no key is looked at. */
#ifndef FAULTLINE_SIM_ORACLE_FOLD_TABLE_H
#define FAULTLINE_SIM_ORACLE_FOLD_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"

enum { FOLD_NUMBERS = 4, FOLD_NEAR_BYTES = 24, FOLD_BATCH = 16 };

/* What the numbers mean is for the reference of the job to say. */
struct fold_entry {
    union {
        uint8_t near[FOLD_NEAR_BYTES]; /* the key, if it is no longer: integers always are */
        const uint8_t *far;            /* else where it is; owned by the table's arena */
    } key;
    uint32_t key_size : 31;
    bool in_state : 1;               /* `state` is there */
    uint32_t mark;                   /* of the verification that met the key last */
    int64_t folded[FOLD_NUMBERS];    /* by the reference, up to its present positions */
    int64_t state[FOLD_NUMBERS];     /* in the checkpoint verified last */
    int64_t committed[FOLD_NUMBERS]; /* by the output; set at the end of the run */
};
_Static_assert(sizeof(struct fold_entry) == 128, "two cache lines");

struct fold_slot {
    uint32_t hash;  /* of the key */
    uint32_t place; /* in `entries`, plus 1; 0: free */
};

struct fold_table {
    struct arena *arena;
    struct fold_entry *entries;
    size_t count;
    size_t capacity;
    struct fold_slot *slots;
    size_t slot_count; /* a power of two, at least twice `count`; 0: none yet */
    unsigned shift;    /* 32 - log2(slot_count) */
};

/* An empty table; memory from `arena`. */
void fold_table_init(struct fold_table *table, struct arena *arena);

/* The key of an entry, borrowed from it. */
static inline struct bytes fold_entry_key(const struct fold_entry *entry)
{
    bool is_near = entry->key_size <= FOLD_NEAR_BYTES;
    return (struct bytes){ .data = is_near ? entry->key.near : entry->key.far,
                           .size = entry->key_size };
}

/* The entry of `key`, or NULL. Borrowed until the next fold_table_at. */
struct fold_entry *fold_table_find(const struct fold_table *table, struct bytes key);

/* The entry of `key`, of which it keeps a copy; a new one is zero but for the key. Borrowed until
 * the next call. */
struct fold_entry *fold_table_at(struct fold_table *table, struct bytes key);

/* A hint that these keys, at most FOLD_BATCH, will be asked for next: what memory takes for all of
 * them it takes at the same time. A small table is in the processor's caches anyway. */
void fold_table_foresee(const struct fold_table *table, const struct bytes *keys, size_t count);

/* Back to nothing folded; the keys stay. */
void fold_table_rewind(struct fold_table *table);

/* Asserts the invariants. */
void fold_table_check(const struct fold_table *table);

#endif
