/* key_table.h - what the judge knows about each key: a hash table from 64-bit keys to counts.
 *
 * Open addressing with linear probing, at most half full, growing from a few entries: a short run
 * pays little, and a long one looks up in one or two cache lines. Nothing is ever removed. */
#ifndef FAULTLINE_SIM_ORACLE_KEY_TABLE_H
#define FAULTLINE_SIM_ORACLE_KEY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"

struct key_entry {
    int64_t key;
    int64_t folded;    /* by the reference, up to its present positions */
    int64_t state;     /* in the checkpoint verified last; 0: not there */
    int64_t committed; /* the highest count in the output so far; set at the end of the run */
    uint32_t mark;     /* of the verification that met the key last */
    bool used;
};

struct key_table {
    struct arena *arena;
    struct key_entry *entries; /* `capacity` of them, those with `used` count */
    size_t count;
    size_t capacity; /* a power of two */
    unsigned shift;  /* 64 - log2(capacity) */
};

/* An empty table; memory from `arena`. */
void key_table_init(struct key_table *table, struct arena *arena);

/* Makes room for `count` keys in all, so that it need not grow as they come. */
void key_table_reserve(struct key_table *table, size_t count);

/* Asserts the invariants. */
void key_table_check(const struct key_table *table);

/* Where `key` is looked for first. Fibonacci hashing: one multiplication, and runs of neighbouring
 * keys spread evenly. */
static inline size_t key_table_home(const struct key_table *table, int64_t key)
{
    return (size_t)(((uint64_t)key * UINT64_C(0x9e3779b97f4a7c15)) >> table->shift);
}

/* The place of `key`, or the free one where it belongs. Inline, as its callers are: the judge asks
 * twice for every record of the input. */
static inline struct key_entry *key_table_place(const struct key_table *table, int64_t key)
{
    size_t index = key_table_home(table, key);
    struct key_entry *entry = &table->entries[index];
    while (entry->used && entry->key != key) {
        index = (index + 1) & (table->capacity - 1);
        entry = &table->entries[index];
    }
    return entry;
}

/* A hint that `key` will be asked for soon: some keys ahead it hides the time that memory takes. A
 * small table is in the processor's caches anyway. */
static inline void key_table_prefetch(const struct key_table *table, int64_t key)
{
    enum { CAPACITY_SMALL = 4096 };
    if (table->capacity > CAPACITY_SMALL) {
        __builtin_prefetch(&table->entries[key_table_home(table, key)], 1);
    }
}

/* The entry of `key`, or NULL. Borrowed until the next key_table_at. */
static inline struct key_entry *key_table_find(const struct key_table *table, int64_t key)
{
    struct key_entry *entry = key_table_place(table, key);
    return entry->used ? entry : NULL;
}

/* Adds `key`, which is not there. */
struct key_entry *key_table_add(struct key_table *table, int64_t key);

/* The entry of `key`; a new one is zero but for the key. Borrowed until the next call. */
static inline struct key_entry *key_table_at(struct key_table *table, int64_t key)
{
    struct key_entry *entry = key_table_place(table, key);
    return entry->used ? entry : key_table_add(table, key);
}

#endif
