#include <string.h>

#include "model/base/codec.h"
#include "model/state/row_backend.h"

enum {
    /* The first row of a list: its epoch, the number of the last row, elements. */
    LIST_HEAD_BYTES = ROW_EPOCH_BYTES + 4,
    MARKS_ALWAYS_KEPT = 1024, /* below this many they are never too many */
    MARK_PREFIX_BYTES = 10,   /* space, key group, epoch, state */
};

/* A list's rows lie like the entries of such a map. */
static const struct state_descriptor chunk_map = { .kind = STATE_MAP };

bool row_backend_note(struct row_backend *backend, enum status status)
{
    if (backend->base.failure == STATUS_OK) {
        backend->base.failure = status;
    }
    return backend->base.failure == STATUS_OK;
}

static void charge(struct row_backend *backend)
{
    host_charge(backend->host, HOST_WORK_STATE_CALLS, 1);
}

static void write_u16(struct buffer *out, uint32_t number)
{
    CHECK(number <= UINT16_MAX);
    uint8_t *at = buffer_extend(out, sizeof(uint16_t));
    at[0] = (uint8_t)(number >> 8);
    at[1] = (uint8_t)number;
}

static void write_u32(struct buffer *out, uint32_t number)
{
    write_u16(out, number >> 16);
    write_u16(out, number & UINT16_MAX);
}

static uint16_t read_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t read_u32(const uint8_t *at)
{
    return (uint32_t)read_u16(at) << 16 | read_u16(at + sizeof(uint16_t));
}

static bool is_list(const struct row_backend *backend, state_id state)
{
    CHECK(state < backend->table.count);
    return backend->table.states[state].kind == STATE_LIST;
}

/* ---- rows of entries ------------------------------------------------------------------------- */

void row_entry_write_row(const struct row_backend *backend, struct buffer *row, state_id state,
                         uint32_t key_group, struct bytes key)
{
    write_u16(row, state);
    write_u16(row, key_group);
    if (is_list(backend, state)) {
        entry_key_write(row, &chunk_map, &(struct entry_key){ .key = key });
    } else {
        buffer_append(row, key);
    }
}

void row_end_of_prefix(struct buffer *end, struct bytes prefix)
{
    size_t size = prefix.size;
    while (size > 0 && prefix.data[size - 1] == UINT8_MAX) {
        size--;
    }
    CHECK(size > 0); /* no space of entries begins with such bytes */
    buffer_reset(end);
    buffer_append(end, (struct bytes){ .data = prefix.data, .size = size });
    end->data[size - 1]++;
}

bool row_entry_read_row(const struct row_backend *backend, struct bytes row, uint32_t *key_group,
                        struct bytes *key)
{
    CHECK(row.size >= ROW_PREFIX_BYTES);
    *key_group = read_u16(row.data + ROW_SPACE_BYTES);
    *key =
        (struct bytes){ .data = row.data + ROW_PREFIX_BYTES, .size = row.size - ROW_PREFIX_BYTES };
    if (!is_list(backend, read_u16(row.data))) {
        return true;
    }
    struct entry_key parts;
    bool is_read = entry_key_read(&chunk_map, *key, &parts);
    CHECK(is_read);
    CHECK(parts.subkey.size == sizeof(uint32_t));
    *key = parts.key;
    return read_u32(parts.subkey.data) == 0;
}

/* The row of part `number` of the list at `row`. Lies in `chunk`. */
static struct bytes chunk_row(struct row_backend *backend, struct bytes row, uint32_t number)
{
    buffer_reset(&backend->chunk);
    buffer_append(&backend->chunk, row);
    write_u32(&backend->chunk, number);
    return buffer_bytes(&backend->chunk);
}

/* Is there no such row, nor one behind it, in the state? False: there may be. */
static bool is_behind(const struct row_backend *backend, struct bytes row)
{
    return entry_key_compare(row, buffer_bytes(&backend->states[read_u16(row.data)].last)) > 0;
}

bool row_entry_is_behind(struct row_backend *backend, state_id state, struct bytes row)
{
    return is_behind(backend, is_list(backend, state) ? chunk_row(backend, row, 0) : row);
}

/* The value of a row, or data == NULL. */
static struct bytes get_row(struct row_backend *backend, const struct row_view *view,
                            struct bytes row)
{
    struct bytes value = { 0 };
    if (!row_backend_has_failed(backend)) {
        charge(backend);
        if (!row_backend_note(backend, row_store_get(backend->store, view, row, &value))) {
            value = (struct bytes){ 0 };
        }
    }
    return value;
}

static uint32_t epoch_of(struct bytes value)
{
    CHECK(value.size >= ROW_EPOCH_BYTES);
    return load_u32(value.data);
}

static struct bytes behind(struct bytes value, size_t skip)
{
    CHECK(value.size >= skip);
    return (struct bytes){ .data = value.data + skip, .size = value.size - skip };
}

static struct bytes find_list(struct row_backend *backend, const struct row_view *view,
                              struct bytes row, struct row_known *known, struct buffer *list)
{
    struct bytes value = get_row(backend, view, chunk_row(backend, row, 0));
    if (value.data == NULL) {
        return value;
    }
    CHECK(value.size >= LIST_HEAD_BYTES);
    *known = (struct row_known){ .is_present = true,
                                 .epoch = epoch_of(value),
                                 .first_epoch = epoch_of(value),
                                 .last_chunk = load_u32(value.data + ROW_EPOCH_BYTES) };
    buffer_reset(list);
    buffer_reserve(list, 1); /* so that an empty one has an address */
    buffer_append(list, behind(value, LIST_HEAD_BYTES));
    for (uint32_t i = 1; i <= known->last_chunk; i++) {
        value = get_row(backend, view, chunk_row(backend, row, i));
        if (value.data == NULL) {
            CHECK(row_backend_has_failed(backend));
            *known = (struct row_known){ 0 };
            return value;
        }
        known->epoch = epoch_of(value);
        buffer_append(list, behind(value, ROW_EPOCH_BYTES));
    }
    CHECK(known->epoch >= known->first_epoch);
    return buffer_bytes(list);
}

struct bytes row_entry_find(struct row_backend *backend, const struct row_view *view,
                            state_id state, struct bytes row, struct row_known *known,
                            struct buffer *list)
{
    *known = (struct row_known){ 0 };
    if (is_list(backend, state)) {
        return find_list(backend, view, row, known, list);
    }
    struct bytes value = get_row(backend, view, row);
    if (value.data == NULL) {
        return value;
    }
    *known = (struct row_known){ .is_present = true, .epoch = epoch_of(value) };
    return behind(value, ROW_EPOCH_BYTES);
}

void row_entry_look_up(struct row_backend *backend, state_id state, struct bytes row,
                       struct row_known *known)
{
    if (!is_list(backend, state)) {
        (void)row_entry_find(backend, NULL, state, row, known, NULL);
        return;
    }
    *known = (struct row_known){ 0 };
    struct bytes value = get_row(backend, NULL, chunk_row(backend, row, 0));
    if (value.data == NULL) {
        return;
    }
    *known = (struct row_known){ .is_present = true,
                                 .epoch = epoch_of(value),
                                 .first_epoch = epoch_of(value),
                                 .last_chunk = load_u32(value.data + ROW_EPOCH_BYTES) };
    if (known->last_chunk > 0) {
        value = get_row(backend, NULL, chunk_row(backend, row, known->last_chunk));
        known->epoch = value.data == NULL ? 0 : epoch_of(value);
    }
}

/* ---- changes --------------------------------------------------------------------------------- */

/* Will an open snapshot come to this row yet, which was written in `epoch`? */
static bool is_awaited(const struct row_backend *backend, struct bytes row, uint32_t epoch)
{
    uint32_t key_group = read_u16(row.data + ROW_SPACE_BYTES);
    for (const struct row_snapshot *open = backend->snapshots; open != NULL; open = open->next) {
        if (open->epoch >= epoch && open->since < epoch && open->key_group <= key_group &&
            !open->is_done) {
            return true;
        }
    }
    return false;
}

/* To be called before a row that was written in `epoch` changes. */
static bool preserve(struct row_backend *backend, struct bytes row, uint32_t epoch)
{
    CHECK(epoch <= backend->epoch);
    if (epoch == backend->epoch || !is_awaited(backend, row, epoch)) {
        return true;
    }
    return row_backend_note(backend, row_store_preserve(backend->store, row, backend->epoch));
}

/* Puts a row of which the one before was written in `epoch` (0: there was none). `value` begins
 * with room for the epoch. */
static bool put_row(struct row_backend *backend, struct bytes row, uint32_t epoch,
                    struct buffer *value)
{
    store_u32(value->data, backend->epoch);
    if (row_backend_has_failed(backend) || (epoch > 0 && !preserve(backend, row, epoch))) {
        return false;
    }
    charge(backend);
    backend->change_count++;
    bool is_last = epoch == 0 && is_behind(backend, row);
    if (is_last) {
        struct buffer *last = &backend->states[read_u16(row.data)].last;
        buffer_reset(last);
        buffer_append(last, row);
    }
    if (backend->load.is_on) {
        CHECK(is_last);
        row_load_add(backend, row, buffer_bytes(value));
        return !row_backend_has_failed(backend);
    }
    return row_backend_note(backend, row_store_put(backend->store, row, buffer_bytes(value)));
}

static bool remove_row(struct row_backend *backend, struct bytes row, uint32_t epoch)
{
    if (row_backend_has_failed(backend) || !preserve(backend, row, epoch)) {
        return false;
    }
    charge(backend);
    backend->change_count++;
    return row_backend_note(backend, row_store_remove(backend->store, row));
}

/* Leaves a mark if this is the first change of the entry in this epoch and somebody may ask. */
static void mark_change(struct row_backend *backend, state_id state, struct bytes row,
                        const struct row_known *known)
{
    bool is_first = !known->is_present || known->epoch < backend->epoch;
    if (!is_first || backend->bases.count == 0 || row_backend_has_failed(backend)) {
        return;
    }
    if (backend->mark_count >= MARKS_ALWAYS_KEPT &&
        backend->mark_count / 2 > backend->entry_count) {
        row_marks_give_up(backend); /* a whole snapshot is not dearer */
        return;
    }
    struct bytes key = behind(row, ROW_PREFIX_BYTES);
    struct entry_key parts = { .key = key };
    if (is_list(backend, state)) {
        bool is_read = entry_key_read(&chunk_map, key, &parts);
        CHECK(is_read);
    }
    uint8_t epoch[ROW_EPOCH_BYTES];
    store_u32(epoch, backend->epoch);
    buffer_reset(&backend->mark);
    row_mark_write(&backend->mark, read_u16(row.data + ROW_SPACE_BYTES), backend->epoch);
    write_u16(&backend->mark, state);
    buffer_append(&backend->mark, parts.key);
    (void)row_backend_note(backend,
                           row_store_put(backend->store, buffer_bytes(&backend->mark),
                                         (struct bytes){ .data = epoch, .size = sizeof epoch }));
    backend->mark_count++;
}

/* Fills `value` with room for the epoch and `content`. */
static void fill_value(struct buffer *value, struct bytes content)
{
    buffer_reset(value);
    encode_u32(value, 0);
    buffer_append(value, content);
}

/* Fills `value` with the first row of a list of `last_chunk` further ones. */
static void fill_list_head(struct buffer *value, uint32_t last_chunk, struct bytes content)
{
    buffer_reset(value);
    encode_u32(value, 0);
    encode_u32(value, last_chunk);
    buffer_append(value, content);
}

static struct bytes chunk_of(struct bytes list, uint32_t number)
{
    size_t start = (size_t)number * LIST_CHUNK_BYTES;
    CHECK(start <= list.size);
    size_t size = list.size - start;
    return (struct bytes){ .data = list.data + start,
                           .size = size < LIST_CHUNK_BYTES ? size : LIST_CHUNK_BYTES };
}

static void remove_list(struct row_backend *backend, struct bytes row,
                        const struct row_known *known)
{
    for (uint32_t i = 0; i <= known->last_chunk; i++) {
        struct bytes at = chunk_row(backend, row, i);
        struct bytes value = get_row(backend, NULL, at);
        if (value.data == NULL || !remove_row(backend, at, epoch_of(value))) {
            return;
        }
    }
}

static void put_list(struct row_backend *backend, struct bytes row, struct row_known *known,
                     struct bytes list)
{
    if (known->is_present) {
        remove_list(backend, row, known);
    }
    uint32_t last = list.size == 0 ? 0 : (uint32_t)((list.size - 1) / LIST_CHUNK_BYTES);
    for (uint32_t i = 0; i <= last; i++) {
        if (i == 0) {
            fill_list_head(&backend->value, last, chunk_of(list, 0));
        } else {
            fill_value(&backend->value, chunk_of(list, i));
        }
        /* What was there is removed, and preserved. */
        if (!put_row(backend, chunk_row(backend, row, i), 0, &backend->value)) {
            return;
        }
    }
    *known = (struct row_known){ .is_present = true,
                                 .epoch = backend->epoch,
                                 .first_epoch = backend->epoch,
                                 .last_chunk = last };
}

static bool is_within(const struct buffer *buffer, struct bytes bytes)
{
    return bytes.data != NULL && buffer->data != NULL && bytes.data >= buffer->data &&
           bytes.data < buffer->data + buffer->capacity;
}

void row_entry_put(struct row_backend *backend, state_id state, struct bytes row,
                   struct row_known *known, struct bytes value)
{
    CHECK(value.data != NULL || value.size == 0);
    bool is_whole_list = is_list(backend, state);
    /* Copied first: what the store has lent out ends with the next call. */
    if (!is_whole_list) {
        fill_value(&backend->value, value);
    } else if (!is_within(&backend->list, value)) {
        buffer_reset(&backend->list);
        buffer_append(&backend->list, value);
        value = buffer_bytes(&backend->list);
    }
    mark_change(backend, state, row, known);
    backend->entry_count += !known->is_present;
    if (is_whole_list) {
        put_list(backend, row, known, value);
    } else if (put_row(backend, row, known->is_present ? known->epoch : 0, &backend->value)) {
        *known = (struct row_known){ .is_present = true, .epoch = backend->epoch };
    }
}

/* Appends to the last row of a list, and makes `*rest` what found no room there. */
static bool fill_last_chunk(struct row_backend *backend, struct bytes row, struct row_known *known,
                            struct bytes *rest)
{
    struct bytes at = chunk_row(backend, row, known->last_chunk);
    struct bytes value = get_row(backend, NULL, at);
    if (value.data == NULL) {
        return false;
    }
    size_t head = known->last_chunk == 0 ? LIST_HEAD_BYTES : ROW_EPOCH_BYTES;
    size_t size = behind(value, head).size;
    size_t room = size < LIST_CHUNK_BYTES ? LIST_CHUNK_BYTES - size : 0;
    size_t fits = rest->size < room ? rest->size : room;
    uint32_t epoch = epoch_of(value);
    buffer_reset(&backend->value);
    buffer_append(&backend->value, value);
    buffer_append(&backend->value, (struct bytes){ .data = rest->data, .size = fits });
    *rest = behind(*rest, fits);
    return fits == 0 || put_row(backend, at, epoch, &backend->value);
}

/* Adds rows behind the last one. */
static bool add_chunks(struct row_backend *backend, struct bytes row, struct row_known *known,
                       struct bytes rest)
{
    uint32_t last = known->last_chunk;
    for (uint32_t i = 0; (size_t)i * LIST_CHUNK_BYTES < rest.size; i++) {
        fill_value(&backend->value, chunk_of(rest, i));
        if (!put_row(backend, chunk_row(backend, row, ++last), 0, &backend->value)) {
            return false;
        }
    }
    if (last == known->last_chunk) {
        return true;
    }
    known->last_chunk = last;
    struct bytes at = chunk_row(backend, row, 0);
    struct bytes value = get_row(backend, NULL, at);
    if (value.data == NULL) {
        return false;
    }
    known->first_epoch = epoch_of(value);
    fill_list_head(&backend->value, last, behind(value, LIST_HEAD_BYTES));
    return put_row(backend, at, known->first_epoch, &backend->value);
}

void row_entry_append(struct row_backend *backend, state_id state, struct bytes row,
                      struct row_known *known, struct bytes more)
{
    CHECK(is_list(backend, state));
    CHECK(more.data != NULL || more.size == 0);
    if (!known->is_present) {
        row_entry_put(backend, state, row, known, more);
        return;
    }
    if (more.size == 0) {
        return;
    }
    mark_change(backend, state, row, known);
    if (fill_last_chunk(backend, row, known, &more) && add_chunks(backend, row, known, more)) {
        known->epoch = backend->epoch;
    }
}

void row_entry_remove(struct row_backend *backend, state_id state, struct bytes row,
                      struct row_known *known)
{
    if (!known->is_present) {
        return;
    }
    mark_change(backend, state, row, known);
    if (is_list(backend, state)) {
        remove_list(backend, row, known);
    } else {
        (void)remove_row(backend, row, known->epoch);
    }
    CHECK(backend->entry_count > 0);
    backend->entry_count--;
    *known = (struct row_known){ 0 };
}

/* ---- marks ----------------------------------------------------------------------------------- */

void row_mark_write(struct buffer *mark, uint32_t key_group, uint32_t epoch)
{
    write_u16(mark, ROW_SPACE_MARKS);
    write_u16(mark, key_group);
    write_u32(mark, epoch);
}

struct row_mark row_mark_read(struct bytes mark)
{
    CHECK(mark.size >= MARK_PREFIX_BYTES);
    CHECK(read_u16(mark.data) == ROW_SPACE_MARKS);
    const uint8_t *at = mark.data + ROW_SPACE_BYTES;
    return (struct row_mark){ .key_group = read_u16(at),
                              .epoch = read_u32(at + 2),
                              .state = read_u16(at + 6),
                              .key = behind(mark, MARK_PREFIX_BYTES) };
}

/* The epoch up to which no snapshot, open or to come, wants marks. */
static uint32_t unwanted_epoch(const struct row_backend *backend)
{
    uint32_t epoch = snapshot_bases_oldest(&backend->bases);
    for (const struct row_snapshot *open = backend->snapshots; open != NULL; open = open->next) {
        if (open->since > 0 && open->since < epoch && !open->is_done) {
            epoch = open->since;
        }
    }
    return epoch;
}

uint32_t row_marks_drop(struct row_backend *backend, uint32_t key_group, struct buffer *at)
{
    struct buffer *marks = &backend->mark; /* one behind the other, each with its size */
    uint32_t epoch = unwanted_epoch(backend);
    if (backend->parts_max == 1 || row_backend_has_failed(backend)) {
        return 0;
    }
    /* Of the epochs to come there are no marks; and what a store has removed it may still have to
     * step over, so no scan begins there again. */
    epoch = epoch < backend->epoch ? epoch : backend->epoch;
    uint32_t *dropped = &backend->marks_dropped[key_group - backend->range.first];
    if (at->size == 0) {
        row_mark_write(at, key_group, *dropped + 1);
    }
    buffer_reset(&backend->end);
    row_mark_write(&backend->end, key_group, epoch + 1);
    struct row row;
    bool has_row = false;
    uint32_t count = 0;
    uint32_t counted = 0;
    buffer_reset(marks);
    struct row_scan *scan =
        row_store_scan(backend->store, NULL, buffer_bytes(at), buffer_bytes(&backend->end));
    while (count < ROW_MARKS_AT_ONCE &&
           row_backend_note(backend, row_scan_next(backend->store, scan, &row, &has_row)) &&
           has_row) {
        encode_bytes(marks, row.key);
        buffer_reset(at);
        buffer_append(at, row.key);
        counted += row_mark_read(row.key).epoch > backend->given_up_epoch;
        count++;
    }
    row_scan_end(backend->store, scan);
    struct decoder decoder;
    decoder_init(&decoder, buffer_bytes(marks));
    for (uint32_t i = 0; i < count && !row_backend_has_failed(backend); i++) {
        struct bytes mark = decode_bytes(&decoder);
        (void)row_backend_note(backend, row_store_remove(backend->store, mark));
    }
    backend->mark_count -= counted < backend->mark_count ? counted : backend->mark_count;
    if (count < ROW_MARKS_AT_ONCE) {
        *dropped = epoch;
    }
    return count;
}

void row_marks_give_up(struct row_backend *backend)
{
    snapshot_bases_forget_all(&backend->bases);
    backend->mark_count = 0;
    backend->given_up_epoch = backend->epoch;
}
