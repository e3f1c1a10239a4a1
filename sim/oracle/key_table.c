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

static void grow_to(struct key_table *table, unsigned capacity_log2)
{
    struct key_entry *old = table->entries;
    size_t old_capacity = table->capacity;
    allocate(table, capacity_log2);
    CHECK(table->capacity > old_capacity);
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].used) {
            *key_table_place(table, old[i].key) = old[i];
        }
    }
    arena_free(table->arena, old);
}

void key_table_reserve(struct key_table *table, size_t count)
{
    unsigned capacity_log2 = 64 - table->shift;
    while ((size_t)1 << capacity_log2 < 2 * count) {
        capacity_log2++;
    }
    if ((size_t)1 << capacity_log2 > table->capacity) {
        grow_to(table, capacity_log2);
    }
}

void key_table_check(const struct key_table *table)
{
    size_t used = 0;
    for (size_t i = 0; i < table->capacity; i++) {
        const struct key_entry *entry = &table->entries[i];
        used += entry->used;
        CHECK(!entry->used || key_table_place(table, entry->key) == entry);
        CHECK(entry->folded >= 0 && entry->committed >= 0);
    }
    CHECK(used == table->count);
    CHECK(table->capacity == (size_t)1 << (64 - table->shift));
    CHECK(2 * table->count <= table->capacity);
}

struct key_entry *key_table_add(struct key_table *table, int64_t key)
{
    CHECK(2 * table->count <= table->capacity);
    if (2 * (table->count + 1) > table->capacity) {
        grow_to(table, 64 - table->shift + 1);
    }
    struct key_entry *entry = key_table_place(table, key);
    CHECK(!entry->used);
    table->count++;
    *entry = (struct key_entry){ .key = key, .used = true };
    CHECK(table->count < table->capacity);
    return entry;
}
