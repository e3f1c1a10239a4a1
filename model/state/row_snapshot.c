#include "model/state/row_backend.h"
#include "model/state/snapshot.h"
#include "model/state/ttl.h"

/* Work besides the writing of rows that a scan has come to counts as so many bytes as are written
 * in the time it takes, about: so a step is as short whatever it does. */
enum {
    SCAN_COST_BYTES = 64,    /* to begin a scan */
    LOOKUP_COST_BYTES = 128, /* to look up what a mark names */
    DROP_COST_BYTES = 64,    /* to drop a mark */
    SWEEP_COST_BYTES = 4096, /* to drop some old rows */
};

static struct row_snapshot *snapshot_of(struct backend_snapshot *snapshot)
{
    CHECK(snapshot->backend->ops == &row_backend_ops);
    return (struct row_snapshot *)(void *)snapshot;
}

static struct row_backend *backend_of(const struct row_snapshot *snapshot)
{
    return row_backend_of(snapshot->base.backend);
}

struct backend_snapshot *row_snapshot_begin(struct backend *base, uint64_t id, uint64_t base_id)
{
    struct row_backend *backend = row_backend_of(base);
    CHECK(id > base_id);
    CHECK(backend->epoch < UINT32_MAX);
    struct row_snapshot *snapshot = arena_alloc(backend->arena, 1, sizeof *snapshot);
    *snapshot = (struct row_snapshot){
        .base = { .backend = base },
        .next = backend->snapshots,
        .id = id,
        .epoch = backend->epoch++,
        .state_count = backend->table.count,
        .now_ns = base->now_ns,
        .entry_count = backend->entry_count,
        .key_group = backend->range.first,
    };
    buffer_init(&snapshot->at, backend->arena);
    snapshot->built_on =
        snapshot_bases_choose(&backend->bases, base_id, backend->parts_max, backend->entry_count);
    snapshot->since = snapshot->built_on.epoch;
    if (snapshot->since > 0) {
        snapshot->phase = PHASE_REMOVALS;
    }
    if (backend->parts_max > 1) {
        snapshot_bases_add(&backend->bases, backend->arena,
                           (struct snapshot_base){ .id = id, .epoch = snapshot->epoch });
    }
    snapshot->view = row_store_freeze(backend->store, snapshot->epoch);
    backend->snapshots = snapshot;
    return &snapshot->base;
}

bool row_snapshot_keeps(const struct backend_snapshot *base, uint32_t part)
{
    const struct row_snapshot *snapshot = (const struct row_snapshot *)(const void *)base;
    CHECK(base->backend->ops == &row_backend_ops);
    return part < snapshot->built_on.part_count;
}

/* Before the first entry, and not before: a part without changes is not written at all. */
static void write_header(struct row_snapshot *snapshot, struct buffer *out)
{
    if (!snapshot->has_header) {
        snapshot_write_header(out, snapshot->id, snapshot->built_on.last_part,
                              backend_of(snapshot)->table.states, snapshot->state_count);
        snapshot->has_header = true;
    }
}

static void write_entry(struct row_snapshot *snapshot, state_id state, struct bytes key,
                        struct bytes value, struct buffer *out)
{
    CHECK(state < snapshot->state_count);
    write_header(snapshot, out);
    snapshot_write_entry(out, (uint16_t)snapshot->key_group, state, key, value);
    snapshot->written_count++;
}

/* ---- a whole one ----------------------------------------------------------------------------- */

/* Writes an entry, or what of it has not expired. */
static void write_living(struct row_snapshot *snapshot, state_id state, struct bytes key,
                         struct bytes value, struct buffer *out)
{
    struct row_backend *backend = backend_of(snapshot);
    const struct state_descriptor *descriptor = &backend->table.states[state];
    if (descriptor->ttl_ns > 0) {
        buffer_reset(&backend->kept);
        enum ttl_verdict verdict = ttl_judge(descriptor, value, snapshot->now_ns, &backend->kept);
        if (verdict == TTL_DROP) {
            snapshot->expired_count++;
            return;
        }
        value = verdict == TTL_SHRINK ? buffer_bytes(&backend->kept) : value;
    }
    write_entry(snapshot, state, key, value, out);
}

/* Writes the entry of which the scan has come to the row `at`. */
static void write_row(struct row_snapshot *snapshot, struct bytes value, struct buffer *out)
{
    struct row_backend *backend = backend_of(snapshot);
    uint32_t key_group;
    struct bytes key;
    if (!row_entry_read_row(backend, buffer_bytes(&snapshot->at), &key_group, &key)) {
        return; /* it has been written with its first row */
    }
    CHECK(value.size >= ROW_EPOCH_BYTES);
    value = (struct bytes){ .data = value.data + ROW_EPOCH_BYTES,
                            .size = value.size - ROW_EPOCH_BYTES };
    if (backend->table.states[snapshot->state].kind == STATE_LIST) {
        struct row_known known;
        struct bytes row = buffer_bytes(&snapshot->at);
        row.size -= sizeof(uint32_t); /* the chunk's number */
        value =
            row_entry_find(backend, snapshot->view, snapshot->state, row, &known, &backend->list);
        if (value.data == NULL) {
            CHECK(row_backend_has_failed(backend));
            return;
        }
    }
    write_living(snapshot, snapshot->state, key, value, out);
}

/* Writes entries of one state and key group; true: it has come to the limit. */
static bool write_rows(struct row_snapshot *snapshot, struct buffer *out, size_t end)
{
    struct row_backend *backend = backend_of(snapshot);
    struct buffer *at = &snapshot->at;
    struct row row;
    bool has_row = false;
    bool is_begin = at->size == 0;
    bool is_full = false;
    if (is_begin) {
        row_entry_write_row(backend, at, snapshot->state, snapshot->key_group, (struct bytes){ 0 });
        at->size = ROW_PREFIX_BYTES;
    }
    row_end_of_prefix(&backend->end, (struct bytes){ .data = at->data, .size = ROW_PREFIX_BYTES });
    struct row_scan *scan = row_store_scan(backend->store, snapshot->view, buffer_bytes(at),
                                           buffer_bytes(&backend->end));
    while (!is_full && !row_backend_has_failed(backend) &&
           row_backend_note(backend, row_scan_next(backend->store, scan, &row, &has_row)) &&
           has_row) {
        if (is_begin || !bytes_equal(row.key, buffer_bytes(at))) {
            buffer_reset(at);
            buffer_append(at, row.key);
            write_row(snapshot, row.value, out);
            is_full = out->size >= end;
        }
        is_begin = false;
    }
    row_scan_end(backend->store, scan);
    return is_full;
}

/* ---- one with a base ------------------------------------------------------------------------- */

/* Writes what the mark `at` names, if that is for this turn: removals first. */
static void write_marked(struct row_snapshot *snapshot, struct buffer *out)
{
    struct row_backend *backend = backend_of(snapshot);
    struct row_mark mark = row_mark_read(buffer_bytes(&snapshot->at));
    struct row_known known;
    CHECK(mark.state < snapshot->state_count);
    buffer_reset(&backend->row);
    row_entry_write_row(backend, &backend->row, mark.state, mark.key_group, mark.key);
    struct bytes value = row_entry_find(backend, snapshot->view, mark.state,
                                        buffer_bytes(&backend->row), &known, &backend->list);
    if (row_backend_has_failed(backend)) {
        return;
    }
    if (value.data == NULL && snapshot->phase == PHASE_REMOVALS) {
        write_header(snapshot, out);
        snapshot_write_removal(out, (uint16_t)mark.key_group, mark.state, mark.key);
        snapshot->written_count++;
    } else if (value.data != NULL && snapshot->phase == PHASE_ENTRIES &&
               known.epoch == mark.epoch) {
        write_entry(snapshot, mark.state, mark.key, value, out); /* else a later mark names it */
    }
}

/* Goes through the marks of the key group that are left; true: it has come to the limit. */
static bool write_marks(struct row_snapshot *snapshot, struct buffer *out, size_t end,
                        size_t *other_bytes)
{
    struct row_backend *backend = backend_of(snapshot);
    struct buffer *at = &snapshot->at;
    struct row row;
    bool has_row = false;
    bool is_full = false;
    if (at->size == 0) {
        row_mark_write(at, snapshot->key_group, snapshot->since + 1);
    }
    buffer_reset(&backend->end);
    row_mark_write(&backend->end, snapshot->key_group, snapshot->epoch + 1);
    struct row_scan *scan =
        row_store_scan(backend->store, NULL, buffer_bytes(at), buffer_bytes(&backend->end));
    while (!is_full && !row_backend_has_failed(backend) &&
           row_backend_note(backend, row_scan_next(backend->store, scan, &row, &has_row)) &&
           has_row) {
        struct row_mark mark = row_mark_read(row.key);
        CHECK(mark.key_group == snapshot->key_group);
        CHECK(mark.epoch <= snapshot->epoch);
        if (!bytes_equal(row.key, buffer_bytes(at))) {
            buffer_reset(at);
            buffer_append(at, row.key);
            write_marked(snapshot, out);
            *other_bytes += LOOKUP_COST_BYTES;
            is_full = out->size + *other_bytes >= end;
        }
    }
    row_scan_end(backend->store, scan);
    return is_full;
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* Ends the part, if there is one, and makes the snapshot one that others can build on. */
static void complete(struct row_snapshot *snapshot, struct buffer *out)
{
    const struct row_backend *backend = backend_of(snapshot);
    if (snapshot->since == 0) {
        CHECK(snapshot->written_count + snapshot->expired_count == snapshot->entry_count);
        write_header(snapshot, out);
    }
    if (snapshot->has_header) {
        snapshot_write_trailer(out, snapshot->written_count);
    }
    snapshot_bases_complete(&backend->bases, snapshot->id, &snapshot->built_on,
                            snapshot->has_header, snapshot->written_count);
}

/* Goes on in the phase; true: it has come to the limit before the phase's end. */
static bool go_on(struct row_snapshot *snapshot, struct buffer *out, size_t end,
                  size_t *other_bytes)
{
    struct row_backend *backend = backend_of(snapshot);
    uint32_t dropped_count;
    switch (snapshot->phase) {
    case PHASE_REMOVALS:
    case PHASE_ENTRIES: return write_marks(snapshot, out, end, other_bytes);
    case PHASE_WHOLE:
        while (snapshot->state < snapshot->state_count) {
            if (write_rows(snapshot, out, end)) {
                return true;
            }
            snapshot->state++;
            buffer_reset(&snapshot->at);
            *other_bytes += SCAN_COST_BYTES;
        }
        return false;
    case PHASE_MARKS:
        do {
            dropped_count = row_marks_drop(backend, snapshot->key_group, &snapshot->at);
            *other_bytes += (size_t)dropped_count * DROP_COST_BYTES;
        } while (dropped_count == ROW_MARKS_AT_ONCE && out->size + *other_bytes < end);
        return dropped_count == ROW_MARKS_AT_ONCE;
    }
    CHECK_UNREACHABLE("a phase");
}

/* Goes to the next phase, of this key group or of the next one. */
static void next_phase(struct row_snapshot *snapshot)
{
    buffer_reset(&snapshot->at);
    snapshot->state = 0;
    if (snapshot->phase == PHASE_REMOVALS) {
        snapshot->phase = PHASE_ENTRIES;
    } else if (snapshot->phase != PHASE_MARKS) {
        snapshot->phase = PHASE_MARKS;
    } else {
        snapshot->phase = snapshot->since == 0 ? PHASE_WHOLE : PHASE_REMOVALS;
        snapshot->key_group++;
    }
}

/* Lets the store drop what earlier snapshots have left, before the scans step over that. */
static void sweep(struct row_backend *backend, size_t limit_bytes, size_t *other_bytes)
{
    bool is_done = false;
    while (*other_bytes < limit_bytes && !row_backend_has_failed(backend) &&
           row_backend_note(backend, row_store_sweep(backend->store, &is_done)) && !is_done) {
        *other_bytes += SWEEP_COST_BYTES;
    }
}

enum backend_step row_snapshot_step(struct backend_snapshot *base, struct buffer *out,
                                    size_t limit_bytes)
{
    struct row_snapshot *snapshot = snapshot_of(base);
    struct row_backend *backend = backend_of(snapshot);
    CHECK(!snapshot->is_done);
    limit_bytes = limit_bytes > 0 ? limit_bytes : 1;
    size_t end = out->size + limit_bytes;
    size_t other_bytes = 0;
    sweep(backend, limit_bytes, &other_bytes);
    while (snapshot->key_group <= backend->range.last && out->size + other_bytes < end &&
           !row_backend_has_failed(backend)) {
        if (!go_on(snapshot, out, end, &other_bytes)) {
            next_phase(snapshot);
            other_bytes += SCAN_COST_BYTES;
        }
    }
    if (row_backend_has_failed(backend)) {
        return BACKEND_DONE;
    }
    if (snapshot->key_group <= backend->range.last) {
        return BACKEND_MORE;
    }
    complete(snapshot, out);
    snapshot->is_done = true;
    return BACKEND_DONE;
}

void row_snapshot_end(struct backend_snapshot *base)
{
    struct row_snapshot *snapshot = snapshot_of(base);
    struct row_backend *backend = backend_of(snapshot);
    struct row_snapshot **link = &backend->snapshots;
    while (*link != snapshot) {
        CHECK(*link != NULL);
        link = &(*link)->next;
    }
    *link = snapshot->next;
    enum status status = row_store_thaw(backend->store, snapshot->view);
    if (!row_backend_has_failed(backend)) {
        (void)row_backend_note(backend, status);
    }
    if (!snapshot->is_done) {
        snapshot_bases_forget(&backend->bases, snapshot->id);
    }
    buffer_free(&snapshot->at);
    arena_free(backend->arena, snapshot);
}
