#include "model/state/backend.h"

#include <string.h>

#include "model/base/check.h"
#include "model/state/heap_backend.h"
#include "model/state/snapshot.h"

static void destroy(struct backend *backend)
{
    struct heap_backend *heap = heap_of(backend);
    struct arena *arena = heap->arena;
    CHECK(arena != NULL);
    while (heap->snapshots != NULL) {
        struct heap_snapshot *snapshot = heap->snapshots;
        heap->snapshots = snapshot->next;
        arena_free(arena, snapshot);
    }
    heap_changes_free(&heap->changes, arena);
    for (uint32_t i = 0; i < heap_table_count(heap); i++) {
        heap_history_free(&heap->histories[i], arena);
        heap_table_free(&heap->tables[i], arena);
    }
    for (uint32_t i = 0; heap->maps != NULL && i < heap_table_count(heap); i++) {
        heap_maps_free(&heap->maps[i], arena);
    }
    state_table_free(&heap->states);
    buffer_free(&heap->name_space);
    buffer_free(&heap->subkey);
    buffer_free(&heap->composite);
    buffer_free(&heap->scratch);
    arena_free(arena, heap->maps);
    arena_free(arena, heap->cursors);
    arena_free(arena, heap->iterations);
    arena_free(arena, heap->histories);
    arena_free(arena, heap->tables);
    arena_free(arena, heap);
}

void heap_add_states(struct heap_backend *heap)
{
    CHECK(heap->turn > 0); /* else the new cursors would pass for known */
    size_t count = heap->states.count;
    if (count == heap->state_count) {
        return;
    }
    heap->cursors = arena_resize(heap->arena, heap->cursors, count * sizeof *heap->cursors);
    heap->iterations =
        arena_resize(heap->arena, heap->iterations, count * sizeof *heap->iterations);
    for (; heap->state_count < count; heap->state_count++) {
        const struct state_descriptor *state = &heap->states.states[heap->state_count];
        heap->all_plain = heap->all_plain && state_is_plain(state);
        heap->cursors[heap->state_count] = (struct cursor){ 0 };
        heap->iterations[heap->state_count] = (struct heap_iteration){ .table = UINT32_MAX };
    }
}

static state_id declare(struct backend *backend, const struct state_descriptor *descriptor)
{
    struct heap_backend *heap = heap_of(backend);
    state_id state = state_table_declare(&heap->states, descriptor);
    heap_add_states(heap);
    CHECK(state == STATE_REFUSED || state < heap->state_count);
    return state;
}

static void set_key(struct backend *backend, uint32_t key_group, struct bytes key)
{
    struct heap_backend *heap = heap_of(backend);
    CHECK(key.data != NULL || key.size == 0);
    heap->table = heap_table_of(heap, key_group);
    heap->turn++;
    heap->is_within = false;
    heap_key_init(&heap->key, key);
}

/* Namespace or subkey are about to change. */
static struct heap_backend *go_within(struct backend *backend)
{
    struct heap_backend *heap = heap_of(backend);
    CHECK(heap->table != NULL);
    heap->turn++;
    if (!heap->is_within) {
        buffer_reset(&heap->name_space);
        buffer_reset(&heap->subkey);
        heap->is_within = true;
    }
    return heap;
}

static void set_namespace(struct backend *backend, struct bytes name_space)
{
    struct heap_backend *heap = go_within(backend);
    buffer_reset(&heap->name_space);
    buffer_append(&heap->name_space, name_space);
}

static void set_subkey(struct backend *backend, struct bytes subkey)
{
    struct heap_backend *heap = go_within(backend);
    buffer_reset(&heap->subkey);
    buffer_append(&heap->subkey, subkey);
}

/* The key of the current entry of a state that is not plain; or, if it is a map, what it begins
 * with. */
static struct heap_key compose(struct heap_backend *heap, state_id state, bool has_subkey)
{
    struct entry_key at = { .key = heap->key.bytes };
    if (heap->is_within) {
        at.name_space = buffer_bytes(&heap->name_space);
        at.subkey = has_subkey ? buffer_bytes(&heap->subkey) : (struct bytes){ 0 };
    }
    buffer_reset(&heap->composite);
    entry_key_write(&heap->composite, &heap->states.states[state], &at);
    struct heap_key key;
    heap_key_init(&key, buffer_bytes(&heap->composite));
    return key;
}

struct heap_key heap_map_prefix(struct heap_backend *heap, state_id state)
{
    CHECK(heap->table != NULL);
    CHECK(state_has_subkey(&heap->states.states[state]));
    return compose(heap, state, false);
}

/* Apart from look_up, so that the plain states' way is short and straight: where two ways meet
 * again, the processor does not run ahead to the next lookup while this one waits for memory. */
__attribute__((noinline)) static void look_up_composite(struct heap_backend *heap, state_id state,
                                                        struct cursor *cursor)
{
    struct heap_key key = compose(heap, state, true);
    cursor->place = heap_table_find(heap->table, &key, state);
    cursor->turn = heap->turn;
}

static inline void look_up(struct heap_backend *heap, state_id state, struct cursor *cursor)
{
    CHECK(heap->table != NULL);
    if (__builtin_expect(!heap_is_plain(heap, state), 0)) {
        look_up_composite(heap, state, cursor);
        return;
    }
    cursor->place = heap_table_find(heap->table, &heap->key, state);
    cursor->turn = heap->turn;
}

/* The cursor of `state`, made known. */
static inline struct cursor *locate(struct heap_backend *heap, state_id state)
{
    CHECK(state < heap->state_count);
    struct cursor *cursor = &heap->cursors[state];
    if (cursor->turn != heap->turn) {
        look_up(heap, state, cursor);
    }
    return cursor;
}

/* Notes where the first state's entry of `key` should be, and fetches it. Its line of the index is
 * on the way. A wrong guess costs nothing but a line of the cache. */
static inline void foresee_entry(const struct heap_table *table, struct backend_key *key)
{
    uint32_t entry =
        table->buckets == NULL
            ? 0
            : heap_bucket_entry(&table->buckets[key->hash & table->bucket_mask], key->hash);
    key->entry = entry <= table->entry_count ? entry : 0;
    if (key->entry != 0) {
        __builtin_prefetch(&table->entries[entry - 1], 1);
    }
}

static void foresee(struct backend *backend, struct backend_key *keys, uint32_t count)
{
    struct heap_backend *heap = heap_of(backend);
    for (uint32_t i = 0; i < count; i++) {
        const struct heap_table *table = heap_table_of(heap, keys[i].key_group);
        struct heap_key key;
        heap_key_init(&key, *keys[i].bytes);
        keys[i].hash = key.hash;
        keys[i].entry = 0;
        heap_table_foresee(table, key.hash);
    }
    heap->foreseen_at = heap->insertion_count;
    if (heap->state_count > 0 && heap_is_plain(heap, 0)) {
        for (uint32_t i = 0; i < count; i++) {
            foresee_entry(heap_table_of(heap, keys[i].key_group), &keys[i]);
        }
    }
}

/* The first state's entry need not be looked up if it is where it was foreseen. */
static void set_foreseen(struct backend *backend, const struct backend_key *key)
{
    struct heap_backend *heap = heap_of(backend);
    struct bytes bytes = *key->bytes;
    if (bytes.size != HEAP_CELL_INLINE_MAX) {
        set_key(backend, key->key_group, bytes);
        return;
    }
    heap->table = heap_table_of(heap, key->key_group);
    heap->turn++;
    heap->is_within = false;
    heap->key = (struct heap_key){ .bytes = bytes,
                                   .word = load_u64(bytes.data),
                                   .hash = key->hash,
                                   .size = HEAP_CELL_INLINE_MAX };
    if (key->entry != 0 && heap->insertion_count == heap->foreseen_at &&
        heap_entry_is_word(&heap->table->entries[key->entry - 1], heap->key.word, 0)) {
        uint32_t bucket = key->hash & heap->table->bucket_mask;
        heap->cursors[0] = (struct cursor){ .turn = heap->turn,
                                            .place = { .bucket = bucket, .entry = key->entry } };
    }
}

static struct bytes get(struct backend *backend, state_id state)
{
    struct heap_backend *heap = heap_of(backend);
    struct heap_place place = locate(heap, state)->place;
    if (place.entry == 0) {
        return (struct bytes){ 0 };
    }
    const struct heap_entry *entry = &heap->table->entries[place.entry - 1];
    return heap_cell_bytes(&entry->value, entry->value_size);
}

/* To be called before the content of an entry changes for the first time in this epoch. */
static void preserve(struct heap_backend *heap, uint32_t table, struct heap_entry *entry)
{
    CHECK(entry->version < heap->epoch);
    uint32_t number = (uint32_t)(entry - heap->tables[table].entries);
    if (heap_snapshot_is_awaited(heap, table, number, entry->version, heap->epoch)) {
        heap_history_push(&heap->histories[table], heap->arena, entry, number, heap->epoch);
    }
    heap_table_set_version(&heap->tables[table], number, heap->epoch);
}

static uint32_t current_table(const struct heap_backend *heap)
{
    return (uint32_t)(heap->table - heap->tables);
}

/* Adds the current entry of a map to its list. */
static void link_entry(struct heap_backend *heap, state_id state, uint32_t number)
{
    if (heap->maps == NULL) {
        heap->maps = arena_alloc(heap->arena, heap_table_count(heap), sizeof *heap->maps);
    }
    struct heap_key prefix = heap_map_prefix(heap, state);
    heap_maps_link(&heap->maps[current_table(heap)], heap->arena,
                   &(struct heap_map){ .table = heap->table, .prefix = &prefix, .state = state },
                   number);
}

static void insert_composite(struct heap_backend *heap, state_id state, struct cursor *cursor)
{
    struct heap_key key = compose(heap, state, true);
    heap_table_insert(heap->table, heap->arena, &key, state, &cursor->place);
    if (state_has_subkey(&heap->states.states[state])) {
        link_entry(heap, state, cursor->place.entry - 1);
    }
}

static struct heap_entry *insert(struct heap_backend *heap, state_id state, struct cursor *cursor)
{
    if (heap_is_plain(heap, state)) {
        heap_table_insert(heap->table, heap->arena, &heap->key, state, &cursor->place);
    } else {
        insert_composite(heap, state, cursor);
    }
    CHECK(cursor->place.entry != 0);
    /* Cursors of this key's other states may name a bucket that has no room any more. */
    cursor->turn = ++heap->turn;
    heap->insertion_count++;
    heap->entry_count++;
    struct heap_entry *entry = &heap->table->entries[cursor->place.entry - 1];
    CHECK(entry->version <= heap->epoch);
    heap_table_set_version(heap->table, cursor->place.entry - 1, heap->epoch);
    return entry;
}

/* The current entry, ready to be changed; its value is absent if it is new or was preserved. */
static struct heap_entry *open_entry(struct heap_backend *heap, state_id state)
{
    struct cursor *cursor = locate(heap, state);
    if (cursor->place.entry == 0) {
        return insert(heap, state, cursor);
    }
    struct heap_entry *entry = &heap->table->entries[cursor->place.entry - 1];
    if (entry->version != heap->epoch) {
        preserve(heap, current_table(heap), entry);
    }
    return entry;
}

/* The general case of put; apart from it, so that the short way has no registers to save. */
__attribute__((noinline)) static void put_any(struct heap_backend *heap, state_id state,
                                              struct bytes value)
{
    CHECK(value.data != NULL || value.size == 0);
    /* Read before anything moves: the value may be one that get has just lent out. */
    uint64_t word = value.size <= HEAP_CELL_INLINE_MAX ? heap_word(value) : 0;
    heap_entry_assign(open_entry(heap, state), heap->arena, value, word);
}

/* The entry of the current key, if it has just been looked up and its value is a word; or NULL. */
static inline struct heap_entry *known_word(const struct heap_backend *heap, state_id state)
{
    CHECK(state < heap->state_count);
    const struct cursor *cursor = &heap->cursors[state];
    if (cursor->turn != heap->turn || cursor->place.entry == 0) {
        return NULL;
    }
    struct heap_entry *entry = &heap->table->entries[cursor->place.entry - 1];
    return entry->value_size == HEAP_CELL_INLINE_MAX ? entry : NULL;
}

/* The first overwriting of a word in this epoch; apart, as put_any is. */
__attribute__((noinline)) static uint64_t overwrite_first(struct heap_backend *heap,
                                                          struct heap_entry *entry, uint64_t word)
{
    preserve(heap, current_table(heap), entry);
    entry->value.word = word;
    entry->value_size = HEAP_CELL_INLINE_MAX;
    return word;
}

/* Gives an entry of the current table that holds a word another one, which it returns. */
static inline uint64_t overwrite(struct heap_backend *heap, struct heap_entry *entry, uint64_t word)
{
    return entry->version == heap->epoch ? (entry->value.word = word)
                                         : overwrite_first(heap, entry, word);
}

static void put(struct backend *backend, state_id state, struct bytes value)
{
    struct heap_backend *heap = heap_of(backend);
    struct heap_entry *entry = known_word(heap, state);
    if (entry != NULL && value.size == HEAP_CELL_INLINE_MAX) {
        (void)overwrite(heap, entry, load_u64(value.data));
        return; /* a counter that was read before it is written: nearly every put */
    }
    put_any(heap, state, value);
}

/* The general case of add. */
__attribute__((noinline)) static uint64_t add_any(struct heap_backend *heap, state_id state,
                                                  uint64_t amount)
{
    struct bytes before = get(&heap->base, state);
    CHECK(before.data == NULL || before.size == sizeof amount);
    uint64_t sum = amount + (before.data == NULL ? 0 : load_u64(before.data));
    struct heap_entry *entry = open_entry(heap, state);
    entry->value.word = sum;
    entry->value_size = sizeof sum;
    return sum;
}

static uint64_t add(struct backend *backend, state_id state, uint64_t amount)
{
    struct heap_backend *heap = heap_of(backend);
    CHECK(state < heap->state_count && heap->table != NULL);
    struct heap_entry *entry = NULL;
    if (heap->cursors[state].turn == heap->turn) {
        entry = known_word(heap, state);
    } else if (heap_is_plain(heap, state)) {
        entry = heap_table_glance(heap->table, &heap->key, state);
    }
    /* The cursor stays as it is: what adds seldom reads the same entry once more. */
    return entry != NULL && entry->value_size == HEAP_CELL_INLINE_MAX
               ? overwrite(heap, entry, entry->value.word + amount)
               : add_any(heap, state, amount);
}

static void append(struct backend *backend, state_id state, struct bytes more)
{
    struct heap_backend *heap = heap_of(backend);
    CHECK(state < heap->state_count && heap->states.states[state].kind == STATE_LIST);
    CHECK(more.data != NULL || more.size == 0);
    bool is_new = locate(heap, state)->place.entry == 0;
    struct heap_entry *entry = open_entry(heap, state);
    struct bytes before = heap_cell_bytes(&entry->value, entry->value_size);
    if (before.data == NULL && !is_new) { /* it has just been preserved */
        CHECK(entry->history != 0);
        const struct heap_history *history = &heap->histories[current_table(heap)];
        const struct heap_record *kept = heap_history_at(history, entry->history - 1);
        before = heap_cell_bytes(&kept->value, kept->value_size);
    }
    heap_cell_join(heap->arena, &entry->value, &entry->value_size, before, more);
}

/* Takes the entry out of its map, and an iteration that would come to it next past it. */
static void unlink_entry(struct heap_backend *heap, uint32_t table, state_id state, uint32_t number)
{
    struct heap_entry *entry = &heap->tables[table].entries[number];
    struct heap_key prefix;
    heap_key_init(&prefix, entry_key_prefix(&heap->states.states[state],
                                            heap_cell_bytes(&entry->key, entry->key_size)));
    uint32_t next = heap_maps_unlink(
        &heap->maps[table], heap->arena,
        &(struct heap_map){ .table = &heap->tables[table], .prefix = &prefix, .state = state },
        number);
    struct heap_iteration *iteration = &heap->iterations[state];
    if (iteration->scope == SCOPE_MAP && iteration->table == table &&
        iteration->next == number + 1) {
        iteration->next = next;
    }
}

static void remove_place(struct heap_backend *heap, uint32_t table, struct heap_place place)
{
    struct heap_entry *entry = &heap->tables[table].entries[place.entry - 1];
    if (state_has_subkey(&heap->states.states[entry->state])) {
        unlink_entry(heap, table, entry->state, place.entry - 1);
    }
    heap_changes_note_removal(&heap->changes, heap->arena, table, entry, heap->epoch,
                              heap->entry_count);
    if (entry->version != heap->epoch) {
        preserve(heap, table, entry);
    }
    heap_table_erase(&heap->tables[table], heap->arena, place);
    CHECK(heap->entry_count > 0);
    heap->entry_count--;
    heap->turn++; /* buckets have changed */
}

static void remove_entry(struct backend *backend, state_id state)
{
    struct heap_backend *heap = heap_of(backend);
    struct heap_place place = locate(heap, state)->place;
    if (place.entry != 0) {
        remove_place(heap, current_table(heap), place);
    }
}

void heap_remove_at(struct heap_backend *heap, uint32_t table, uint32_t number)
{
    const struct heap_entry *entry = &heap->tables[table].entries[number];
    CHECK(entry->value_size != HEAP_CELL_ABSENT);
    struct heap_key key;
    heap_key_init(&key, heap_cell_bytes(&entry->key, entry->key_size));
    struct heap_place place = heap_table_find(&heap->tables[table], &key, entry->state);
    CHECK(place.entry == number + 1);
    remove_place(heap, table, place);
}

void heap_put_at(struct heap_backend *heap, uint32_t table, uint32_t number, struct bytes value)
{
    struct heap_entry *entry = &heap->tables[table].entries[number];
    CHECK(entry->value_size != HEAP_CELL_ABSENT);
    if (entry->version != heap->epoch) {
        preserve(heap, table, entry);
    }
    uint64_t word = value.size <= HEAP_CELL_INLINE_MAX ? heap_word(value) : 0;
    heap_entry_assign(entry, heap->arena, value, word);
}

static uint64_t entry_count(const struct backend *backend)
{
    return heap_of_const(backend)->entry_count;
}

static struct bytes refusal(const struct backend *backend)
{
    return buffer_bytes(&heap_of_const(backend)->states.refusal);
}

const struct backend_ops heap_backend_ops = {
    .destroy = destroy,
    .declare = declare,
    .set_key = set_key,
    .foresee = foresee,
    .set_foreseen = set_foreseen,
    .set_namespace = set_namespace,
    .set_subkey = set_subkey,
    .get = get,
    .put = put,
    .add = add,
    .append = append,
    .remove = remove_entry,
    .iterate = heap_iterate,
    .next = heap_next,
    .expire = heap_expire,
    .refusal = refusal,
    .snapshot_begin = heap_snapshot_begin,
    .snapshot_keeps = heap_snapshot_keeps,
    .snapshot_step = heap_snapshot_step,
    .snapshot_end = heap_snapshot_end,
    .restore = heap_restore,
    .entry_count = entry_count,
};

struct backend *backend_heap_create(struct arena *arena, struct key_group_range range,
                                    uint32_t parts_max)
{
    CHECK(parts_max > 0);
    CHECK(range.first <= range.last);
    CHECK(range.last < KEY_GROUP_COUNT_MAX);
    struct heap_backend *heap = arena_alloc(arena, 1, sizeof *heap);
    heap->base.ops = &heap_backend_ops;
    heap->arena = arena;
    heap->range = range;
    heap->parts_max = parts_max;
    heap->tables = arena_alloc(arena, heap_table_count(heap), sizeof *heap->tables);
    heap->histories = arena_alloc(arena, heap_table_count(heap), sizeof *heap->histories);
    heap_changes_init(&heap->changes, arena, heap_table_count(heap));
    state_table_init(&heap->states, arena);
    buffer_init(&heap->name_space, arena);
    buffer_init(&heap->subkey, arena);
    buffer_init(&heap->composite, arena);
    buffer_init(&heap->scratch, arena);
    heap->all_plain = true;
    heap->turn = 1;
    heap->epoch = 1;
    return &heap->base;
}

static uint64_t map_entry_count(const struct heap_backend *heap, const struct heap_table *table)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < table->entry_count; i++) {
        const struct heap_entry *entry = &table->entries[i];
        count += entry->value_size != HEAP_CELL_ABSENT &&
                 state_has_subkey(&heap->states.states[entry->state]);
    }
    return count;
}

static void check_history(const struct heap_backend *heap, uint32_t table)
{
    const struct heap_history *history = &heap->histories[table];
    uint32_t record_count = 0;
    for (uint32_t i = 0; i < history->count; i++) {
        const struct heap_record *record = heap_history_at(history, i);
        if (record->epoch_end != 0) {
            record_count++;
            CHECK(heap->sweep_tables_left > 0 ||
                  heap_snapshot_is_awaited(heap, table, record->entry, record->epoch_first,
                                           record->epoch_end));
        }
    }
    CHECK(record_count == history->live_count);
}

void backend_heap_check(const struct backend *backend)
{
    const struct heap_backend *heap = heap_of_const(backend);
    uint64_t live_count = 0;
    for (uint32_t i = 0; i < heap_table_count(heap); i++) {
        heap_table_check(&heap->tables[i]);
        live_count += heap->tables[i].live_count;
        if (heap->maps != NULL) {
            CHECK(heap_maps_check(&heap->maps[i], &heap->tables[i]) ==
                  map_entry_count(heap, &heap->tables[i]));
        }
        check_history(heap, i);
    }
    CHECK(live_count == heap->entry_count);
    heap_changes_check(&heap->changes);
}
