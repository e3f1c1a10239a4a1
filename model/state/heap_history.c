#include "model/state/heap_history.h"

#include "model/base/check.h"

static uint32_t take_record(struct heap_history *history, struct arena *arena)
{
    if (history->free_first != 0) {
        uint32_t number = history->free_first - 1;
        const struct heap_record *record = heap_history_at(history, number);
        CHECK(record->epoch_end == 0);
        history->free_first = record->next;
        return number;
    }
    CHECK(history->count < UINT32_MAX);
    if (history->count % HEAP_HISTORY_BLOCK == 0) {
        size_t block = history->count / HEAP_HISTORY_BLOCK;
        history->blocks = arena_grow(arena, history->blocks, &history->block_capacity, block + 1,
                                     sizeof *history->blocks);
        history->blocks[block] =
            arena_alloc_raw(arena, HEAP_HISTORY_BLOCK * sizeof **history->blocks);
    }
    return history->count++;
}

void heap_history_push(struct heap_history *history, struct arena *arena, struct heap_entry *entry,
                       uint32_t number, uint32_t epoch_end)
{
    CHECK(entry->value_size != HEAP_CELL_ABSENT);
    CHECK(entry->version < epoch_end);
    uint32_t record = take_record(history, arena);
    *heap_history_at(history, record) = (struct heap_record){
        .key = heap_cell_share(entry->key, entry->key_size),
        .value = entry->value,
        .epoch_first = entry->version,
        .epoch_end = epoch_end,
        .entry = number,
        .next = entry->history,
        .state = entry->state,
        .key_size = entry->key_size,
        .value_size = entry->value_size,
    };
    entry->history = record + 1;
    entry->value_size = HEAP_CELL_ABSENT;
    history->live_count++;
}

const struct heap_record *heap_history_find(const struct heap_history *history, uint32_t first,
                                            uint32_t epoch)
{
    for (uint32_t at = first; at != 0;) {
        const struct heap_record *record = heap_history_at(history, at - 1);
        CHECK(record->epoch_end != 0);
        if (record->epoch_first <= epoch && epoch < record->epoch_end) {
            return record;
        }
        at = record->next;
    }
    return NULL;
}

void heap_history_drop(struct heap_history *history, struct arena *arena, uint32_t *link)
{
    CHECK(*link != 0);
    CHECK(history->live_count > 0);
    uint32_t number = *link - 1;
    struct heap_record *record = heap_history_at(history, number);
    CHECK(record->epoch_end != 0);
    *link = record->next;
    heap_cell_clear(arena, &record->key, &record->key_size);
    heap_cell_clear(arena, &record->value, &record->value_size);
    record->epoch_end = 0;
    record->next = history->free_first;
    history->free_first = number + 1;
    history->live_count--;
}

void heap_history_free(struct heap_history *history, struct arena *arena)
{
    CHECK(history->live_count <= history->count);
    for (uint32_t i = 0; i < history->count; i++) {
        struct heap_record *record = heap_history_at(history, i);
        if (record->epoch_end != 0) {
            heap_cell_clear(arena, &record->key, &record->key_size);
            heap_cell_clear(arena, &record->value, &record->value_size);
        }
    }
    for (uint32_t i = 0; i < history->count; i += HEAP_HISTORY_BLOCK) {
        arena_free(arena, history->blocks[i / HEAP_HISTORY_BLOCK]);
    }
    arena_free(arena, history->blocks);
    *history = (struct heap_history){ 0 };
}
