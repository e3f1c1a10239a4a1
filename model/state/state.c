#include "model/state/state.h"

#include "model/base/check.h"

void value_state_open(struct value_state *state, struct backend *backend, const char *name)
{
    CHECK(backend != NULL);
    struct state_descriptor descriptor = { .name = name,
                                           .kind = STATE_VALUE,
                                           .value = { .name = "i64" } };
    *state =
        (struct value_state){ .backend = backend, .id = backend_declare(backend, &descriptor) };
    CHECK(state->id != STATE_REFUSED);
}

void value_state_clear(const struct value_state *state)
{
    backend_remove(state->backend, state->id);
}

void bytes_state_open(struct bytes_state *state, struct arena *arena, struct backend *backend,
                      const struct state_options *options, struct bytes if_absent)
{
    state_view_open(&state->view, arena, backend, STATE_VALUE, options);
    state->if_absent = if_absent.data == NULL ? if_absent : bytes_copy(arena, if_absent);
}

struct bytes bytes_state_get(struct bytes_state *state)
{
    uint64_t now_ns = state_view_now(&state->view);
    state_view_clean(&state->view);
    struct bytes value = state_view_get(&state->view, now_ns);
    return value.data != NULL ? value : state->if_absent;
}

void bytes_state_put(struct bytes_state *state, struct bytes value)
{
    if (value.data == NULL) {
        bytes_state_clear(state);
        return;
    }
    state_view_put(&state->view, state_view_now(&state->view), value);
    state_view_clean(&state->view);
}

void bytes_state_clear(struct bytes_state *state)
{
    backend_remove(state->view.backend, state->view.id);
}
