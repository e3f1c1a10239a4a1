#include "model/state/state.h"

#include "model/base/check.h"

void value_state_open(struct value_state *state, struct backend *backend, const char *name)
{
    CHECK(backend != NULL);
    *state = (struct value_state){ .backend = backend, .id = backend_declare(backend, name) };
}

void value_state_clear(const struct value_state *state)
{
    backend_remove(state->backend, state->id);
}
