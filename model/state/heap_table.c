#include "model/state/heap_table.h"

#include <string.h>

#include "model/base/check.h"

enum {
    BUCKET_COUNT_MIN = 2,
    BUCKET_LIVE_MAX = HEAP_BUCKET_SLOTS * 3 / 4, /* on average: so there is always one with room */
    BLOB_ROUNDING_BYTES = 16,
};

/* A blob of `bytes` with room for `room_bytes` more. */
static struct heap_blob *blob_create(struct arena *arena, struct bytes bytes, size_t room_bytes)
{
    CHECK(bytes.data != NULL);
    CHECK(bytes.size + room_bytes <= UINT32_MAX - BLOB_ROUNDING_BYTES);
    size_t capacity_bytes =
        (bytes.size + room_bytes + BLOB_ROUNDING_BYTES - 1) & ~(size_t)(BLOB_ROUNDING_BYTES - 1);
    struct heap_blob *blob = arena_alloc_raw(arena, sizeof *blob + capacity_bytes);
    *blob = (struct heap_blob){ .size_bytes = (uint32_t)bytes.size,
                                .capacity_bytes = (uint32_t)capacity_bytes,
                                .reference_count = 1 };
    memcpy(blob->data, bytes.data, bytes.size);
    return blob;
}

static void blob_release(struct arena *arena, struct heap_blob *blob)
{
    CHECK(blob->reference_count > 0);
    if (--blob->reference_count == 0) {
        arena_free(arena, blob);
    }
}

void heap_key_init_any(struct heap_key *key, struct bytes bytes)
{
    *key = (struct heap_key){ .bytes = bytes, .size = HEAP_CELL_BLOB };
    if (bytes.size <= HEAP_CELL_INLINE_MAX) {
        key->size = (uint8_t)bytes.size;
        key->word = heap_word(bytes);
        key->hash = heap_word_hash(key->word, bytes.size);
    } else {
        key->hash = (uint32_t)hash_bytes(bytes);
    }
}

void heap_cell_assign_blob(struct arena *arena, union heap_cell *cell, uint8_t *size,
                           struct bytes bytes)
{
    CHECK(bytes.size > HEAP_CELL_INLINE_MAX);
    /* The old block serves again unless it is too small or mostly air. Only keys are shared. */
    CHECK(*size != HEAP_CELL_BLOB || cell->blob->reference_count == 1);
    if (*size == HEAP_CELL_BLOB && bytes.size <= cell->blob->capacity_bytes &&
        cell->blob->capacity_bytes / 4 <= bytes.size) {
        memmove(cell->blob->data, bytes.data, bytes.size);
        cell->blob->size_bytes = (uint32_t)bytes.size;
        return;
    }
    struct heap_blob *blob = blob_create(arena, bytes, 0);
    heap_cell_clear(arena, cell, size);
    cell->blob = blob;
    *size = HEAP_CELL_BLOB;
}

void heap_cell_join(struct arena *arena, union heap_cell *cell, uint8_t *size, struct bytes first,
                    struct bytes more)
{
    CHECK(first.size <= UINT32_MAX / 4 && more.size <= UINT32_MAX / 4);
    size_t size_bytes = first.size + more.size;
    if (*size == HEAP_CELL_BLOB && first.data == cell->blob->data &&
        size_bytes <= cell->blob->capacity_bytes) {
        CHECK(cell->blob->reference_count == 1);
        bytes_put(cell->blob->data + first.size, more.data, more.size);
        cell->blob->size_bytes = (uint32_t)size_bytes;
        return;
    }
    if (size_bytes <= HEAP_CELL_INLINE_MAX) {
        uint8_t joined[HEAP_CELL_INLINE_MAX] = { 0 };
        bytes_put(joined, first.data, first.size);
        bytes_put(joined + first.size, more.data, more.size);
        heap_cell_clear(arena, cell, size);
        cell->word = load_u64(joined);
        *size = (uint8_t)size_bytes;
        return;
    }
    size_t room_bytes = first.size > more.size ? first.size : more.size;
    struct heap_blob *blob =
        first.size > 0 ? blob_create(arena, first, room_bytes) : blob_create(arena, more, 0);
    if (first.size > 0) {
        bytes_put(blob->data + first.size, more.data, more.size);
        blob->size_bytes = (uint32_t)size_bytes;
    }
    heap_cell_clear(arena, cell, size);
    cell->blob = blob;
    *size = HEAP_CELL_BLOB;
}

void heap_cell_clear(struct arena *arena, union heap_cell *cell, uint8_t *size)
{
    CHECK(*size <= HEAP_CELL_ABSENT);
    if (*size == HEAP_CELL_BLOB) {
        blob_release(arena, cell->blob);
    }
    cell->word = 0;
    *size = HEAP_CELL_ABSENT;
}

union heap_cell heap_cell_share(union heap_cell cell, uint8_t size)
{
    CHECK(size != HEAP_CELL_ABSENT);
    if (size == HEAP_CELL_BLOB) {
        CHECK(cell.blob->reference_count > 0);
        cell.blob->reference_count++;
    }
    return cell;
}

static bool is_full(const struct heap_bucket *bucket)
{
    return bucket->entries[HEAP_BUCKET_SLOTS - 1] != 0;
}

/* Without a branch: of the two slots in a lane, each that is empty counts as -1. */
static uint32_t slot_count(const struct heap_bucket *bucket)
{
    heap_lanes used = (heap_lanes)(heap_load_lanes(bucket->entries) == 0) +
                      (heap_lanes)(heap_load_lanes(bucket->entries + 4) == 0) +
                      (heap_lanes){ 2, 2, 2, 2 };
    heap_wide_lanes halves = (heap_wide_lanes)used;
    uint64_t folded = halves[0] + halves[1];
    return (uint32_t)(folded + (folded >> 32));
}

static void bucket_append(struct heap_bucket *bucket, uint32_t hash, uint32_t entry)
{
    uint32_t slot = slot_count(bucket);
    CHECK(slot < HEAP_BUCKET_SLOTS);
    bucket->hashes[slot] = hash;
    bucket->entries[slot] = entry;
}

static void bucket_remove(struct heap_bucket *bucket, uint32_t slot)
{
    uint32_t last = slot_count(bucket) - 1;
    CHECK(slot <= last);
    bucket->hashes[slot] = bucket->hashes[last];
    bucket->entries[slot] = bucket->entries[last];
    bucket->hashes[last] = 0;
    bucket->entries[last] = 0;
}

static bool entry_matches(const struct heap_entry *entry, const struct heap_key *key,
                          uint16_t state)
{
    if (entry->state != state || entry->key_size != key->size) {
        return false;
    }
    if (key->size <= HEAP_CELL_INLINE_MAX) {
        return entry->key.word == key->word;
    }
    return bytes_equal(heap_cell_bytes(&entry->key, entry->key_size), key->bytes);
}

struct heap_place heap_table_search(const struct heap_table *table, const struct heap_key *key,
                                    uint16_t state)
{
    CHECK(table->buckets != NULL);
    uint32_t hash = heap_hash(key, state);
    for (uint32_t at = hash & table->bucket_mask;; at = (at + 1) & table->bucket_mask) {
        const struct heap_bucket *bucket = &table->buckets[at];
        uint32_t count = slot_count(bucket);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t entry = bucket->entries[i];
            CHECK(entry <= table->entry_count);
            if (bucket->hashes[i] == hash &&
                entry_matches(&table->entries[entry - 1], key, state)) {
                return (struct heap_place){ .bucket = at, .entry = entry };
            }
        }
        if (count < HEAP_BUCKET_SLOTS) {
            return (struct heap_place){ .bucket = at };
        }
    }
}

/* The first bucket with room for `hash`. */
static uint32_t bucket_with_room(const struct heap_table *table, uint32_t hash)
{
    uint32_t at = hash & table->bucket_mask;
    while (is_full(&table->buckets[at])) {
        at = (at + 1) & table->bucket_mask;
    }
    return at;
}

/* Files all that `old` has in its index in that of `table`, which is empty. */
static void fill_index(struct heap_table *table, const struct heap_table *old)
{
    uint32_t old_count = old->buckets == NULL ? 0 : old->bucket_mask + 1;
    memset(table->buckets, 0, (table->bucket_mask + (size_t)1) * sizeof *table->buckets);
    for (uint32_t i = 0; i < old_count; i++) {
        const struct heap_bucket *bucket = &old->buckets[i];
        for (uint32_t j = 0; j < slot_count(bucket); j++) {
            uint32_t hash = bucket->hashes[j];
            bucket_append(&table->buckets[bucket_with_room(table, hash)], hash, bucket->entries[j]);
        }
    }
}

static size_t block_count(uint32_t places)
{
    return ((size_t)places + HEAP_BLOCK_PLACES - 1) / HEAP_BLOCK_PLACES;
}

static size_t whole_lines(size_t size_bytes)
{
    return (size_bytes + HEAP_LINE_BYTES - 1) / HEAP_LINE_BYTES * HEAP_LINE_BYTES;
}

/* Gives the table `count` buckets, more than it has, and as many places as those take. What is
 * written all over comes first in the memory, and the slab, which fills from its begin, last: so
 * what is not in use yet is the end, of which the system need not give any. */
static void grow(struct heap_table *table, struct arena *arena, uint32_t count)
{
    CHECK((count & (count - 1)) == 0);
    CHECK(table->buckets == NULL || count > table->bucket_mask + 1);
    CHECK(count <= UINT32_MAX / 2 / BUCKET_LIVE_MAX);
    const struct heap_table old = *table;
    size_t index_bytes = count * sizeof *old.buckets;
    table->live_max = count * BUCKET_LIVE_MAX;
    table->bucket_mask = count - 1;
    size_t versions_bytes = whole_lines(block_count(table->live_max) * sizeof *old.block_versions);
    size_t slab_bytes = table->live_max * sizeof *old.entries;
    table->memory =
        arena_alloc_raw(arena, index_bytes + versions_bytes + slab_bytes + HEAP_LINE_BYTES - 1);
    uint8_t *at = (uint8_t *)whole_lines((uintptr_t)table->memory);
    table->buckets = (struct heap_bucket *)(void *)at;
    table->block_versions = (uint32_t *)(void *)(at + index_bytes);
    table->entries = (struct heap_entry *)(void *)(at + index_bytes + versions_bytes);
    fill_index(table, &old);
    if (old.entry_count > 0) {
        /* The versions of blocks without places are never read. */
        memcpy(table->block_versions, old.block_versions,
               block_count(old.entry_count) * sizeof *old.block_versions);
        memcpy(table->entries, old.entries, old.entry_count * sizeof *old.entries);
    }
    arena_free(arena, old.memory);
}

/* How many buckets `entry_count` entries need. */
static uint32_t buckets_for(const struct heap_table *table, uint64_t entry_count)
{
    uint64_t count = table->buckets == NULL ? BUCKET_COUNT_MIN : (uint64_t)table->bucket_mask + 1;
    while (entry_count > count * BUCKET_LIVE_MAX) {
        count *= 2;
    }
    CHECK(count <= UINT32_MAX / 2);
    return (uint32_t)count;
}

/* Makes the table larger; returns the bucket in which there is room for `hash` then. Apart, so that
 * the short way has no registers to save. */
__attribute__((noinline)) static uint32_t make_room(struct heap_table *table, struct arena *arena,
                                                    uint32_t hash)
{
    grow(table, arena, buckets_for(table, (uint64_t)table->live_count + 1));
    return bucket_with_room(table, hash);
}

/* A free place in the slab. A new one starts without version and history. */
static inline uint32_t take_place(struct heap_table *table)
{
    if (table->free_first != 0) {
        uint32_t number = table->free_first - 1;
        CHECK(table->entries[number].value_size == HEAP_CELL_ABSENT);
        table->free_first = table->entries[number].free_next;
        return number;
    }
    CHECK(table->entry_count < table->live_max);
    table->entries[table->entry_count] =
        (struct heap_entry){ .key_size = HEAP_CELL_ABSENT, .value_size = HEAP_CELL_ABSENT };
    return table->entry_count++;
}

/* Adds the entry of a key that was not found, where it would have been. */
__attribute__((always_inline)) static inline uint32_t insert(struct heap_table *table,
                                                             struct arena *arena,
                                                             const struct heap_key *key,
                                                             uint16_t state, uint32_t *bucket)
{
    uint32_t hash = heap_hash(key, state);
    if (table->live_count == table->live_max) {
        *bucket = make_room(table, arena, hash);
    }
    uint32_t number = take_place(table);
    struct heap_entry *entry = &table->entries[number];
    entry->state = state;
    entry->free_next = 0;
    bucket_append(&table->buckets[*bucket], hash, number + 1);
    table->live_count++;
    if (key->size == HEAP_CELL_BLOB) {
        heap_cell_assign_blob(arena, &entry->key, &entry->key_size, key->bytes);
    } else {
        entry->key.word = key->word;
        entry->key_size = key->size;
    }
    return number;
}

void heap_table_insert(struct heap_table *table, struct arena *arena, const struct heap_key *key,
                       uint16_t state, struct heap_place *place)
{
    CHECK(place->entry == 0);
    place->entry = insert(table, arena, key, state, &place->bucket) + 1;
}

bool heap_table_add(struct heap_table *table, struct arena *arena, const struct heap_key *key,
                    uint16_t state, uint32_t *number)
{
    struct heap_place place = heap_table_find(table, key, state);
    if (place.entry != 0) {
        return false;
    }
    *number = insert(table, arena, key, state, &place.bucket);
    return true;
}

/* The bucket for an entry of `hash`, and its slot in it; NULL if the entry is there already. */
static struct heap_bucket *bucket_for(const struct heap_table *table,
                                      const struct heap_words *words, uint32_t hash, uint32_t *slot)
{
    struct heap_bucket *bucket = &table->buckets[hash & table->bucket_mask];
    *slot = slot_count(bucket);
    if (*slot < HEAP_BUCKET_SLOTS && heap_bucket_entry(bucket, hash) == 0) {
        return bucket;
    }
    const struct heap_key key = { .word = words->key,
                                  .hash = words->hash,
                                  .size = HEAP_CELL_INLINE_MAX };
    struct heap_place place = heap_table_search(table, &key, words->state);
    bucket = &table->buckets[place.bucket];
    *slot = slot_count(bucket);
    return place.entry == 0 ? bucket : NULL;
}

/* The same as heap_table_add for each, but with one look at the bucket, and with no question about
 * what is known of all of them: most of a restore is nothing else. */
bool heap_table_add_words(struct heap_table *table, struct arena *arena, uint32_t version,
                          const struct heap_words *words, uint32_t count)
{
    heap_table_reserve(table, arena, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t hash = words[i].hash + words[i].state; /* heap_hash */
        uint32_t slot;
        struct heap_bucket *bucket = bucket_for(table, &words[i], hash, &slot);
        if (bucket == NULL) {
            return false;
        }
        uint32_t number = take_place(table);
        struct heap_entry *entry = &table->entries[number];
        entry->key.word = words[i].key;
        entry->value.word = words[i].value;
        entry->free_next = 0;
        entry->state = words[i].state;
        entry->key_size = HEAP_CELL_INLINE_MAX;
        entry->value_size = HEAP_CELL_INLINE_MAX;
        heap_table_set_version(table, number, version);
        bucket->hashes[slot] = hash;
        bucket->entries[slot] = number + 1;
        table->live_count++;
    }
    return true;
}

void heap_table_reserve(struct heap_table *table, struct arena *arena, uint32_t count)
{
    uint32_t bucket_count = buckets_for(table, (uint64_t)table->live_count + count);
    if (count > 0 && (table->buckets == NULL || bucket_count > table->bucket_mask + 1)) {
        grow(table, arena, bucket_count);
    }
}

/* Finds behind the bucket `to` a slot that wanted to be there or further ahead and found no room;
 * false if there is none. */
static bool find_overflow(const struct heap_table *table, uint32_t to, uint32_t *from,
                          uint32_t *slot)
{
    uint32_t mask = table->bucket_mask;
    for (*from = (to + 1) & mask; *from != to; *from = (*from + 1) & mask) {
        const struct heap_bucket *bucket = &table->buckets[*from];
        for (*slot = 0; *slot < slot_count(bucket); (*slot)++) {
            if (((*from - bucket->hashes[*slot]) & mask) >= ((*from - to) & mask)) {
                return true;
            }
        }
        if (!is_full(bucket)) {
            return false;
        }
    }
    return false;
}

/* Takes an entry out of the index. An entry further on moves into the gap of a full bucket, for a
 * search ends at the first bucket that is not full. */
static void erase_slot(struct heap_table *table, struct heap_place place)
{
    struct heap_bucket *bucket = &table->buckets[place.bucket];
    uint32_t slot = 0;
    while (bucket->entries[slot] != place.entry) {
        slot++;
        CHECK(slot < HEAP_BUCKET_SLOTS);
    }
    bool was_full = is_full(bucket);
    bucket_remove(bucket, slot);
    uint32_t to = place.bucket;
    uint32_t from;
    while (was_full && find_overflow(table, to, &from, &slot)) {
        bucket = &table->buckets[from];
        was_full = is_full(bucket);
        bucket_append(&table->buckets[to], bucket->hashes[slot], bucket->entries[slot]);
        bucket_remove(bucket, slot);
        to = from;
    }
}

void heap_table_erase(struct heap_table *table, struct arena *arena, struct heap_place place)
{
    CHECK(place.entry != 0);
    CHECK(place.entry <= table->entry_count);
    CHECK(table->live_count > 0);
    struct heap_entry *entry = &table->entries[place.entry - 1];
    erase_slot(table, place);
    heap_cell_clear(arena, &entry->key, &entry->key_size);
    heap_cell_clear(arena, &entry->value, &entry->value_size);
    entry->free_next = table->free_first;
    table->free_first = place.entry;
    table->live_count--;
}

void heap_table_free(struct heap_table *table, struct arena *arena)
{
    CHECK(table->live_count <= table->entry_count);
    for (uint32_t i = 0; i < table->entry_count; i++) {
        struct heap_entry *entry = &table->entries[i];
        heap_cell_clear(arena, &entry->key, &entry->key_size);
        heap_cell_clear(arena, &entry->value, &entry->value_size);
    }
    arena_free(arena, table->memory);
    *table = (struct heap_table){ 0 };
}

void heap_table_check(const struct heap_table *table)
{
    CHECK(table->live_count <= table->entry_count);
    CHECK(table->entry_count <= table->live_max);
    uint32_t free_count = 0;
    for (uint32_t free = table->free_first; free != 0; free_count++) {
        CHECK(free <= table->entry_count);
        CHECK(table->entries[free - 1].value_size == HEAP_CELL_ABSENT);
        free = table->entries[free - 1].free_next;
    }
    CHECK(free_count + table->live_count == table->entry_count);
    for (uint32_t i = 0; i < table->entry_count; i++) {
        const struct heap_entry *entry = &table->entries[i];
        CHECK(entry->version <= table->block_versions[i / HEAP_BLOCK_PLACES]);
        if (entry->value_size != HEAP_CELL_ABSENT) {
            struct heap_key key;
            heap_key_init(&key, heap_cell_bytes(&entry->key, entry->key_size));
            CHECK(heap_table_find(table, &key, entry->state).entry == i + 1);
            CHECK(heap_table_search(table, &key, entry->state).entry == i + 1);
        }
    }
    uint32_t filled_count = 0;
    for (uint32_t i = 0; table->buckets != NULL && i <= table->bucket_mask; i++) {
        filled_count += slot_count(&table->buckets[i]);
    }
    CHECK(filled_count == table->live_count);
    CHECK(table->live_count <= table->live_max);
}
