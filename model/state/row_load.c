#include "model/state/row_backend.h"

enum { LOAD_BYTES = 8192 }; /* for this much there is room at once */

void row_load_begin(struct row_backend *backend)
{
    CHECK(!backend->load.is_on && !backend->load.is_open);
    CHECK(backend->load.count == 0);
    backend->load.is_on = true;
}

/* Hands the rows to the store. */
static void pass_on(struct row_backend *backend)
{
    struct row_load *load = &backend->load;
    if (load->count > 0 && !row_backend_has_failed(backend)) {
        load->is_open = true;
        (void)row_backend_note(backend, row_store_load(backend->store, load->rows, load->count));
    }
    load->count = 0;
    buffer_reset(&load->bytes);
}

/* A copy that stays until the rows are passed on. */
static struct bytes keep(struct buffer *bytes, struct bytes from)
{
    CHECK(bytes->capacity - bytes->size >= from.size);
    uint8_t *to = buffer_extend(bytes, from.size);
    bytes_put(to, from.data, from.size);
    return (struct bytes){ .data = to, .size = from.size };
}

void row_load_add(struct row_backend *backend, struct bytes row, struct bytes value)
{
    struct row_load *load = &backend->load;
    CHECK(load->is_on);
    size_t size_bytes = row.size + value.size;
    if (load->count == ROW_LOAD_COUNT || load->bytes.capacity - load->bytes.size < size_bytes) {
        pass_on(backend);
        buffer_reserve(&load->bytes, size_bytes > LOAD_BYTES ? size_bytes : LOAD_BYTES);
    }
    struct row *added = &load->rows[load->count++];
    added->key = keep(&load->bytes, row);
    added->value = keep(&load->bytes, value);
}

void row_load_end(struct row_backend *backend)
{
    struct row_load *load = &backend->load;
    pass_on(backend);
    if (load->is_open && !row_backend_has_failed(backend)) {
        (void)row_backend_note(backend, row_store_load_end(backend->store));
    }
    load->is_open = false;
    load->is_on = false;
}
