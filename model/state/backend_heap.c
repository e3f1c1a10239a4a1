#include "model/state/backend.h"

#include <string.h>

#include "model/base/check.h"
#include "model/state/heap_history.h"
#include "model/state/heap_table.h"
#include "model/state/snapshot.h"

/* How a snapshot stays frozen: the backend counts epochs, and beginning a snapshot ends one. Every
 * entry knows the epoch of its last change. The first change in a later epoch keeps the old content
 * in a record (heap_history.h), if a snapshot in between is open and has not come past it. A
 * snapshot reads, at each place of each slab, the content of its own epoch. Since only contents are
 * versioned and never the places, the order of a snapshot does not depend on other snapshots. */

struct heap_snapshot {
    struct backend_snapshot base;
    struct heap_snapshot *next;
    uint32_t epoch; /* the last one whose changes are in the snapshot */
    uint16_t state_count;
    bool has_header;
    bool has_trailer;
    uint32_t table; /* the place to be visited next */
    uint32_t entry;
    uint64_t entry_count; /* when it began */
    uint64_t written_count;
};

/* Where the current key's entry of one state is, once it has been looked up. */
struct cursor {
    uint64_t turn; /* known if it equals the backend's */
    struct heap_place place;
};

/* A key that was named by prefetch: its line of the index is on the way. */
struct hint {
    uint32_t table;
    uint32_t hash;
};

enum { HINT_COUNT = 4 };

struct heap_backend {
    struct backend base;
    struct arena *arena;
    struct key_group_range range;
    struct heap_table *tables; /* one per key group of the range */
    const char **names;        /* of the states */
    struct cursor *cursors;    /* one per state */
    uint16_t state_count;
    struct heap_key key;      /* the current one */
    struct heap_table *table; /* of the current key; NULL before the first set_key */
    uint64_t turn;            /* rises when cursors become stale */
    uint32_t epoch;
    uint64_t entry_count;
    struct heap_snapshot *snapshots; /* the open ones */
    struct heap_history history;
    struct hint hints[HINT_COUNT]; /* a ring */
    uint32_t hint_next;
};

static const struct backend_ops heap_ops;

static struct heap_backend *heap_of(struct backend *backend)
{
    CHECK(backend->ops == &heap_ops);
    return (struct heap_backend *)(void *)backend;
}

static const struct heap_backend *heap_of_const(const struct backend *backend)
{
    CHECK(backend->ops == &heap_ops);
    return (const struct heap_backend *)(const void *)backend;
}

static struct heap_snapshot *snapshot_of(struct backend_snapshot *snapshot)
{
    CHECK(snapshot->backend->ops == &heap_ops);
    return (struct heap_snapshot *)(void *)snapshot;
}

static uint32_t table_count(const struct heap_backend *heap)
{
    return heap->range.last - heap->range.first + 1;
}

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
    heap_history_free(&heap->history, arena);
    for (uint32_t i = 0; i < table_count(heap); i++) {
        heap_table_free(&heap->tables[i], arena);
    }
    for (uint16_t i = 0; i < heap->state_count; i++) {
        arena_free(arena, (void *)heap->names[i]);
    }
    arena_free(arena, (void *)heap->names);
    arena_free(arena, heap->cursors);
    arena_free(arena, heap->tables);
    arena_free(arena, heap);
}

/* The number of the state called `name`, or state_count if there is none. */
static uint16_t find_state(const struct heap_backend *heap, struct bytes name)
{
    uint16_t state = 0;
    while (state < heap->state_count && !bytes_equal(bytes_of_text(heap->names[state]), name)) {
        state++;
    }
    return state;
}

static state_id add_state(struct heap_backend *heap, struct bytes name)
{
    CHECK(heap->state_count < SNAPSHOT_STATE_COUNT_MAX);
    size_t count = (size_t)heap->state_count + 1;
    heap->names = arena_resize(heap->arena, (void *)heap->names, count * sizeof *heap->names);
    heap->cursors = arena_resize(heap->arena, heap->cursors, count * sizeof *heap->cursors);
    heap->names[heap->state_count] =
        arena_format(heap->arena, "%.*s", (int)name.size, (const char *)name.data);
    heap->cursors[heap->state_count] = (struct cursor){ 0 };
    CHECK(heap->turn > 0); /* else the new cursor would pass for known */
    return heap->state_count++;
}

static state_id declare(struct backend *backend, const char *name)
{
    struct heap_backend *heap = heap_of(backend);
    CHECK(name != NULL);
    uint16_t state = find_state(heap, bytes_of_text(name));
    return state < heap->state_count ? state : add_state(heap, bytes_of_text(name));
}

/* Fetches the entry that a hint of some calls ago speaks of: its index line is there by now. Only
 * the first state's; a wrong guess costs nothing but a line of the cache. */
static void prefetch_entry(const struct heap_backend *heap, struct hint hint)
{
    CHECK(hint.table < table_count(heap));
    const struct heap_table *table = &heap->tables[hint.table];
    if (table->buckets != NULL) {
        uint32_t entry =
            heap_bucket_entry(&table->buckets[hint.hash & table->bucket_mask], hint.hash);
        if (entry != 0 && entry <= table->entry_count) {
            __builtin_prefetch(&table->entries[entry - 1], 1);
        }
    }
}

static void prefetch(struct backend *backend, uint32_t key_group, struct bytes key)
{
    struct heap_backend *heap = heap_of(backend);
    CHECK(key_group >= heap->range.first && key_group <= heap->range.last);
    CHECK(key.data != NULL || key.size == 0);
    uint32_t number = key_group - heap->range.first;
    const struct heap_table *table = &heap->tables[number];
    struct heap_key soon;
    heap_key_init(&soon, key);
    struct hint fresh = { .table = number, .hash = soon.hash };
    if (table->buckets != NULL) {
        __builtin_prefetch(&table->buckets[fresh.hash & table->bucket_mask]);
    }
    prefetch_entry(heap, heap->hints[heap->hint_next]);
    heap->hints[heap->hint_next] = fresh;
    heap->hint_next = (heap->hint_next + 1) % HINT_COUNT;
}

static void set_key(struct backend *backend, uint32_t key_group, struct bytes key)
{
    struct heap_backend *heap = heap_of(backend);
    CHECK(key_group >= heap->range.first && key_group <= heap->range.last);
    CHECK(key.data != NULL || key.size == 0);
    heap->table = &heap->tables[key_group - heap->range.first];
    heap->turn++;
    heap_key_init(&heap->key, key);
}

static void look_up(const struct heap_backend *heap, state_id state, struct cursor *cursor)
{
    CHECK(heap->table != NULL);
    cursor->place = heap_table_find(heap->table, &heap->key, state);
    cursor->turn = heap->turn;
}

/* The current key's cursor of `state`, made known. */
static inline struct cursor *locate(struct heap_backend *heap, state_id state)
{
    CHECK(state < heap->state_count);
    struct cursor *cursor = &heap->cursors[state];
    if (cursor->turn != heap->turn) {
        look_up(heap, state, cursor);
    }
    return cursor;
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

static bool has_passed(const struct heap_snapshot *snapshot, uint32_t table, uint32_t entry)
{
    return snapshot->table != table ? snapshot->table > table : snapshot->entry > entry;
}

/* Will an open snapshot of the epochs first..end-1 come to this place yet? */
static bool is_awaited(const struct heap_backend *heap, uint32_t table, uint32_t entry,
                       uint32_t epoch_first, uint32_t epoch_end)
{
    CHECK(epoch_first < epoch_end);
    for (const struct heap_snapshot *open = heap->snapshots; open != NULL; open = open->next) {
        if (open->epoch >= epoch_first && open->epoch < epoch_end &&
            !has_passed(open, table, entry)) {
            return true;
        }
    }
    return false;
}

/* To be called before the content of an entry changes for the first time in this epoch. */
static void preserve(struct heap_backend *heap, struct heap_entry *entry)
{
    CHECK(entry->version < heap->epoch);
    uint32_t table = (uint32_t)(heap->table - heap->tables);
    uint32_t number = (uint32_t)(entry - heap->table->entries);
    if (is_awaited(heap, table, number, entry->version, heap->epoch)) {
        heap_history_push(&heap->history, heap->arena, entry, table, number, heap->epoch);
    }
    entry->version = heap->epoch;
}

static struct heap_entry *insert(struct heap_backend *heap, state_id state, struct cursor *cursor)
{
    heap_table_insert(heap->table, heap->arena, &heap->key, state, &cursor->place);
    CHECK(cursor->place.entry != 0);
    /* Cursors of this key's other states may name a bucket that has no room any more. */
    cursor->turn = ++heap->turn;
    heap->entry_count++;
    struct heap_entry *entry = &heap->table->entries[cursor->place.entry - 1];
    CHECK(entry->version <= heap->epoch);
    entry->version = heap->epoch;
    return entry;
}

/* The general case of put; apart from it, so that the short way has no registers to save. */
__attribute__((noinline)) static void put_any(struct heap_backend *heap, state_id state,
                                              struct bytes value)
{
    CHECK(value.data != NULL || value.size == 0);
    /* Read before anything moves: the value may be one that get has just lent out. */
    bool is_inline = value.size <= HEAP_CELL_INLINE_MAX;
    uint64_t word = is_inline ? heap_word(value) : 0;
    struct cursor *cursor = locate(heap, state);
    struct heap_entry *entry;
    if (cursor->place.entry == 0) {
        entry = insert(heap, state, cursor);
    } else {
        entry = &heap->table->entries[cursor->place.entry - 1];
        if (entry->version != heap->epoch) {
            preserve(heap, entry);
        }
    }
    if (!is_inline) {
        heap_cell_assign_blob(heap->arena, &entry->value, &entry->value_size, value);
        return;
    }
    if (entry->value_size == HEAP_CELL_BLOB) {
        heap_cell_clear(heap->arena, &entry->value, &entry->value_size);
    }
    entry->value.word = word;
    entry->value_size = (uint8_t)value.size;
}

/* The entry of the current key, if it may be overwritten as it stands: it has just been looked up,
 * was changed in this epoch, and has a word for a value. Else NULL. */
static inline struct heap_entry *entry_in_place(const struct heap_backend *heap, state_id state)
{
    CHECK(state < heap->state_count);
    const struct cursor *cursor = &heap->cursors[state];
    if (cursor->turn != heap->turn || cursor->place.entry == 0) {
        return NULL;
    }
    struct heap_entry *entry = &heap->table->entries[cursor->place.entry - 1];
    bool is_word = entry->value_size == HEAP_CELL_INLINE_MAX;
    return is_word && entry->version == heap->epoch ? entry : NULL;
}

static void put(struct backend *backend, state_id state, struct bytes value)
{
    struct heap_backend *heap = heap_of(backend);
    struct heap_entry *entry = entry_in_place(heap, state);
    if (entry != NULL && value.size == HEAP_CELL_INLINE_MAX) {
        entry->value.word = load_u64(value.data);
        return; /* a counter that was read before it is written: nearly every put */
    }
    put_any(heap, state, value);
}

static void remove_entry(struct backend *backend, state_id state)
{
    struct heap_backend *heap = heap_of(backend);
    struct heap_place place = locate(heap, state)->place;
    if (place.entry == 0) {
        return;
    }
    struct heap_entry *entry = &heap->table->entries[place.entry - 1];
    if (entry->version != heap->epoch) {
        preserve(heap, entry);
    }
    heap_table_erase(heap->table, heap->arena, place);
    CHECK(heap->entry_count > 0);
    heap->entry_count--;
    heap->turn++; /* buckets have changed */
}

static struct backend_snapshot *snapshot_begin(struct backend *backend)
{
    struct heap_backend *heap = heap_of(backend);
    CHECK(heap->epoch < UINT32_MAX);
    struct heap_snapshot *snapshot = arena_alloc(heap->arena, 1, sizeof *snapshot);
    *snapshot = (struct heap_snapshot){
        .base = { .backend = backend },
        .next = heap->snapshots,
        .epoch = heap->epoch++,
        .state_count = heap->state_count,
        .entry_count = heap->entry_count,
    };
    heap->snapshots = snapshot;
    return &snapshot->base;
}

/* Drops the records of a place that no open snapshot will come to. */
static void prune(struct heap_backend *heap, uint32_t table, uint32_t number)
{
    CHECK(number < heap->tables[table].entry_count);
    uint32_t *link = &heap->tables[table].entries[number].history;
    while (*link != 0) {
        struct heap_record *record = &heap->history.records[*link - 1];
        CHECK(record->table == table && record->entry == number);
        if (is_awaited(heap, table, number, record->epoch_first, record->epoch_end)) {
            link = &record->next;
        } else {
            heap_history_drop(&heap->history, heap->arena, link);
        }
    }
}

/* Writes what a place held in the snapshot's epoch; false if it held nothing. */
static bool write_place(struct heap_snapshot *snapshot, const struct heap_entry *entry,
                        struct buffer *out)
{
    const struct heap_backend *heap = heap_of_const(snapshot->base.backend);
    uint16_t key_group = (uint16_t)(heap->range.first + snapshot->table);
    if (entry->version <= snapshot->epoch) {
        if (entry->value_size == HEAP_CELL_ABSENT) {
            return false;
        }
        snapshot_write_entry(out, key_group, entry->state,
                             heap_cell_bytes(&entry->key, entry->key_size),
                             heap_cell_bytes(&entry->value, entry->value_size));
        CHECK(entry->state < snapshot->state_count);
        return true;
    }
    const struct heap_record *record =
        heap_history_find(&heap->history, entry->history, snapshot->epoch);
    if (record == NULL) {
        return false;
    }
    snapshot_write_entry(out, key_group, record->state,
                         heap_cell_bytes(&record->key, record->key_size),
                         heap_cell_bytes(&record->value, record->value_size));
    CHECK(record->state < snapshot->state_count);
    return true;
}

/* Writes the next entry; false if there is none left. */
static bool write_next(struct heap_snapshot *snapshot, struct buffer *out)
{
    struct heap_backend *heap = heap_of(snapshot->base.backend);
    CHECK(snapshot->table <= table_count(heap));
    for (; snapshot->table < table_count(heap); snapshot->table++, snapshot->entry = 0) {
        const struct heap_table *table = &heap->tables[snapshot->table];
        while (snapshot->entry < table->entry_count) {
            const struct heap_entry *entry = &table->entries[snapshot->entry];
            bool is_written = write_place(snapshot, entry, out);
            uint32_t number = snapshot->entry++;
            if (entry->history != 0) {
                prune(heap, snapshot->table, number);
            }
            if (is_written) {
                snapshot->written_count++;
                return true;
            }
        }
    }
    return false;
}

static bool snapshot_step(struct backend_snapshot *base, struct buffer *out, size_t limit_bytes)
{
    struct heap_snapshot *snapshot = snapshot_of(base);
    const struct heap_backend *heap = heap_of_const(base->backend);
    CHECK(!snapshot->has_trailer);
    size_t start = out->size;
    if (!snapshot->has_header) {
        snapshot_write_header(out, heap->names, snapshot->state_count);
        snapshot->has_header = true;
    }
    do {
        if (!write_next(snapshot, out)) {
            CHECK(snapshot->written_count == snapshot->entry_count);
            snapshot_write_trailer(out, snapshot->entry_count);
            snapshot->has_trailer = true;
            return false;
        }
    } while (out->size - start < limit_bytes);
    return true;
}

static void snapshot_end(struct backend_snapshot *base)
{
    struct heap_snapshot *snapshot = snapshot_of(base);
    struct heap_backend *heap = heap_of(base->backend);
    struct heap_snapshot **link = &heap->snapshots;
    while (*link != snapshot) {
        CHECK(*link != NULL);
        link = &(*link)->next;
    }
    *link = snapshot->next;
    /* A snapshot that came to the end has pruned on its way. */
    for (uint32_t i = 0; !snapshot->has_trailer && i < heap->history.count; i++) {
        const struct heap_record *record = &heap->history.records[i];
        if (record->epoch_end != 0) {
            prune(heap, record->table, record->entry);
        }
    }
    CHECK(heap->snapshots != NULL || heap->history.live_count == 0);
    arena_free(heap->arena, snapshot);
}

/* Fills `states` with the backend's ids of the snapshot's states. */
static enum status bind_states(struct heap_backend *heap, const struct snapshot_reader *reader,
                               state_id *states)
{
    for (uint16_t i = 0; i < reader->state_count; i++) {
        struct bytes name = snapshot_reader_state_name(reader, i);
        states[i] = find_state(heap, name);
        if (states[i] == heap->state_count) {
            if (heap->state_count == SNAPSHOT_STATE_COUNT_MAX || name.size > INT32_MAX) {
                return STATUS_CORRUPT;
            }
            states[i] = add_state(heap, name);
        }
        for (uint16_t j = 0; j < i; j++) {
            if (states[j] == states[i]) {
                return STATUS_CORRUPT;
            }
        }
    }
    CHECK(heap->state_count <= SNAPSHOT_STATE_COUNT_MAX);
    return STATUS_OK;
}

static enum status restore_entries(struct heap_backend *heap, struct snapshot_reader *reader,
                                   const state_id *states)
{
    struct snapshot_entry entry;
    while (snapshot_reader_next(reader, &entry)) {
        if (entry.key_group < heap->range.first || entry.key_group > heap->range.last) {
            continue;
        }
        set_key(&heap->base, entry.key_group, entry.key);
        if (get(&heap->base, states[entry.state]).data != NULL) {
            return STATUS_CORRUPT;
        }
        put(&heap->base, states[entry.state], entry.value);
    }
    CHECK(reader->ended);
    return reader->status;
}

static enum status restore(struct backend *backend, struct bytes snapshot)
{
    struct heap_backend *heap = heap_of(backend);
    CHECK(heap->snapshots == NULL);
    struct snapshot_reader reader;
    snapshot_reader_init(&reader, snapshot);
    if (reader.status != STATUS_OK) {
        return reader.status;
    }
    state_id states[SNAPSHOT_STATE_COUNT_MAX];
    enum status status = bind_states(heap, &reader, states);
    if (status == STATUS_OK) {
        status = restore_entries(heap, &reader, states);
    }
    heap->table = NULL; /* the key was borrowed from the snapshot */
    return status;
}

static uint64_t entry_count(const struct backend *backend)
{
    return heap_of_const(backend)->entry_count;
}

static const struct backend_ops heap_ops = {
    .destroy = destroy,
    .declare = declare,
    .prefetch = prefetch,
    .set_key = set_key,
    .get = get,
    .put = put,
    .remove = remove_entry,
    .snapshot_begin = snapshot_begin,
    .snapshot_step = snapshot_step,
    .snapshot_end = snapshot_end,
    .restore = restore,
    .entry_count = entry_count,
};

struct backend *backend_heap_create(struct arena *arena, struct key_group_range range)
{
    CHECK(range.first <= range.last);
    CHECK(range.last < KEY_GROUP_COUNT_MAX);
    struct heap_backend *heap = arena_alloc(arena, 1, sizeof *heap);
    heap->base.ops = &heap_ops;
    heap->arena = arena;
    heap->range = range;
    heap->tables = arena_alloc(arena, table_count(heap), sizeof *heap->tables);
    heap->turn = 1;
    heap->epoch = 1;
    return &heap->base;
}

void backend_heap_check(const struct backend *backend)
{
    const struct heap_backend *heap = heap_of_const(backend);
    uint64_t live_count = 0;
    for (uint32_t i = 0; i < table_count(heap); i++) {
        heap_table_check(&heap->tables[i]);
        live_count += heap->tables[i].live_count;
    }
    CHECK(live_count == heap->entry_count);
    uint32_t record_count = 0;
    for (uint32_t i = 0; i < heap->history.count; i++) {
        const struct heap_record *record = &heap->history.records[i];
        if (record->epoch_end != 0) {
            record_count++;
            CHECK(is_awaited(heap, record->table, record->entry, record->epoch_first,
                             record->epoch_end));
        }
    }
    CHECK(record_count == heap->history.live_count);
}
