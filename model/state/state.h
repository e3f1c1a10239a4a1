/* state.h - typed views of a single value (Flink's ValueState): a 64-bit integer, or any bytes. For
 * what all views have in common see state_view.h. */
#ifndef FAULTLINE_STATE_STATE_H
#define FAULTLINE_STATE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/state/state_view.h"

/* A 64-bit integer that lives for ever and has no namespace. */
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

/* Adds `amount` to the current key's value, or to 0 if it is absent; returns the new value. */
static inline int64_t value_state_add(const struct value_state *state, int64_t amount)
{
    return (int64_t)backend_add(state->backend, state->id, (uint64_t)amount);
}

/* Makes the current key's value absent. */
void value_state_clear(const struct value_state *state);

/* A value of any type. */
struct bytes_state {
    struct state_view view;
    struct bytes if_absent; /* what get answers if there is no value; data == NULL: nothing */
};

void bytes_state_open(struct bytes_state *state, struct arena *arena, struct backend *backend,
                      const struct state_options *options, struct bytes if_absent);

/* The value, or the default. Nobody can write through it; it is borrowed until the next call. */
struct bytes bytes_state_get(struct bytes_state *state);

/* Sets the value; data == NULL: clears it. */
void bytes_state_put(struct bytes_state *state, struct bytes value);

/* Makes the value absent. */
void bytes_state_clear(struct bytes_state *state);

#endif
