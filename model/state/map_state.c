#include "model/state/map_state.h"

void map_state_open(struct map_state *state, struct arena *arena, struct backend *backend,
                    const struct state_options *options)
{
    CHECK(options->subkey.name != NULL);
    *state = (struct map_state){ 0 };
    state_view_open(&state->view, arena, backend, STATE_MAP, options);
    buffer_init(&state->subkey, arena);
}

struct bytes map_state_get(struct map_state *state, struct bytes subkey)
{
    backend_set_subkey(state->view.backend, subkey);
    uint64_t now_ns = state_view_now(&state->view);
    state_view_clean(&state->view);
    return state_view_get(&state->view, now_ns);
}

void map_state_put(struct map_state *state, struct bytes subkey, struct bytes value)
{
    CHECK(value.data != NULL);
    backend_set_subkey(state->view.backend, subkey);
    state_view_put(&state->view, state_view_now(&state->view), value);
    state_view_clean(&state->view);
}

void map_state_remove(struct map_state *state, struct bytes subkey)
{
    backend_set_subkey(state->view.backend, subkey);
    backend_remove(state->view.backend, state->view.id);
}

bool map_state_contains(struct map_state *state, struct bytes subkey)
{
    return map_state_get(state, subkey).data != NULL;
}

bool map_state_is_empty(struct map_state *state)
{
    struct bytes subkey;
    struct bytes value;
    map_state_begin(state);
    return !map_state_next(state, &subkey, &value);
}

void map_state_clear(struct map_state *state)
{
    struct backend *backend = state->view.backend;
    struct backend_entry entry;
    backend_iterate(backend, state->view.id, SCOPE_MAP);
    while (backend_next(backend, state->view.id, &entry)) {
        backend_set_subkey(backend, entry.at.subkey);
        backend_remove(backend, state->view.id);
    }
}

void map_state_begin(struct map_state *state)
{
    state->now_ns = state_view_now(&state->view);
    state_view_clean(&state->view);
    backend_iterate(state->view.backend, state->view.id, SCOPE_MAP);
}

bool map_state_next(struct map_state *state, struct bytes *subkey, struct bytes *value)
{
    struct state_view *view = &state->view;
    struct backend_entry entry;
    while (backend_next(view->backend, view->id, &entry)) {
        if (view->ttl.ttl_ns == 0) {
            *subkey = entry.at.subkey;
            *value = entry.value;
            return true;
        }
        /* To read it as any other entry may change it: then nothing of it can be borrowed. */
        buffer_reset(&state->subkey);
        buffer_reserve(&state->subkey, 1);
        buffer_append(&state->subkey, entry.at.subkey);
        backend_set_subkey(view->backend, buffer_bytes(&state->subkey));
        *subkey = buffer_bytes(&state->subkey);
        *value = state_view_get(view, state->now_ns);
        if (value->data != NULL) {
            return true;
        }
    }
    return false;
}
