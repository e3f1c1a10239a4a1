#include "model/state/state.h"

#include "model/base/check.h"
#include "model/base/codec.h"

void value_state_open(struct value_state *state, struct backend *backend, const char *name)
{
    CHECK(backend != NULL);
    *state = (struct value_state){ .backend = backend, .id = backend_declare(backend, name) };
}

bool value_state_get(const struct value_state *state, int64_t *value)
{
    struct bytes bytes = backend_get(state->backend, state->id);
    if (bytes.data == NULL) {
        *value = 0;
        return false;
    }
    CHECK(bytes.size == sizeof *value); /* else another type was kept under this name */
    *value = (int64_t)load_u64(bytes.data);
    return true;
}

void value_state_put(const struct value_state *state, int64_t value)
{
    uint8_t bytes[sizeof value];
    store_u64(bytes, (uint64_t)value);
    backend_put(state->backend, state->id, (struct bytes){ .data = bytes, .size = sizeof bytes });
}

void value_state_clear(const struct value_state *state)
{
    backend_remove(state->backend, state->id);
}
