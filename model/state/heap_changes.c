#include "model/state/heap_changes.h"

#include <string.h>

#include "model/base/check.h"

/* Below this many the log is never too long. */
enum { REMOVALS_ALWAYS_KEPT = 1024 };

void heap_changes_init(struct heap_changes *changes, struct arena *arena, uint32_t table_count)
{
    CHECK(table_count > 0);
    *changes = (struct heap_changes){ .table_count = table_count };
    changes->removals = arena_alloc(arena, table_count, sizeof *changes->removals);
}

void heap_changes_free(struct heap_changes *changes, struct arena *arena)
{
    for (uint32_t i = 0; i < changes->table_count; i++) {
        heap_changes_drop(changes, arena, i, UINT32_MAX);
        arena_free(arena, changes->removals[i].items);
    }
    CHECK(changes->removal_count == 0);
    arena_free(arena, changes->removals);
    arena_free(arena, changes->bases.items);
    *changes = (struct heap_changes){ 0 };
}

void heap_changes_note_removal(struct heap_changes *changes, struct arena *arena, uint32_t table,
                               const struct heap_entry *entry, uint32_t epoch, uint64_t entry_count)
{
    CHECK(table < changes->table_count);
    if (changes->bases.count == 0) {
        return; /* nobody will ask */
    }
    if (changes->removal_count >= REMOVALS_ALWAYS_KEPT &&
        changes->removal_count / 2 > entry_count) {
        snapshot_bases_forget_all(&changes->bases);
        return;
    }
    struct heap_removals *removals = &changes->removals[table];
    CHECK(removals->count == 0 || removals->items[removals->count - 1].epoch <= epoch);
    removals->items = arena_grow(arena, removals->items, &removals->capacity,
                                 (size_t)removals->count + 1, sizeof *removals->items);
    removals->items[removals->count++] =
        (struct heap_removal){ .key = heap_cell_share(entry->key, entry->key_size),
                               .epoch = epoch,
                               .state = entry->state,
                               .key_size = entry->key_size };
    changes->removal_count++;
}

void heap_changes_drop(struct heap_changes *changes, struct arena *arena, uint32_t table,
                       uint32_t epoch)
{
    CHECK(table < changes->table_count);
    struct heap_removals *removals = &changes->removals[table];
    uint32_t count = 0;
    while (count < removals->count && removals->items[count].epoch <= epoch) {
        heap_cell_clear(arena, &removals->items[count].key, &removals->items[count].key_size);
        count++;
    }
    removals->count -= count;
    removals->dropped += count;
    changes->removal_count -= count;
    if (count > 0 && removals->count > 0) {
        memmove(removals->items, removals->items + count,
                removals->count * sizeof *removals->items);
    }
}

void heap_changes_check(const struct heap_changes *changes)
{
    uint64_t removal_count = 0;
    for (uint32_t i = 0; i < changes->table_count; i++) {
        removal_count += changes->removals[i].count;
    }
    CHECK(removal_count == changes->removal_count);
}
