#include "sim/oracle/key_table.h"

#include "model/base/check.h"

enum { FIRST_CAPACITY_LOG2 = 4 };

static void allocate(struct key_table *table, unsigned capacity_log2)
{
    CHECK(capacity_log2 < 48);
    table->capacity = (size_t)1 << capacity_log2;
    table->shift = 64 - capacity_log2;
    table->entries = arena_alloc(table->arena, table->capacity, sizeof *table->entries);
}

void key_table_init(struct key_table *table, struct arena *arena)
{
    CHECK(arena != NULL);
    *table = (struct key_table){ .arena = arena };
    allocate(table, FIRST_CAPACITY_LOG2);
}

/* The place of `key`, or the free one where it belongs. Fibonacci hashing: one multiplication, and
 * runs of neighbouring keys spread evenly. */
static inline struct key_entry *place_of(const struct key_table *table, int64_t key)
{
    size_t index = (size_t)(((uint64_t)key * UINT64_C(0x9e3779b97f4a7c15)) >> table->shift);
    struct key_entry *entry = &table->entries[index];
    while (entry->used && entry->key != key) {
        index = (index + 1) & (table->capacity - 1);
        entry = &table->entries[index];
    }
    return entry;
}

static void grow(struct key_table *table)
{
    struct key_entry *old = table->entries;
    size_t old_capacity = table->capacity;
    allocate(table, 64 - table->shift + 1);
    CHECK(table->capacity == 2 * old_capacity);
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].used) {
            *place_of(table, old[i].key) = old[i];
        }
    }
    arena_free(table->arena, old);
}

void key_table_check(const struct key_table *table)
{
    size_t used = 0;
    for (size_t i = 0; i < table->capacity; i++) {
        const struct key_entry *entry = &table->entries[i];
        used += entry->used;
        CHECK(!entry->used || place_of(table, entry->key) == entry);
        CHECK(entry->folded >= 0 && entry->committed >= 0);
    }
    CHECK(used == table->count);
    CHECK(table->capacity == (size_t)1 << (64 - table->shift));
    CHECK(2 * table->count <= table->capacity);
}

struct key_entry *key_table_find(const struct key_table *table, int64_t key)
{
    struct key_entry *entry = place_of(table, key);
    return entry->used ? entry : NULL;
}

struct key_entry *key_table_at(struct key_table *table, int64_t key)
{
    struct key_entry *entry = place_of(table, key);
    if (entry->used) {
        return entry;
    }
    CHECK(2 * table->count <= table->capacity);
    if (2 * (table->count + 1) > table->capacity) {
        grow(table);
        entry = place_of(table, key);
        CHECK(!entry->used);
    }
    table->count++;
    *entry = (struct key_entry){ .key = key, .used = true };
    CHECK(table->count < table->capacity);
    return entry;
}
