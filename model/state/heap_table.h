/* heap_table.h - the entries of one key group of the heap backend: a slab and a hash index.
 *
 * An entry has a fixed place in the slab from its insertion to its removal; new ones go to the
 * place freed last, or else to the end: places depend on nothing but the order of insertions and
 * removals. Keys and values of up to 8 bytes stand in the entry, longer ones in blocks of their
 * own. The index is open-addressed by buckets of one cache line; it holds each entry's hash, so
 * that a lookup touches one line of the index and the right entry. Both grow together: a freed
 * place is taken again before a new one, so there are never more places than entries fit the index.
 *
 * Versions and history belong to the backend: a place keeps them when its entry is removed. */
#ifndef FAULTLINE_STATE_HEAP_TABLE_H
#define FAULTLINE_STATE_HEAP_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/base/hash.h"

/* A run of bytes too long for a cell. */
struct heap_blob {
    uint32_t size_bytes;
    uint32_t capacity_bytes;
    uint32_t reference_count;
    uint8_t data[];
};

/* What the size beside a cell means: 0..8 bytes inline, or one of these. */
enum { HEAP_CELL_INLINE_MAX = 8, HEAP_CELL_BLOB = 9, HEAP_CELL_ABSENT = 10 };

union heap_cell {
    uint64_t word; /* inline bytes, zero behind the last */
    uint8_t bytes[HEAP_CELL_INLINE_MAX];
    struct heap_blob *blob;
};

/* One place of the slab; two fill a cache line. */
struct heap_entry {
    union heap_cell key;
    union heap_cell value;
    uint32_t version;   /* the epoch in which the content was last changed */
    uint32_t history;   /* newest kept older content: record number + 1, or 0 */
    uint32_t free_next; /* of a free place: the next one + 1, or 0 */
    uint16_t state;
    uint8_t key_size;
    uint8_t value_size; /* HEAP_CELL_ABSENT: the place is free */
};
_Static_assert(sizeof(struct heap_entry) == 32, "two entries fill a cache line");

enum { HEAP_BUCKET_SLOTS = 8, HEAP_LINE_BYTES = 64 };

/* One cache line of the index. The slots in use come first. An entry stands in the bucket its hash
 * asks for, or else in the first one behind it that had room. */
struct heap_bucket {
    uint32_t hashes[HEAP_BUCKET_SLOTS];
    uint32_t entries[HEAP_BUCKET_SLOTS]; /* number + 1; 0: the slot is empty */
};
_Static_assert(sizeof(struct heap_bucket) == HEAP_LINE_BYTES, "a lookup reads one cache line");

enum { HEAP_BLOCK_PLACES = 64 };

struct heap_table {
    struct heap_bucket *buckets; /* NULL until the first insertion */
    uint32_t *block_versions;    /* per HEAP_BLOCK_PLACES places the newest of their versions */
    struct heap_entry *entries;
    void *memory;         /* of all three: buckets and entries start at cache lines */
    uint32_t entry_count; /* places in use or free */
    uint32_t live_count;  /* places in use */
    uint32_t free_first;  /* the place freed last + 1, or 0 */
    uint32_t bucket_mask; /* number of buckets - 1 */
    uint32_t live_max;    /* so many entries the table takes before it grows; so many places */
};

/* A key made ready for lookups. */
struct heap_key {
    struct bytes bytes; /* borrowed */
    uint64_t word;      /* the bytes, if there are at most 8 */
    uint32_t hash;
    uint8_t size; /* as beside a cell */
};

/* Where an entry is, or would be inserted. */
struct heap_place {
    uint32_t bucket;
    uint32_t entry; /* number + 1; 0: absent */
};

/* At most 8 bytes as one word. */
static inline uint64_t heap_word(struct bytes bytes)
{
    uint64_t word = 0;
    CHECK(bytes.size <= HEAP_CELL_INLINE_MAX);
    if (bytes.size == HEAP_CELL_INLINE_MAX) {
        return load_u64(bytes.data);
    }
    bytes_put((uint8_t *)&word, bytes.data, bytes.size);
    return word;
}

/* The general case of heap_key_init. */
void heap_key_init_any(struct heap_key *key, struct bytes bytes);

static inline uint32_t heap_word_hash(uint64_t word, size_t size)
{
    return (uint32_t)hash_mix(word + size);
}

static inline void heap_key_init(struct heap_key *key, struct bytes bytes)
{
    if (bytes.size != HEAP_CELL_INLINE_MAX) {
        heap_key_init_any(key, bytes);
        return;
    }
    /* A whole word, as most keys are, takes neither a branch more nor a call. */
    key->bytes = bytes;
    key->word = load_u64(bytes.data);
    key->hash = heap_word_hash(key->word, HEAP_CELL_INLINE_MAX);
    key->size = HEAP_CELL_INLINE_MAX;
}

/* The bytes of a cell; data == NULL if it is absent. Borrowed until the cell changes or moves. */
static inline struct bytes heap_cell_bytes(const union heap_cell *cell, uint8_t size)
{
    if (size <= HEAP_CELL_INLINE_MAX) {
        return (struct bytes){ .data = cell->bytes, .size = size };
    }
    if (size == HEAP_CELL_ABSENT) {
        return (struct bytes){ 0 };
    }
    return (struct bytes){ .data = cell->blob->data, .size = cell->blob->size_bytes };
}

/* The states of one key have neighbouring buckets: adding is all that sets their hashes apart. */
static inline uint32_t heap_hash(const struct heap_key *key, uint16_t state)
{
    return key->hash + state;
}

/* Is it the entry of `state` and of the key of eight bytes that `word` consists of? */
static inline bool heap_entry_is_word(const struct heap_entry *entry, uint64_t word, uint16_t state)
{
    return entry->key.word == word && entry->state == state &&
           entry->key_size == HEAP_CELL_INLINE_MAX;
}

/* Fetches the line of the index in which the entry of a key of `hash` and a state should be. */
static inline void heap_table_foresee(const struct heap_table *table, uint32_t hash)
{
    if (table->buckets != NULL) {
        __builtin_prefetch(&table->buckets[hash & table->bucket_mask], 1);
    }
}

/* The general case of heap_table_find. */
struct heap_place heap_table_search(const struct heap_table *table, const struct heap_key *key,
                                    uint16_t state);

typedef uint32_t heap_lanes __attribute__((vector_size(16)));
typedef uint64_t heap_wide_lanes __attribute__((vector_size(16)));

static inline heap_lanes heap_load_lanes(const uint32_t *at)
{
    heap_lanes lanes;
    __builtin_memcpy(&lanes, at, sizeof lanes);
    return lanes;
}

/* The entry of the slot of `hash`, or 0. If several slots have this hash, nonsense. No branch
 * depends on the slot: so the processor can run ahead to the next lookup while this one waits for
 * memory. */
static inline uint32_t heap_bucket_entry(const struct heap_bucket *bucket, uint32_t hash)
{
    heap_lanes wanted = { hash, hash, hash, hash };
    heap_lanes found = ((heap_lanes)(heap_load_lanes(bucket->hashes) == wanted) &
                        heap_load_lanes(bucket->entries)) |
                       ((heap_lanes)(heap_load_lanes(bucket->hashes + 4) == wanted) &
                        heap_load_lanes(bucket->entries + 4));
    heap_wide_lanes halves = (heap_wide_lanes)found;
    uint64_t folded = halves[0] | halves[1];
    return (uint32_t)(folded | (folded >> 32));
}

/* The entry of (`key`, `state`), or NULL: then heap_table_find may find it yet. Without a call, and
 * it finds nearly every entry that is there. */
static inline struct heap_entry *heap_table_glance(const struct heap_table *table,
                                                   const struct heap_key *key, uint16_t state)
{
    if (table->buckets == NULL) {
        return NULL;
    }
    uint32_t hash = heap_hash(key, state);
    uint32_t number = heap_bucket_entry(&table->buckets[hash & table->bucket_mask], hash) - 1;
    if (number >= table->entry_count) {
        return NULL; /* no slot has the hash, or several */
    }
    struct heap_entry *entry = &table->entries[number];
    bool is_it = entry->key.word == key->word && entry->state == state &&
                 entry->key_size == key->size && key->size <= HEAP_CELL_INLINE_MAX;
    return is_it ? entry : NULL;
}

/* Where the entry of (`key`, `state`) is. Valid until the next insertion or removal. */
static inline struct heap_place heap_table_find(const struct heap_table *table,
                                                const struct heap_key *key, uint16_t state)
{
    if (table->buckets == NULL) {
        return (struct heap_place){ 0 };
    }
    uint32_t hash = heap_hash(key, state);
    uint32_t at = hash & table->bucket_mask;
    const struct heap_bucket *bucket = &table->buckets[at];
    uint32_t entry = heap_bucket_entry(bucket, hash);
    if (entry == 0 && bucket->entries[HEAP_BUCKET_SLOTS - 1] == 0) {
        return (struct heap_place){ .bucket = at }; /* no slot has the hash, and none overflowed */
    }
    if (entry != 0 && entry <= table->entry_count) {
        const struct heap_entry *found = &table->entries[entry - 1];
        if (found->key.word == key->word && found->state == state && found->key_size == key->size &&
            key->size <= HEAP_CELL_INLINE_MAX) {
            return (struct heap_place){ .bucket = at, .entry = entry };
        }
    }
    return heap_table_search(table, key, state);
}

/* Sets the version of the entry at place `number`; versions never fall. */
static inline void heap_table_set_version(struct heap_table *table, uint32_t number,
                                          uint32_t version)
{
    table->entries[number].version = version;
    table->block_versions[number / HEAP_BLOCK_PLACES] = version;
}

/* Adds the entry of (`key`, `state`), which heap_table_find has just found absent at `*place`, and
 * sets `*place` to where it is. Its value is absent until the caller assigns one, which it must do
 * before any other call. */
void heap_table_insert(struct heap_table *table, struct arena *arena, const struct heap_key *key,
                       uint16_t state, struct heap_place *place);

/* The same, with the number of its place, for an entry that is probably absent; false if it is
 * not. */
bool heap_table_add(struct heap_table *table, struct arena *arena, const struct heap_key *key,
                    uint16_t state, uint32_t *number);

/* An entry of a key and a value of 8 bytes. */
struct heap_words {
    uint64_t key;
    uint64_t value;
    uint32_t hash; /* of the key */
    uint16_t state;
};

/* Adds such entries with this version; false if one of them is not absent. */
bool heap_table_add_words(struct heap_table *table, struct arena *arena, uint32_t version,
                          const struct heap_words *words, uint32_t count);

/* Makes room for `count` more entries, so that their insertion moves nothing. */
void heap_table_reserve(struct heap_table *table, struct arena *arena, uint32_t count);

/* Removes the entry at `place` and frees its key and value. */
void heap_table_erase(struct heap_table *table, struct arena *arena, struct heap_place place);

/* Frees the table's memory and empties it. */
void heap_table_free(struct heap_table *table, struct arena *arena);

/* Asserts that slab, index and free places agree. */
void heap_table_check(const struct heap_table *table);

/* Makes a cell, absent or not, hold a copy of `bytes`, which are more than fit inline and may be
 * the cell's own. */
void heap_cell_assign_blob(struct arena *arena, union heap_cell *cell, uint8_t *size,
                           struct bytes bytes);

/* Makes a cell hold the bytes of `first` and `more` one behind the other. `first` may be the cell's
 * own bytes: then they are copied only if there is no room for more, which is made for as many
 * again. */
void heap_cell_join(struct arena *arena, union heap_cell *cell, uint8_t *size, struct bytes first,
                    struct bytes more);

/* Makes a cell absent and frees what only it held. */
void heap_cell_clear(struct arena *arena, union heap_cell *cell, uint8_t *size);

/* Gives an entry a value, of which `word` is the inline form: heap_word, if it is short enough. */
static inline void heap_entry_assign(struct heap_entry *entry, struct arena *arena,
                                     struct bytes value, uint64_t word)
{
    if (value.size > HEAP_CELL_INLINE_MAX) {
        heap_cell_assign_blob(arena, &entry->value, &entry->value_size, value);
        return;
    }
    if (entry->value_size == HEAP_CELL_BLOB) {
        heap_cell_clear(arena, &entry->value, &entry->value_size);
    }
    entry->value.word = word;
    entry->value_size = (uint8_t)value.size;
}

/* A second holder of the same bytes, which neither may change from now on. */
union heap_cell heap_cell_share(union heap_cell cell, uint8_t size);

#endif
