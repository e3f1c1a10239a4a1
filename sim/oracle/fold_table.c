#include "sim/oracle/fold_table.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/hash.h"

enum { SLOTS_MIN = 64 };

void fold_table_init(struct fold_table *table, struct arena *arena)
{
    CHECK(arena != NULL);
    *table = (struct fold_table){ .arena = arena };
}

/* The slot of `key`, or the free one where it belongs. */
static uint32_t *slot_of(const struct fold_table *table, struct bytes key)
{
    CHECK(table->slot_count > table->count);
    size_t index = (size_t)hash_bytes(key) & (table->slot_count - 1);
    while (table->slots[index] != 0 &&
           !bytes_equal(table->entries[table->slots[index] - 1].key, key)) {
        index = (index + 1) & (table->slot_count - 1);
    }
    return &table->slots[index];
}

static void grow(struct fold_table *table)
{
    arena_free(table->arena, table->slots);
    table->slot_count = table->slot_count == 0 ? SLOTS_MIN : 2 * table->slot_count;
    table->slots = arena_alloc(table->arena, table->slot_count, sizeof *table->slots);
    for (size_t i = 0; i < table->count; i++) {
        uint32_t *slot = slot_of(table, table->entries[i].key);
        CHECK(*slot == 0);
        *slot = (uint32_t)i + 1;
    }
}

struct fold_entry *fold_table_find(const struct fold_table *table, struct bytes key)
{
    uint32_t index = table->slot_count == 0 ? 0 : *slot_of(table, key);
    return index == 0 ? NULL : &table->entries[index - 1];
}

struct fold_entry *fold_table_at(struct fold_table *table, struct bytes key)
{
    if (2 * (table->count + 1) > table->slot_count) {
        grow(table);
    }
    uint32_t *slot = slot_of(table, key);
    if (*slot == 0) {
        CHECK(table->count < UINT32_MAX);
        table->entries = arena_grow(table->arena, table->entries, &table->capacity,
                                    table->count + 1, sizeof *table->entries);
        table->entries[table->count++] =
            (struct fold_entry){ .key = bytes_copy(table->arena, key) };
        *slot = (uint32_t)table->count;
    }
    return &table->entries[*slot - 1];
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
        used += table->slots[i] != 0;
        CHECK(table->slots[i] <= table->count);
    }
    CHECK(used == table->count);
}
