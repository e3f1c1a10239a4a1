#include "model/state/row_backend.h"

#include <string.h>

#include "model/state/part_restore.h"
#include "model/state/snapshot.h"
#include "model/state/ttl.h"

/* ---- states ---------------------------------------------------------------------------------- */

static void free_state(struct row_backend *backend, struct row_state *state)
{
    if (state->iteration.scan != NULL) {
        row_scan_end(backend->store, state->iteration.scan);
    }
    buffer_free(&state->row);
    buffer_free(&state->last);
    buffer_free(&state->iteration.prefix);
    buffer_free(&state->iteration.end);
    buffer_free(&state->iteration.at);
    buffer_free(&state->iteration.value);
}

static void destroy(struct backend *base)
{
    struct row_backend *backend = row_backend_of(base);
    struct buffer *buffers[] = { &backend->name_space, &backend->subkey, &backend->expire_at,
                                 &backend->row,        &backend->chunk,  &backend->mark,
                                 &backend->value,      &backend->list,   &backend->kept,
                                 &backend->end };
    while (backend->snapshots != NULL) {
        row_snapshot_end(&backend->snapshots->base);
    }
    for (uint16_t i = 0; i < backend->table.count; i++) {
        free_state(backend, &backend->states[i]);
    }
    row_store_destroy(backend->store);
    buffer_free(&backend->load.bytes);
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) {
        buffer_free(buffers[i]);
    }
    state_table_free(&backend->table);
    arena_free(backend->arena, backend->states);
    arena_free(backend->arena, backend->bases.items);
    arena_free(backend->arena, backend->marks_dropped);
    arena_free(backend->arena, backend);
}

/* Makes the states that the table has got known here. */
static void open_states(struct row_backend *backend)
{
    backend->states = arena_grow(backend->arena, backend->states, &backend->state_capacity,
                                 backend->table.count, sizeof *backend->states);
    for (; backend->open_count < backend->table.count; backend->open_count++) {
        struct row_state *state = &backend->states[backend->open_count];
        *state = (struct row_state){ 0 };
        buffer_init(&state->row, backend->arena);
        buffer_init(&state->last, backend->arena);
        buffer_init(&state->iteration.prefix, backend->arena);
        buffer_init(&state->iteration.end, backend->arena);
        buffer_init(&state->iteration.at, backend->arena);
        buffer_init(&state->iteration.value, backend->arena);
    }
}

static state_id declare(struct backend *base, const struct state_descriptor *descriptor)
{
    struct row_backend *backend = row_backend_of(base);
    state_id state = state_table_declare(&backend->table, descriptor);
    open_states(backend);
    return state;
}

static struct bytes refusal(const struct backend *base)
{
    return buffer_bytes(&row_backend_of_const(base)->table.refusal);
}

/* ---- the current entry ----------------------------------------------------------------------- */

static void close_iteration(struct row_backend *backend, struct row_iteration *iteration)
{
    if (iteration->is_open) {
        iteration->is_open = false;
        backend->iteration_count--;
    }
    if (iteration->scan != NULL) {
        row_scan_end(backend->store, iteration->scan);
        iteration->scan = NULL;
    }
}

static void close_map_iterations(struct row_backend *backend)
{
    for (uint16_t i = 0; backend->iteration_count > 0 && i < backend->table.count; i++) {
        if (backend->states[i].iteration.scope == SCOPE_MAP) {
            close_iteration(backend, &backend->states[i].iteration);
        }
    }
}

static void set_key(struct backend *base, uint32_t key_group, struct bytes key)
{
    struct row_backend *backend = row_backend_of(base);
    CHECK(key_group >= backend->range.first && key_group <= backend->range.last);
    CHECK(key.data != NULL || key.size == 0);
    close_map_iterations(backend);
    backend->has_key = true;
    backend->key_group = key_group;
    backend->at = (struct entry_key){ .key = key };
    backend->turn++;
}

static void set_namespace(struct backend *base, struct bytes name_space)
{
    struct row_backend *backend = row_backend_of(base);
    CHECK(backend->has_key);
    close_map_iterations(backend);
    buffer_reset(&backend->name_space);
    buffer_append(&backend->name_space, name_space);
    backend->at.name_space = buffer_bytes(&backend->name_space);
    backend->turn++;
}

static void set_subkey(struct backend *base, struct bytes subkey)
{
    struct row_backend *backend = row_backend_of(base);
    CHECK(backend->has_key);
    buffer_reset(&backend->subkey);
    buffer_append(&backend->subkey, subkey);
    backend->at.subkey = buffer_bytes(&backend->subkey);
    backend->turn++;
}

/* Appends the row of the current entry. */
static void write_row(const struct row_backend *backend, state_id state, struct buffer *composite,
                      struct buffer *row)
{
    buffer_reset(composite);
    entry_key_write(composite, &backend->table.states[state], &backend->at);
    buffer_reset(row);
    row_entry_write_row(backend, row, state, backend->key_group, buffer_bytes(composite));
}

/* The state, with the row of the current entry made. */
static struct row_state *locate(struct row_backend *backend, state_id number)
{
    CHECK(number < backend->table.count);
    CHECK(backend->has_key);
    struct row_state *state = &backend->states[number];
    if (state->row_turn != backend->turn) {
        write_row(backend, number, &backend->row, &state->row);
        state->row_turn = backend->turn;
    }
    return state;
}

/* The same, and what is known of the entry. */
static struct row_state *look_up(struct row_backend *backend, state_id number)
{
    struct row_state *state = locate(backend, number);
    if (state->known_turn != backend->turn) {
        row_entry_look_up(backend, number, buffer_bytes(&state->row), &state->known);
        state->known_turn = backend->turn;
    }
    return state;
}

static struct bytes get(struct backend *base, state_id number)
{
    struct row_backend *backend = row_backend_of(base);
    struct row_state *state = locate(backend, number);
    struct bytes value = row_entry_find(backend, NULL, number, buffer_bytes(&state->row),
                                        &state->known, &backend->list);
    state->known_turn = backend->turn;
    return value;
}

/* A value that the store has lent out would not outlast the look-up. */
static struct bytes hold(struct row_backend *backend, const struct row_state *state,
                         struct bytes value)
{
    if (state->known_turn == backend->turn || value.size == 0) {
        return value;
    }
    buffer_reset(&backend->kept);
    buffer_append(&backend->kept, value);
    return buffer_bytes(&backend->kept);
}

static void put(struct backend *base, state_id number, struct bytes value)
{
    struct row_backend *backend = row_backend_of(base);
    CHECK(value.data != NULL || value.size == 0);
    struct row_state *state = locate(backend, number);
    value = hold(backend, state, value);
    state = look_up(backend, number);
    row_entry_put(backend, number, buffer_bytes(&state->row), &state->known, value);
}

static uint64_t add(struct backend *base, state_id number, uint64_t amount)
{
    struct bytes before = get(base, number);
    CHECK(before.data == NULL || before.size == sizeof amount);
    uint64_t sum = amount + (before.data == NULL ? 0 : load_u64(before.data));
    uint8_t room[sizeof sum];
    store_u64(room, sum);
    put(base, number, (struct bytes){ .data = room, .size = sizeof room });
    return sum;
}

static void append(struct backend *base, state_id number, struct bytes more)
{
    struct row_backend *backend = row_backend_of(base);
    struct row_state *state = look_up(backend, number);
    row_entry_append(backend, number, buffer_bytes(&state->row), &state->known, more);
}

static void remove_entry(struct backend *base, state_id number)
{
    struct row_backend *backend = row_backend_of(base);
    struct row_state *state = look_up(backend, number);
    row_entry_remove(backend, number, buffer_bytes(&state->row), &state->known);
}

/* ---- iteration ------------------------------------------------------------------------------- */

static void iterate(struct backend *base, state_id number, enum backend_scope scope)
{
    struct row_backend *backend = row_backend_of(base);
    CHECK(number < backend->table.count);
    const struct state_descriptor *descriptor = &backend->table.states[number];
    struct row_iteration *iteration = &backend->states[number].iteration;
    close_iteration(backend, iteration);
    iteration->is_open = true;
    iteration->is_begun = false;
    iteration->scope = scope;
    backend->iteration_count++;
    buffer_reset(&iteration->prefix);
    buffer_reset(&iteration->at);
    row_entry_write_row(backend, &iteration->at, number, backend->range.first, (struct bytes){ 0 });
    if (scope == SCOPE_STATE) {
        buffer_append(&iteration->prefix,
                      (struct bytes){ .data = iteration->at.data, .size = ROW_SPACE_BYTES });
        row_end_of_prefix(&iteration->end, buffer_bytes(&iteration->prefix));
        iteration->at.size = ROW_PREFIX_BYTES;
        return;
    }
    CHECK(backend->has_key);
    CHECK(state_has_subkey(descriptor));
    struct entry_key first = { .key = backend->at.key, .name_space = backend->at.name_space };
    buffer_reset(&backend->row);
    entry_key_write(&backend->row, descriptor, &first);
    row_entry_write_row(backend, &iteration->prefix, number, backend->key_group,
                        buffer_bytes(&backend->row));
    buffer_reset(&iteration->at);
    buffer_append(&iteration->at, buffer_bytes(&iteration->prefix));
    row_end_of_prefix(&iteration->end, buffer_bytes(&iteration->prefix));
}

/* Goes on to the next row; false: there is none. A scan that saw the rows before a change begins
 * anew. */
static bool next_row(struct row_backend *backend, struct row_iteration *iteration, struct row *row)
{
    bool has_row;
    if (iteration->scan != NULL && iteration->change_count != backend->change_count) {
        row_scan_end(backend->store, iteration->scan);
        iteration->scan = NULL;
    }
    if (iteration->scan == NULL) {
        iteration->scan = row_store_scan(backend->store, NULL, buffer_bytes(&iteration->at),
                                         buffer_bytes(&iteration->end));
        iteration->change_count = backend->change_count;
    }
    do {
        enum status status = row_scan_next(backend->store, iteration->scan, row, &has_row);
        if (!row_backend_note(backend, status) || !has_row) {
            return false;
        }
    } while (iteration->is_begun && bytes_equal(row->key, buffer_bytes(&iteration->at)));
    buffer_reset(&iteration->at);
    buffer_append(&iteration->at, row->key);
    iteration->is_begun = true;
    return true;
}

static bool next(struct backend *base, state_id number, struct backend_entry *entry)
{
    struct row_backend *backend = row_backend_of(base);
    CHECK(number < backend->table.count);
    const struct state_descriptor *descriptor = &backend->table.states[number];
    struct row_iteration *iteration = &backend->states[number].iteration;
    struct bytes key;
    struct row row;
    if (!iteration->is_open || row_backend_has_failed(backend)) {
        return false;
    }
    do {
        if (!next_row(backend, iteration, &row)) {
            close_iteration(backend, iteration);
            return false;
        }
    } while (!row_entry_read_row(backend, buffer_bytes(&iteration->at), &entry->key_group, &key));
    bool is_read = entry_key_read(descriptor, key, &entry->at);
    CHECK(is_read);
    entry->value.data = row.value.data + ROW_EPOCH_BYTES;
    entry->value.size = row.value.size - ROW_EPOCH_BYTES;
    if (descriptor->kind == STATE_LIST) {
        struct row_known known;
        struct bytes list = buffer_bytes(&iteration->at);
        list.size -= sizeof(uint32_t); /* the chunk's number */
        entry->value = row_entry_find(backend, NULL, number, list, &known, &iteration->value);
    }
    return !row_backend_has_failed(backend);
}

/* ---- the time to live ------------------------------------------------------------------------ */

/* Drops the entry whose first row is `first`, or what of it has expired. */
static void expire_entry(struct row_backend *backend, state_id number, struct bytes first)
{
    struct row_known known;
    struct bytes row = first;
    const struct state_descriptor *descriptor = &backend->table.states[number];
    if (descriptor->kind == STATE_LIST) {
        row.size -= sizeof(uint32_t); /* the chunk's number */
    }
    struct bytes value = row_entry_find(backend, NULL, number, row, &known, &backend->list);
    if (value.data == NULL) {
        return;
    }
    buffer_reset(&backend->kept);
    enum ttl_verdict verdict = ttl_judge(descriptor, value, backend->base.now_ns, &backend->kept);
    if (verdict == TTL_KEEP) {
        return;
    }
    struct bytes left = verdict == TTL_DROP ? (struct bytes){ 0 } : buffer_bytes(&backend->kept);
    struct bytes key;
    uint32_t key_group;
    bool is_first = row_entry_read_row(backend, first, &key_group, &key);
    CHECK(is_first);
    backend_tell_expired(&backend->base, number, key_group, key, left);
    if (verdict == TTL_DROP) {
        row_entry_remove(backend, number, row, &known);
    } else {
        row_entry_put(backend, number, row, &known, left);
    }
}

/* Looks at the entry behind `expire_at`; false: there was none left in the state. */
static bool expire_next(struct row_backend *backend, state_id number)
{
    struct row row;
    bool has_row = false;
    uint32_t key_group;
    struct bytes key;
    struct buffer *at = &backend->expire_at;
    bool is_begin = at->size == 0;
    if (is_begin) {
        row_entry_write_row(backend, at, number, backend->range.first, (struct bytes){ 0 });
        at->size = ROW_PREFIX_BYTES;
    }
    row_end_of_prefix(&backend->end, (struct bytes){ .data = at->data, .size = ROW_SPACE_BYTES });
    struct row_scan *scan =
        row_store_scan(backend->store, NULL, buffer_bytes(at), buffer_bytes(&backend->end));
    do {
        enum status status = row_scan_next(backend->store, scan, &row, &has_row);
        has_row = row_backend_note(backend, status) && has_row;
    } while (has_row && ((!is_begin && bytes_equal(row.key, buffer_bytes(at))) ||
                         !row_entry_read_row(backend, row.key, &key_group, &key)));
    buffer_reset(at);
    if (has_row) {
        buffer_append(at, row.key);
    }
    row_scan_end(backend->store, scan);
    if (has_row) {
        expire_entry(backend, number, buffer_bytes(at));
    }
    return has_row;
}

static void expire(struct backend *base, uint32_t count)
{
    struct row_backend *backend = row_backend_of(base);
    uint16_t state_count = backend->table.count;
    uint32_t states_left = state_count + 1u; /* each once, and the first again from its begin */
    while (count > 0 && states_left > 0 && !row_backend_has_failed(backend)) {
        backend->expire_state = backend->expire_state < state_count ? backend->expire_state : 0;
        const struct state_descriptor *descriptor = &backend->table.states[backend->expire_state];
        if (state_count > 0 && descriptor->ttl_ns > 0 &&
            expire_next(backend, backend->expire_state)) {
            count--;
            continue;
        }
        backend->expire_state++;
        buffer_reset(&backend->expire_at);
        states_left--;
    }
    backend->turn++; /* what is known of the current entry may be wrong */
}

/* ---- restore --------------------------------------------------------------------------------- */

static enum status restore_entry(struct row_backend *backend, bool is_first,
                                 const struct snapshot_entry *entry,
                                 const struct state_binding *binding)
{
    struct row_known known;
    struct entry_key parts;
    if (!entry_key_read(&binding->was, entry->key, &parts)) {
        return STATUS_CORRUPT;
    }
    buffer_reset(&backend->row);
    row_entry_write_row(backend, &backend->row, binding->id, entry->key_group, entry->key);
    struct bytes row = buffer_bytes(&backend->row);
    if (backend->load.is_on && row_entry_is_behind(backend, binding->id, row)) {
        known = (struct row_known){ 0 };
    } else {
        row_load_end(backend);
        row_entry_look_up(backend, binding->id, row, &known);
    }
    if (entry->value.data == NULL) {
        row_entry_remove(backend, binding->id, row, &known);
        return backend->base.failure;
    }
    bool is_list = backend->table.states[binding->id].kind == STATE_LIST;
    if ((is_first && known.is_present) || (entry->is_append && !is_list)) {
        return STATUS_CORRUPT;
    }
    struct bytes value = entry->value;
    enum status status = state_table_admit(&backend->table, binding, &value, &backend->kept);
    if (status != STATUS_OK) {
        return status;
    }
    (entry->is_append ? row_entry_append : row_entry_put)(backend, binding->id, row, &known, value);
    return backend->base.failure;
}

static enum status restore_entries(struct backend *base, bool is_first,
                                   const struct snapshot_entry *entries, uint32_t count,
                                   const struct state_binding *bindings)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        status =
            restore_entry(row_backend_of(base), is_first, &entries[i], &bindings[entries[i].state]);
    }
    return status;
}

static enum status restore_states(struct backend *base)
{
    open_states(row_backend_of(base));
    return base->failure;
}

static enum status restore(struct backend *base, uint64_t id, struct part_source *const *parts,
                           uint32_t part_count)
{
    struct row_backend *backend = row_backend_of(base);
    CHECK(backend->snapshots == NULL);
    CHECK(backend->epoch < UINT32_MAX);
    bool is_alone = backend->epoch == 1 && backend->entry_count == 0;
    struct part_restore all = { .backend = base,
                                .states = &backend->table,
                                .range = backend->range,
                                .on_states = restore_states,
                                .on_entries = restore_entries,
                                .restored = { .id = id, .epoch = backend->epoch } };
    row_marks_give_up(backend);
    row_load_begin(backend);
    enum status status = part_restore_all(&all, parts, part_count);
    row_load_end(backend);
    status = status == STATUS_OK ? backend->base.failure : status;
    backend->has_key = false; /* the key was borrowed */
    backend->turn++;
    backend->epoch++;
    if (is_alone && backend->parts_max > 1 && status == STATUS_OK) {
        snapshot_bases_add(&backend->bases, backend->arena, all.restored);
    }
    return status;
}

static uint64_t entry_count(const struct backend *base)
{
    return row_backend_of_const(base)->entry_count;
}

const struct backend_ops row_backend_ops = {
    .destroy = destroy,
    .declare = declare,
    .set_key = set_key,
    .set_namespace = set_namespace,
    .set_subkey = set_subkey,
    .get = get,
    .put = put,
    .add = add,
    .append = append,
    .remove = remove_entry,
    .iterate = iterate,
    .next = next,
    .expire = expire,
    .refusal = refusal,
    .snapshot_begin = row_snapshot_begin,
    .snapshot_keeps = row_snapshot_keeps,
    .snapshot_step = row_snapshot_step,
    .snapshot_end = row_snapshot_end,
    .restore = restore,
    .entry_count = entry_count,
};

struct backend *row_backend_create(struct host *host, struct key_group_range range,
                                   uint32_t parts_max, struct row_store *store)
{
    CHECK(parts_max > 0);
    CHECK(range.first <= range.last);
    CHECK(range.last < KEY_GROUP_COUNT_MAX);
    struct row_backend *backend = arena_alloc(host->arena, 1, sizeof *backend);
    struct buffer *buffers[] = { &backend->name_space, &backend->subkey, &backend->expire_at,
                                 &backend->row,        &backend->chunk,  &backend->mark,
                                 &backend->value,      &backend->list,   &backend->kept,
                                 &backend->end };
    backend->base.ops = &row_backend_ops;
    backend->host = host;
    backend->arena = host->arena;
    backend->range = range;
    backend->parts_max = parts_max;
    backend->store = store;
    buffer_init(&backend->load.bytes, host->arena);
    state_table_init(&backend->table, host->arena);
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) {
        buffer_init(buffers[i], host->arena);
    }
    backend->turn = 1;
    backend->epoch = 1;
    backend->marks_dropped =
        arena_alloc(host->arena, range.last - range.first + 1, sizeof *backend->marks_dropped);
    return &backend->base;
}

/* How many entries a state has; each row is where it belongs. */
static uint64_t check_state(struct row_backend *backend, state_id number)
{
    uint64_t count = 0;
    struct row row;
    bool has_row = true;
    struct buffer *from = &backend->chunk;
    buffer_reset(from);
    row_entry_write_row(backend, from, number, backend->range.first, (struct bytes){ 0 });
    from->size = ROW_PREFIX_BYTES;
    row_end_of_prefix(&backend->end, (struct bytes){ .data = from->data, .size = ROW_SPACE_BYTES });
    struct row_scan *scan =
        row_store_scan(backend->store, NULL, buffer_bytes(from), buffer_bytes(&backend->end));
    while (row_backend_note(backend, row_scan_next(backend->store, scan, &row, &has_row)) &&
           has_row) {
        uint32_t key_group;
        struct bytes key;
        struct entry_key parts;
        count += row_entry_read_row(backend, row.key, &key_group, &key);
        CHECK(key_group >= backend->range.first && key_group <= backend->range.last);
        CHECK(entry_key_read(&backend->table.states[number], key, &parts));
        CHECK(load_u32(row.value.data) <= backend->epoch);
    }
    row_scan_end(backend->store, scan);
    return count;
}

void row_backend_check(const struct backend *base)
{
    struct row_backend *backend = row_backend_of((struct backend *)(uintptr_t)base);
    uint64_t count = 0;
    for (uint16_t i = 0; i < backend->table.count; i++) {
        count += check_state(backend, i);
    }
    CHECK(row_backend_has_failed(backend) || count == backend->entry_count);
    for (uint32_t i = 1; i < backend->bases.count; i++) {
        CHECK(backend->bases.items[i - 1].epoch < backend->bases.items[i].epoch);
    }
}
