#include "model/base/check.h"
#include "model/state/heap_backend.h"
#include "model/state/part_restore.h"

/* Makes the place of an entry of a snapshot current. */
static bool go_to(struct heap_backend *heap, const struct snapshot_entry *entry, state_id state)
{
    struct entry_key at = { .key = entry->key };
    bool is_plain = heap_is_plain(heap, state);
    if (!is_plain && !entry_key_read(&heap->states.states[state], entry->key, &at)) {
        return false;
    }
    backend_set_key(&heap->base, entry->key_group, at.key);
    if (!is_plain) {
        backend_set_namespace(&heap->base, at.name_space);
        backend_set_subkey(&heap->base, at.subkey);
    }
    return true;
}

/* Files an entry, a removal or an append: as if a job did so. */
static enum status restore_any(struct heap_backend *heap, bool is_first,
                               const struct snapshot_entry *entry,
                               const struct state_binding *binding)
{
    struct backend *backend = &heap->base;
    if (!go_to(heap, entry, binding->id)) {
        return STATUS_CORRUPT;
    }
    if (entry->value.data == NULL) {
        backend_remove(backend, binding->id);
        return STATUS_OK;
    }
    bool is_list = heap->states.states[binding->id].kind == STATE_LIST;
    if ((is_first && backend_get(backend, binding->id).data != NULL) ||
        (entry->is_append && !is_list)) {
        return STATUS_CORRUPT;
    }
    struct bytes value = entry->value;
    enum status status = state_table_admit(&heap->states, binding, &value, &heap->scratch);
    if (status == STATUS_OK) {
        (entry->is_append ? backend_append : backend_put)(backend, binding->id, value);
    }
    return status;
}

/* Files an entry of a plain state in a first part: its key is the snapshot's, and there is nothing
 * to be preserved. */
static inline enum status restore_plain(struct heap_backend *heap, struct heap_table *table,
                                        const struct snapshot_entry *entry,
                                        const struct heap_key *key,
                                        const struct state_binding *binding)
{
    struct bytes value = entry->value;
    enum status status = state_table_admit(&heap->states, binding, &value, &heap->scratch);
    if (status != STATUS_OK) {
        return status;
    }
    uint32_t number;
    if (!heap_table_add(table, heap->arena, key, binding->id, &number)) {
        return STATUS_CORRUPT;
    }
    uint64_t word = value.size <= HEAP_CELL_INLINE_MAX ? heap_word(value) : 0;
    heap_entry_assign(&table->entries[number], heap->arena, value, word);
    heap_table_set_version(table, number, heap->epoch);
    heap->entry_count++;
    return STATUS_OK;
}

/* Files entries of one key group in a first part: where each goes is fetched before. */
static enum status restore_run(struct heap_backend *heap, const struct snapshot_entry *entries,
                               uint32_t count, const struct state_binding *bindings)
{
    struct heap_key keys[PART_RESTORE_BATCH];
    struct heap_table *table = heap_table_of(heap, entries->key_group);
    CHECK(count <= PART_RESTORE_BATCH);
    for (uint32_t i = 0; i < count; i++) {
        heap_key_init(&keys[i], entries[i].key);
        heap_table_foresee(table, keys[i].hash);
    }
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        const struct state_binding *binding = &bindings[entries[i].state];
        status = heap_is_plain(heap, binding->id)
                     ? restore_plain(heap, table, &entries[i], &keys[i], binding)
                     : restore_any(heap, true, &entries[i], binding);
    }
    return status;
}

/* Tables that grow step by step move all they hold at each, and memory that is fresh from the
 * system is dear: so a table begins with room for somewhat more than the one before it got. Key
 * groups are shared out by a hash: where there are many keys, the groups have about as many. */
static void reserve_table(struct heap_backend *heap, uint16_t key_group)
{
    struct heap_table *table = heap_table_of(heap, key_group);
    if (table->entry_count == 0 && key_group > heap->range.first) {
        uint32_t before = heap_table_of(heap, (uint16_t)(key_group - 1))->live_count;
        heap_table_reserve(table, heap->arena, before + before / 8);
    }
}

static enum status restore_first(struct heap_backend *heap, const struct snapshot_entry *entries,
                                 uint32_t count, const struct state_binding *bindings)
{
    enum status status = STATUS_OK;
    for (uint32_t first = 0, end = 0; first < count && status == STATUS_OK; first = end) {
        while (end < count && entries[end].key_group == entries[first].key_group) {
            end++;
        }
        reserve_table(heap, entries[first].key_group);
        status = restore_run(heap, &entries[first], end - first, bindings);
    }
    return status;
}

static enum status restore_entries(struct backend *backend, bool is_first,
                                   const struct snapshot_entry *entries, uint32_t count,
                                   const struct state_binding *bindings)
{
    struct heap_backend *heap = heap_of(backend);
    if (is_first) {
        return restore_first(heap, entries, count, bindings);
    }
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        status = restore_any(heap, false, &entries[i], &bindings[entries[i].state]);
    }
    return status;
}

static enum status restore_words(struct backend *backend, const struct snapshot_words *words,
                                 const struct state_binding *bindings)
{
    struct heap_backend *heap = heap_of(backend);
    struct heap_words entries[PART_RESTORE_BATCH];
    struct heap_table *table = heap_table_of(heap, words->key_group);
    CHECK(words->count <= PART_RESTORE_BATCH);
    reserve_table(heap, words->key_group);
    for (uint32_t i = 0; i < words->count; i++) {
        struct snapshot_entry entry = snapshot_words_entry(words, i);
        uint64_t key = heap_word(entry.key);
        entries[i] = (struct heap_words){ .key = key,
                                          .value = heap_word(entry.value),
                                          .hash = heap_word_hash(key, sizeof key),
                                          .state = bindings[entry.state].id };
        heap_table_foresee(table, entries[i].hash);
    }
    if (!heap_table_add_words(table, heap->arena, heap->epoch, entries, words->count)) {
        return STATUS_CORRUPT;
    }
    heap->entry_count += words->count;
    return STATUS_OK;
}

static enum status restore_states(struct backend *backend)
{
    heap_add_states(heap_of(backend));
    return STATUS_OK;
}

enum status heap_restore(struct backend *backend, uint64_t id, struct part_source *const *parts,
                         uint32_t part_count)
{
    struct heap_backend *heap = heap_of(backend);
    CHECK(heap->snapshots == NULL);
    CHECK(heap->epoch < UINT32_MAX);
    bool is_alone = heap->epoch == 1 && heap->entry_count == 0;
    struct part_restore all = { .backend = backend,
                                .states = &heap->states,
                                .range = heap->range,
                                .on_states = restore_states,
                                .on_entries = restore_entries,
                                .on_words = restore_words,
                                .restored = { .id = id, .epoch = heap->epoch } };
    snapshot_bases_forget_all(&heap->changes.bases);
    enum status status = part_restore_all(&all, parts, part_count);
    heap->table = NULL; /* the key was borrowed from the window */
    heap->epoch++;
    if (is_alone && heap->parts_max > 1 && status == STATUS_OK) {
        snapshot_bases_add(&heap->changes.bases, heap->arena, all.restored);
    }
    return status;
}
