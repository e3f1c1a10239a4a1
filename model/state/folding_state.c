#include "model/state/folding_state.h"

static void clear(struct state_view *view)
{
    backend_remove(view->backend, view->id);
}

/* ---- reducing -------------------------------------------------------------------------------- */

void reducing_state_open(struct reducing_state *state, struct arena *arena, struct backend *backend,
                         const struct state_options *options, reduce_function reduce, void *context)
{
    CHECK(reduce != NULL);
    *state = (struct reducing_state){ .reduce = reduce, .context = context };
    state_view_open(&state->view, arena, backend, STATE_REDUCING, options);
    buffer_init(&state->next, arena);
}

static void reduce_into(struct reducing_state *state, uint64_t now_ns, struct bytes value)
{
    struct bytes before = state_view_peek(&state->view, now_ns);
    if (before.data == NULL) {
        state_view_put(&state->view, now_ns, value);
        return;
    }
    buffer_reset(&state->next);
    state->reduce(state->context, before, value, &state->next);
    state_view_put(&state->view, now_ns, buffer_bytes(&state->next));
}

void reducing_state_add(struct reducing_state *state, struct bytes value)
{
    if (value.data == NULL) {
        clear(&state->view);
        return;
    }
    reduce_into(state, state_view_now(&state->view), value);
    state_view_clean(&state->view);
}

struct bytes reducing_state_get(struct reducing_state *state)
{
    uint64_t now_ns = state_view_now(&state->view);
    state_view_clean(&state->view);
    return state_view_get(&state->view, now_ns);
}

void reducing_state_clear(struct reducing_state *state)
{
    clear(&state->view);
}

void reducing_state_merge(struct reducing_state *state, struct bytes target,
                          const struct bytes *sources, size_t count)
{
    struct state_view *view = &state->view;
    uint64_t now_ns = state_view_now(view);
    struct buffer taken;
    buffer_init(&taken, state->next.arena);
    for (size_t i = 0; i < count; i++) {
        CHECK(!bytes_equal(sources[i], target));
        backend_set_namespace(view->backend, sources[i]);
        struct bytes source = state_view_peek(view, now_ns);
        bool is_there = source.data != NULL;
        buffer_reset(&taken);
        buffer_append(&taken, source);
        clear(view);
        backend_set_namespace(view->backend, target);
        if (is_there) {
            reduce_into(state, now_ns, buffer_bytes(&taken));
        }
    }
    buffer_free(&taken);
    backend_set_namespace(view->backend, target);
}

/* ---- aggregating ----------------------------------------------------------------------------- */

void aggregating_state_open(struct aggregating_state *state, struct arena *arena,
                            struct backend *backend, const struct state_options *options,
                            const struct accumulate_function *function)
{
    CHECK(function != NULL);
    *state = (struct aggregating_state){ .function = function };
    state_view_open(&state->view, arena, backend, STATE_AGGREGATING, options);
    buffer_init(&state->accumulator, arena);
    buffer_init(&state->result, arena);
}

/* Appends the current accumulator to that in hand; false: there is none. */
static bool take_current(struct aggregating_state *state, uint64_t now_ns)
{
    struct bytes before = state_view_peek(&state->view, now_ns);
    buffer_append(&state->accumulator, before);
    return before.data != NULL;
}

void aggregating_state_add(struct aggregating_state *state, struct bytes value)
{
    if (value.data == NULL) {
        clear(&state->view);
        return;
    }
    uint64_t now_ns = state_view_now(&state->view);
    const struct accumulate_function *function = state->function;
    buffer_reset(&state->accumulator);
    if (!take_current(state, now_ns)) {
        function->create(function->context, &state->accumulator);
    }
    function->add(function->context, &state->accumulator, value);
    state_view_put(&state->view, now_ns, buffer_bytes(&state->accumulator));
    state_view_clean(&state->view);
}

struct bytes aggregating_state_get(struct aggregating_state *state)
{
    uint64_t now_ns = state_view_now(&state->view);
    state_view_clean(&state->view);
    struct bytes accumulator = state_view_get(&state->view, now_ns);
    if (accumulator.data == NULL) {
        return accumulator;
    }
    buffer_reset(&state->result);
    buffer_reserve(&state->result, 1); /* so that a result of no bytes has an address */
    state->function->result(state->function->context, accumulator, &state->result);
    return buffer_bytes(&state->result);
}

void aggregating_state_clear(struct aggregating_state *state)
{
    clear(&state->view);
}

void aggregating_state_merge(struct aggregating_state *state, struct bytes target,
                             const struct bytes *sources, size_t count)
{
    struct state_view *view = &state->view;
    const struct accumulate_function *function = state->function;
    uint64_t now_ns = state_view_now(view);
    backend_set_namespace(view->backend, target);
    buffer_reset(&state->accumulator);
    bool is_there = take_current(state, now_ns);
    for (size_t i = 0; i < count; i++) {
        CHECK(!bytes_equal(sources[i], target));
        backend_set_namespace(view->backend, sources[i]);
        struct bytes source = state_view_peek(view, now_ns);
        if (is_there && source.data != NULL) {
            function->merge(function->context, &state->accumulator, source);
        } else if (source.data != NULL) {
            is_there = take_current(state, now_ns);
        }
        clear(view);
    }
    backend_set_namespace(view->backend, target);
    if (is_there) {
        state_view_put(view, now_ns, buffer_bytes(&state->accumulator));
    }
}
