/* state.h - typed views over a backend: what a job's functions hold.
 *
 * A view has no storage of its own: it names a state in the backend and says how its values are
 * coded. It always concerns the current key (Flink's keyed state). */
#ifndef FAULTLINE_STATE_STATE_H
#define FAULTLINE_STATE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/state/backend.h"

/* Flink's ValueState of a 64-bit integer. */
struct value_state {
    struct backend *backend;
    state_id id;
};

/* Binds the state called `name`. */
void value_state_open(struct value_state *state, struct backend *backend, const char *name);

/* The current key's value; false if it is absent, and `*value` is then 0. */
static inline bool value_state_get(const struct value_state *state, int64_t *value)
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

static inline void value_state_put(const struct value_state *state, int64_t value)
{
    uint8_t bytes[sizeof value];
    store_u64(bytes, (uint64_t)value);
    backend_put(state->backend, state->id, (struct bytes){ .data = bytes, .size = sizeof bytes });
}

/* Makes the current key's value absent. */
void value_state_clear(const struct value_state *state);

#endif
