/* state.h - typed views over a backend: what a job's functions hold.
 *
 * A view has no storage of its own: it names a state in the backend and says how its values are
 * coded. It always concerns the current key (Flink's keyed state). */
#ifndef FAULTLINE_STATE_STATE_H
#define FAULTLINE_STATE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/state/backend.h"

/* Flink's ValueState of a 64-bit integer. */
struct value_state {
    struct backend *backend;
    state_id id;
};

/* Binds the state called `name`. */
void value_state_open(struct value_state *state, struct backend *backend, const char *name);

/* The current key's value; false if it is absent, and `*value` is then 0. */
bool value_state_get(const struct value_state *state, int64_t *value);

void value_state_put(const struct value_state *state, int64_t value);

/* Makes the current key's value absent. */
void value_state_clear(const struct value_state *state);

#endif
