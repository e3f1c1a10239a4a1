#include "model/base/check.h"
#include "model/state/heap_backend.h"
#include "model/state/snapshot.h"
#include "model/state/ttl.h"

/* How a snapshot stays frozen: the backend counts epochs, and beginning a snapshot ends one. Every
 * entry knows the epoch of its last change. The first change in a later epoch keeps the old content
 * in a record (heap_history.h), if a snapshot in between is open and has not come past it. A
 * snapshot reads, at each place of each slab, the content of its own epoch. Since only contents are
 * versioned and never the places, the order of a snapshot does not depend on other snapshots.
 *
 * A snapshot that builds on a base reads only what changed in a later epoch than the base's: blocks
 * of places in which nothing did are skipped, and what was removed stands in a log
 * (heap_changes.h). */

/* What writes nothing counts as so many bytes written: else a step through a large state of which
 * little has changed would go through all of it. */
enum {
    SKIP_COST_BYTES = 8,   /* to step over a block or a key group without change */
    VISIT_COST_BYTES = 2,  /* to look at a place */
    SWEEP_COST_BYTES = 64, /* to look at a record, and at its place */
};

static struct heap_snapshot *snapshot_of(struct backend_snapshot *snapshot)
{
    CHECK(snapshot->backend->ops == &heap_backend_ops);
    return (struct heap_snapshot *)(void *)snapshot;
}

static bool has_passed(const struct heap_snapshot *snapshot, uint32_t table, uint32_t entry)
{
    return snapshot->table != table ? snapshot->table > table : snapshot->entry > entry;
}

bool heap_snapshot_is_awaited(const struct heap_backend *heap, uint32_t table, uint32_t entry,
                              uint32_t epoch_first, uint32_t epoch_end)
{
    CHECK(epoch_first < epoch_end);
    for (const struct heap_snapshot *open = heap->snapshots; open != NULL; open = open->next) {
        if (open->epoch >= epoch_first && open->epoch < epoch_end && open->since < epoch_first &&
            !has_passed(open, table, entry)) {
            return true;
        }
    }
    return false;
}

struct backend_snapshot *heap_snapshot_begin(struct backend *backend, uint64_t id, uint64_t base)
{
    struct heap_backend *heap = heap_of(backend);
    CHECK(id > base);
    CHECK(heap->epoch < UINT32_MAX);
    struct heap_snapshot *snapshot = arena_alloc(heap->arena, 1, sizeof *snapshot);
    *snapshot = (struct heap_snapshot){
        .base = { .backend = backend },
        .next = heap->snapshots,
        .id = id,
        .epoch = heap->epoch++,
        .state_count = heap->state_count,
        .now_ns = backend->now_ns,
        .entry_count = heap->entry_count,
    };
    snapshot->built_on =
        snapshot_bases_choose(&heap->changes.bases, base, heap->parts_max, heap->entry_count);
    snapshot->since = snapshot->built_on.epoch;
    if (heap->parts_max > 1) {
        snapshot_bases_add(&heap->changes.bases, heap->arena,
                           (struct snapshot_base){ .id = id, .epoch = snapshot->epoch });
    }
    heap->snapshots = snapshot;
    return &snapshot->base;
}

bool heap_snapshot_keeps(const struct backend_snapshot *base, uint32_t part)
{
    const struct heap_snapshot *snapshot = (const struct heap_snapshot *)(const void *)base;
    CHECK(base->backend->ops == &heap_backend_ops);
    return part < snapshot->built_on.part_count;
}

/* Drops the records of a place that no open snapshot will come to. */
static void prune(struct heap_backend *heap, uint32_t table, uint32_t number)
{
    CHECK(number < heap->tables[table].entry_count);
    struct heap_history *history = &heap->histories[table];
    uint32_t *link = &heap->tables[table].entries[number].history;
    while (*link != 0) {
        struct heap_record *record = heap_history_at(history, *link - 1);
        CHECK(record->entry == number);
        if (heap_snapshot_is_awaited(heap, table, number, record->epoch_first, record->epoch_end)) {
            link = &record->next;
        } else {
            heap_history_drop(history, heap->arena, link);
        }
    }
}

/* Before the first entry, and not before: a part without changes is not written at all. */
static void write_header(struct heap_snapshot *snapshot, struct buffer *out)
{
    if (!snapshot->has_header) {
        const struct heap_backend *heap = heap_of_const(snapshot->base.backend);
        snapshot_write_header(out, snapshot->id, snapshot->built_on.last_part, heap->states.states,
                              snapshot->state_count);
        snapshot->has_header = true;
    }
}

/* What a whole snapshot leaves out because its time is over (L2). One that builds on a base does
 * not: what it left out would be there as the base has it. */
static bool has_expired(struct heap_snapshot *snapshot, uint16_t state, struct bytes *value)
{
    struct heap_backend *heap = heap_of(snapshot->base.backend);
    const struct state_descriptor *descriptor = &heap->states.states[state];
    if (descriptor->ttl_ns == 0 || snapshot->since > 0) {
        return false;
    }
    buffer_reset(&heap->scratch);
    enum ttl_verdict verdict = ttl_judge(descriptor, *value, snapshot->now_ns, &heap->scratch);
    if (verdict == TTL_SHRINK) {
        *value = buffer_bytes(&heap->scratch);
    }
    snapshot->expired_count += verdict == TTL_DROP;
    return verdict == TTL_DROP;
}

static bool write_entry(struct heap_snapshot *snapshot, uint16_t state, struct bytes key,
                        struct bytes value, struct buffer *out)
{
    CHECK(state < snapshot->state_count);
    if (has_expired(snapshot, state, &value)) {
        return false;
    }
    write_header(snapshot, out);
    const struct heap_backend *heap = heap_of_const(snapshot->base.backend);
    snapshot_write_entry(out, (uint16_t)(heap->range.first + snapshot->table), state, key, value);
    return true;
}

/* Writes what a place held in the snapshot's epoch, if it held something that changed after the
 * base; false if not. */
static bool write_place(struct heap_snapshot *snapshot, const struct heap_entry *entry,
                        struct buffer *out)
{
    const struct heap_backend *heap = heap_of_const(snapshot->base.backend);
    if (entry->version <= snapshot->epoch) {
        if (entry->value_size == HEAP_CELL_ABSENT || entry->version <= snapshot->since) {
            return false;
        }
        return write_entry(snapshot, entry->state, heap_cell_bytes(&entry->key, entry->key_size),
                           heap_cell_bytes(&entry->value, entry->value_size), out);
    }
    const struct heap_record *record =
        heap_history_find(&heap->histories[snapshot->table], entry->history, snapshot->epoch);
    if (record == NULL || record->epoch_first <= snapshot->since) {
        return false;
    }
    return write_entry(snapshot, record->state, heap_cell_bytes(&record->key, record->key_size),
                       heap_cell_bytes(&record->value, record->value_size), out);
}

/* Visits the places of one block up to the first that is written; true if there is one. */
static bool write_from_block(struct heap_snapshot *snapshot, struct buffer *out,
                             size_t *skipped_bytes)
{
    struct heap_backend *heap = heap_of(snapshot->base.backend);
    const struct heap_table *table = &heap->tables[snapshot->table];
    CHECK(snapshot->entry < table->entry_count);
    uint32_t block = snapshot->entry / HEAP_BLOCK_PLACES;
    uint32_t end = (block + 1) * HEAP_BLOCK_PLACES;
    end = end < table->entry_count ? end : table->entry_count;
    if (table->block_versions[block] <= snapshot->since) {
        snapshot->entry = end;
        return false;
    }
    while (snapshot->entry < end) {
        const struct heap_entry *entry = &table->entries[snapshot->entry];
        bool is_written = write_place(snapshot, entry, out);
        uint32_t number = snapshot->entry++;
        if (entry->history != 0) {
            prune(heap, snapshot->table, number);
        }
        if (is_written) {
            return true;
        }
        *skipped_bytes += VISIT_COST_BYTES;
    }
    return false;
}

/* Writes the next removal of the table between base and snapshot; false if there is none left. What
 * was put again since is written too: entries come after the removals. */
static bool write_removal(struct heap_snapshot *snapshot, struct buffer *out)
{
    const struct heap_backend *heap = heap_of_const(snapshot->base.backend);
    const struct heap_removals *removals = &heap->changes.removals[snapshot->table];
    if (snapshot->removal < removals->dropped) {
        snapshot->removal = removals->dropped;
    }
    for (; snapshot->removal - removals->dropped < removals->count; snapshot->removal++) {
        const struct heap_removal *removal =
            &removals->items[snapshot->removal - removals->dropped];
        if (removal->epoch > snapshot->epoch) {
            return false;
        }
        if (removal->epoch > snapshot->since) {
            write_header(snapshot, out);
            snapshot_write_removal(out, (uint16_t)(heap->range.first + snapshot->table),
                                   removal->state,
                                   heap_cell_bytes(&removal->key, removal->key_size));
            snapshot->removal++;
            return true;
        }
    }
    return false;
}

/* Drops the removals of the table that no snapshot wants any more, now or later. */
static void drop_removals(struct heap_backend *heap, uint32_t table)
{
    uint32_t oldest = snapshot_bases_oldest(&heap->changes.bases);
    for (const struct heap_snapshot *open = heap->snapshots; open != NULL; open = open->next) {
        if (open->since > 0 && open->since < oldest) {
            oldest = open->since;
        }
    }
    heap_changes_drop(&heap->changes, heap->arena, table, oldest);
}

/* Writes one entry or removal, or steps over a few without; false at the end. */
static bool advance(struct heap_snapshot *snapshot, struct buffer *out, size_t *skipped_bytes)
{
    struct heap_backend *heap = heap_of(snapshot->base.backend);
    CHECK(snapshot->table <= heap_table_count(heap));
    if (snapshot->table == heap_table_count(heap)) {
        return false;
    }
    bool is_written = snapshot->since > 0 && snapshot->entry == 0 && write_removal(snapshot, out);
    if (!is_written && snapshot->entry < heap->tables[snapshot->table].entry_count) {
        is_written = write_from_block(snapshot, out, skipped_bytes);
    } else if (!is_written) {
        drop_removals(heap, snapshot->table);
        snapshot->table++;
        snapshot->entry = 0;
        snapshot->removal = 0;
    }
    if (is_written) {
        snapshot->written_count++;
    } else {
        *skipped_bytes += SKIP_COST_BYTES;
    }
    return true;
}

/* Ends the part, if there is one, and makes the snapshot one that others can build on. */
static void complete(struct heap_snapshot *snapshot, struct buffer *out)
{
    const struct heap_backend *heap = heap_of_const(snapshot->base.backend);
    bool is_whole = snapshot->since == 0;
    if (is_whole) {
        CHECK(snapshot->written_count + snapshot->expired_count == snapshot->entry_count);
        write_header(snapshot, out);
    }
    if (snapshot->has_header) {
        snapshot_write_trailer(out, snapshot->written_count);
    }
    snapshot->is_done = true;
    snapshot_bases_complete(&heap->changes.bases, snapshot->id, &snapshot->built_on,
                            snapshot->has_header, snapshot->written_count);
}

/* Is it an entry that write_place would write as it stands, of a key and a value of one word
 * each? */
static inline bool is_simple(const struct heap_snapshot *snapshot,
                             const struct state_descriptor *states, const struct heap_entry *entry)
{
    return entry->version <= snapshot->epoch && entry->version > snapshot->since &&
           entry->key_size == HEAP_CELL_INLINE_MAX && entry->value_size == HEAP_CELL_INLINE_MAX &&
           entry->history == 0 && states[entry->state].ttl_ns == 0;
}

/* Writes on up to `end_bytes` of `out` or an entry that is not simple: of a whole snapshot to the
 * table's end, else to that of a block which write_from_block has begun. It writes the same as one
 * call for each: most entries of most jobs are counters, and all of them are written for every
 * checkpoint. */
static void write_simple_run(struct heap_snapshot *snapshot, struct buffer *out, size_t end_bytes)
{
    const struct heap_backend *heap = heap_of_const(snapshot->base.backend);
    if (!snapshot->has_header || snapshot->table == heap_table_count(heap) ||
        out->size >= end_bytes) {
        return;
    }
    const struct heap_table *table = &heap->tables[snapshot->table];
    uint32_t number = snapshot->entry;
    uint32_t block_end = (number + HEAP_BLOCK_PLACES - 1) / HEAP_BLOCK_PLACES * HEAP_BLOCK_PLACES;
    uint32_t end = snapshot->since == 0 ? table->entry_count : block_end;
    end = end < table->entry_count ? end : table->entry_count;
    size_t room = (end_bytes - out->size + SNAPSHOT_WORDS_BYTES - 1) / SNAPSHOT_WORDS_BYTES;
    end = end - number < room ? end : number + (uint32_t)room;
    uint16_t key_group = (uint16_t)(heap->range.first + snapshot->table);
    uint8_t *at = buffer_extend(out, (size_t)(end - number) * SNAPSHOT_WORDS_BYTES);
    for (; number < end && is_simple(snapshot, heap->states.states, &table->entries[number]);
         number++) {
        const struct heap_entry *entry = &table->entries[number];
        CHECK(entry->state < snapshot->state_count);
        snapshot_put_words(at, key_group, entry->state, entry->key.word, entry->value.word);
        at += SNAPSHOT_WORDS_BYTES;
    }
    out->size -= (size_t)(end - number) * SNAPSHOT_WORDS_BYTES;
    snapshot->written_count += number - snapshot->entry;
    snapshot->entry = number;
}

/* Drops what only an abandoned snapshot would have come to, a little at a time: there can be as
 * much of it as there is state. */
static void sweep(struct heap_backend *heap, size_t limit_bytes, size_t *skipped_bytes)
{
    while (heap->sweep_tables_left > 0 && *skipped_bytes < limit_bytes) {
        const struct heap_history *history = &heap->histories[heap->sweep_table];
        if (history->live_count > 0 && heap->sweep_record < history->count) {
            const struct heap_record *record = heap_history_at(history, heap->sweep_record++);
            if (record->epoch_end != 0) {
                prune(heap, heap->sweep_table, record->entry);
            }
            *skipped_bytes += SWEEP_COST_BYTES;
        } else {
            heap->sweep_table = (heap->sweep_table + 1) % heap_table_count(heap);
            heap->sweep_record = 0;
            heap->sweep_tables_left--;
            *skipped_bytes += SKIP_COST_BYTES;
        }
    }
}

enum backend_step heap_snapshot_step(struct backend_snapshot *base, struct buffer *out,
                                     size_t limit_bytes)
{
    struct heap_snapshot *snapshot = snapshot_of(base);
    CHECK(!snapshot->is_done);
    size_t start = out->size;
    size_t skipped_bytes = 0;
    sweep(heap_of(base->backend), limit_bytes, &skipped_bytes);
    do {
        if (!advance(snapshot, out, &skipped_bytes)) {
            complete(snapshot, out);
            return BACKEND_DONE;
        }
        if (skipped_bytes < limit_bytes) {
            write_simple_run(snapshot, out, start + limit_bytes - skipped_bytes);
        }
    } while (out->size - start + skipped_bytes < limit_bytes);
    return BACKEND_MORE;
}

void heap_snapshot_end(struct backend_snapshot *base)
{
    struct heap_snapshot *snapshot = snapshot_of(base);
    struct heap_backend *heap = heap_of(base->backend);
    struct heap_snapshot **link = &heap->snapshots;
    while (*link != snapshot) {
        CHECK(*link != NULL);
        link = &(*link)->next;
    }
    *link = snapshot->next;
    if (!snapshot->is_done) {                                 /* else it has pruned on its way */
        heap->sweep_tables_left = heap_table_count(heap) + 1; /* the one under way once more */
        snapshot_bases_forget(&heap->changes.bases, snapshot->id);
    }
    arena_free(heap->arena, snapshot);
}
