#include "model/state/heap_backend.h"
#include "model/state/ttl.h"

void heap_iterate(struct backend *backend, state_id state, enum backend_scope scope)
{
    struct heap_backend *heap = heap_of(backend);
    CHECK(state < heap->state_count);
    struct heap_iteration *iteration = &heap->iterations[state];
    *iteration = (struct heap_iteration){ .scope = scope };
    if (scope == SCOPE_STATE) {
        return;
    }
    CHECK(heap->table != NULL);
    struct heap_key prefix = heap_map_prefix(heap, state);
    iteration->table = (uint32_t)(heap->table - heap->tables);
    if (heap->maps != NULL) {
        iteration->next = heap_maps_first(
            &heap->maps[iteration->table],
            &(struct heap_map){ .table = heap->table, .prefix = &prefix, .state = state });
    }
}

/* The entry `number` of the iteration's table. */
static void tell(const struct heap_backend *heap, const struct heap_iteration *iteration,
                 uint32_t number, struct backend_entry *entry)
{
    const struct heap_entry *found = &heap->tables[iteration->table].entries[number];
    CHECK(found->value_size != HEAP_CELL_ABSENT);
    entry->key_group = heap->range.first + iteration->table;
    entry->value = heap_cell_bytes(&found->value, found->value_size);
    bool is_sound = entry_key_read(&heap->states.states[found->state],
                                   heap_cell_bytes(&found->key, found->key_size), &entry->at);
    CHECK(is_sound);
}

static bool next_of_state(const struct heap_backend *heap, state_id state,
                          struct heap_iteration *iteration, struct backend_entry *entry)
{
    for (; iteration->table < heap_table_count(heap); iteration->table++, iteration->next = 0) {
        const struct heap_table *table = &heap->tables[iteration->table];
        while (iteration->next < table->entry_count) {
            uint32_t number = iteration->next++;
            if (table->entries[number].value_size != HEAP_CELL_ABSENT &&
                table->entries[number].state == state) {
                tell(heap, iteration, number, entry);
                return true;
            }
        }
    }
    return false;
}

bool heap_next(struct backend *backend, state_id state, struct backend_entry *entry)
{
    struct heap_backend *heap = heap_of(backend);
    CHECK(state < heap->state_count);
    struct heap_iteration *iteration = &heap->iterations[state];
    CHECK(iteration->table != UINT32_MAX); /* it was begun */
    if (iteration->scope == SCOPE_STATE) {
        return next_of_state(heap, state, iteration, entry);
    }
    if (iteration->next == 0) {
        return false;
    }
    uint32_t number = iteration->next - 1;
    /* Read now: the caller may remove this entry. */
    iteration->next = heap_maps_next(&heap->maps[iteration->table], number);
    tell(heap, iteration, number, entry);
    return true;
}

/* Drops the entry, or part of its value, if its time is over. */
static void expire_entry(struct heap_backend *heap, uint32_t table, uint32_t number)
{
    const struct heap_entry *entry = &heap->tables[table].entries[number];
    if (entry->value_size == HEAP_CELL_ABSENT || heap->states.states[entry->state].ttl_ns == 0) {
        return;
    }
    buffer_reset(&heap->scratch);
    enum ttl_verdict verdict = ttl_judge(&heap->states.states[entry->state],
                                         heap_cell_bytes(&entry->value, entry->value_size),
                                         heap->base.now_ns, &heap->scratch);
    if (verdict == TTL_KEEP) {
        return;
    }
    struct bytes left = verdict == TTL_DROP ? (struct bytes){ 0 } : buffer_bytes(&heap->scratch);
    backend_tell_expired(&heap->base, entry->state, heap->range.first + table,
                         heap_cell_bytes(&entry->key, entry->key_size), left);
    if (verdict == TTL_DROP) {
        heap_remove_at(heap, table, number);
    } else {
        heap_put_at(heap, table, number, left);
    }
}

void heap_expire(struct backend *backend, uint32_t count)
{
    struct heap_backend *heap = heap_of(backend);
    for (uint32_t i = 0; i < count; i++) {
        const struct heap_table *table = &heap->tables[heap->expire_table];
        if (heap->expire_entry < table->entry_count) {
            expire_entry(heap, heap->expire_table, heap->expire_entry++);
        } else {
            heap->expire_table = (heap->expire_table + 1) % heap_table_count(heap);
            heap->expire_entry = 0;
        }
    }
}
