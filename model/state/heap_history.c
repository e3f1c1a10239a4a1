#include "model/state/heap_history.h"

#include "model/base/check.h"

static uint32_t take_record(struct heap_history *history, struct arena *arena)
{
    if (history->free_first != 0) {
        uint32_t number = history->free_first - 1;
        CHECK(history->records[number].epoch_end == 0);
        history->free_first = history->records[number].next;
        return number;
    }
    CHECK(history->count < UINT32_MAX);
    history->records = arena_grow(arena, history->records, &history->capacity,
                                  (size_t)history->count + 1, sizeof *history->records);
    return history->count++;
}

void heap_history_push(struct heap_history *history, struct arena *arena, struct heap_entry *entry,
                       uint32_t table, uint32_t number, uint32_t epoch_end)
{
    CHECK(entry->value_size != HEAP_CELL_ABSENT);
    CHECK(entry->version < epoch_end);
    uint32_t record = take_record(history, arena);
    history->records[record] = (struct heap_record){
        .key = heap_cell_share(entry->key, entry->key_size),
        .value = entry->value,
        .epoch_first = entry->version,
        .epoch_end = epoch_end,
        .table = table,
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
        CHECK(at <= history->count);
        const struct heap_record *record = &history->records[at - 1];
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
    struct heap_record *record = &history->records[number];
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
        struct heap_record *record = &history->records[i];
        if (record->epoch_end != 0) {
            heap_cell_clear(arena, &record->key, &record->key_size);
            heap_cell_clear(arena, &record->value, &record->value_size);
        }
    }
    arena_free(arena, history->records);
    *history = (struct heap_history){ 0 };
}
