#include "sim/oracle/fold_table.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/hash.h"

enum {
    FIRST_SLOTS_LOG2 = 6,
    HASH_BITS = 32,
    SLOTS_LARGE = 16384, /* from so many on the processor's caches may not have them */
};

void fold_table_init(struct fold_table *table, struct arena *arena)
{
    CHECK(arena != NULL);
    *table = (struct fold_table){ .arena = arena, .shift = HASH_BITS };
}

static uint32_t hash_of(struct bytes key)
{
    return (uint32_t)hash_bytes(key);
}

static bool is_key(const struct fold_entry *entry, struct bytes key)
{
    return bytes_equal(fold_entry_key(entry), key);
}

/* The slot of `key`, or the free one where it belongs. */
static struct fold_slot *slot_of(const struct fold_table *table, struct bytes key, uint32_t hash)
{
    CHECK(table->slot_count > table->count);
    size_t index = hash >> table->shift;
    const struct fold_slot *slot = &table->slots[index];
    while (slot->place != 0 &&
           (slot->hash != hash || !is_key(&table->entries[slot->place - 1], key))) {
        index = (index + 1) & (table->slot_count - 1);
        slot = &table->slots[index];
    }
    return &table->slots[index];
}

static void grow(struct fold_table *table)
{
    struct fold_slot *old = table->slots;
    size_t old_count = table->slot_count;
    CHECK(table->shift > 0);
    table->shift = old == NULL ? HASH_BITS - FIRST_SLOTS_LOG2 : table->shift - 1;
    table->slot_count = (size_t)1 << (HASH_BITS - table->shift);
    table->slots = arena_alloc(table->arena, table->slot_count, sizeof *table->slots);
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].place == 0) {
            continue;
        }
        size_t index = old[i].hash >> table->shift;
        while (table->slots[index].place != 0) {
            index = (index + 1) & (table->slot_count - 1);
        }
        table->slots[index] = old[i];
    }
    arena_free(table->arena, old);
}

struct fold_entry *fold_table_find(const struct fold_table *table, struct bytes key)
{
    uint32_t place = table->slot_count == 0 ? 0 : slot_of(table, key, hash_of(key))->place;
    return place == 0 ? NULL : &table->entries[place - 1];
}

static void init(const struct fold_table *table, struct fold_entry *entry, struct bytes key)
{
    CHECK(key.size <= INT32_MAX);
    *entry = (struct fold_entry){ .key_size = (uint32_t)key.size & INT32_MAX };
    if (key.size <= FOLD_NEAR_BYTES) {
        bytes_put(entry->key.near, key.data, key.size);
    } else {
        entry->key.far = bytes_copy(table->arena, key).data;
    }
}

struct fold_entry *fold_table_at(struct fold_table *table, struct bytes key)
{
    if (2 * (table->count + 1) > table->slot_count) {
        grow(table);
    }
    uint32_t hash = hash_of(key);
    struct fold_slot *slot = slot_of(table, key, hash);
    if (slot->place == 0) {
        table->entries = arena_grow(table->arena, table->entries, &table->capacity,
                                    table->count + 1, sizeof *table->entries);
        init(table, &table->entries[table->count++], key);
        *slot = (struct fold_slot){ .hash = hash, .place = (uint32_t)table->count };
    }
    return &table->entries[slot->place - 1];
}

void fold_table_foresee(const struct fold_table *table, const struct bytes *keys, size_t count)
{
    uint32_t hashes[FOLD_BATCH];
    CHECK(count <= FOLD_BATCH);
    if (table->slot_count < SLOTS_LARGE) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        hashes[i] = hash_of(keys[i]);
        __builtin_prefetch(&table->slots[hashes[i] >> table->shift], 1);
    }
    for (size_t i = 0; i < count; i++) {
        const struct fold_slot *slot = &table->slots[hashes[i] >> table->shift];
        const struct fold_slot *end = &table->slots[table->slot_count];
        while (slot < end && slot->place != 0 && slot->hash != hashes[i]) {
            slot++;
        }
        if (slot < end && slot->place != 0) {
            const struct fold_entry *entry = &table->entries[slot->place - 1];
            __builtin_prefetch(entry, 1);
            __builtin_prefetch(entry->committed, 1);
        }
    }
}

void fold_table_rewind(struct fold_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        memset(table->entries[i].folded, 0, sizeof table->entries[i].folded);
    }
}

void fold_table_check(const struct fold_table *table)
{
    CHECK(2 * table->count <= table->slot_count);
    size_t used = 0;
    for (size_t i = 0; i < table->slot_count; i++) {
        const struct fold_slot *slot = &table->slots[i];
        CHECK(slot->place <= table->count);
        if (slot->place != 0) {
            struct bytes key = fold_entry_key(&table->entries[slot->place - 1]);
            CHECK(slot->hash == hash_of(key) && slot_of(table, key, slot->hash) == slot);
            used++;
        }
    }
    CHECK(used == table->count);
}
