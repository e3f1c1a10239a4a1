#include "model/state/list_state.h"

#include "model/state/ttl.h"

void list_state_open(struct list_state *state, struct arena *arena, struct backend *backend,
                     const struct state_options *options)
{
    *state = (struct list_state){ 0 };
    state_view_open(&state->view, arena, backend, STATE_LIST, options);
    buffer_init(&state->read, arena);
}

static void encode_element(struct buffer *out, const struct state_view *view, uint64_t now_ns,
                           struct bytes element)
{
    CHECK(element.data != NULL);
    bool has_stamp = view->ttl.ttl_ns > 0;
    encode_u32(out, (uint32_t)(element.size + (has_stamp ? TTL_STAMP_BYTES : 0)));
    if (has_stamp) {
        encode_u64(out, now_ns);
    }
    buffer_append(out, element);
}

void list_state_add(struct list_state *state, struct bytes element)
{
    struct state_view *view = &state->view;
    buffer_reset(&view->scratch);
    encode_element(&view->scratch, view, state_view_now(view), element);
    backend_append(view->backend, view->id, buffer_bytes(&view->scratch));
    state_view_clean(view);
}

void list_state_update(struct list_state *state, const struct bytes *elements, size_t count)
{
    struct state_view *view = &state->view;
    uint64_t now_ns = state_view_now(view);
    if (count == 0) {
        list_state_clear(state);
        return;
    }
    buffer_reset(&view->scratch);
    for (size_t i = 0; i < count; i++) {
        encode_element(&view->scratch, view, now_ns, elements[i]);
    }
    backend_put(view->backend, view->id, buffer_bytes(&view->scratch));
    state_view_clean(view);
}

/* Writes the list that was read back with the stamps of now; without what has expired. */
static void refresh(struct list_state *state)
{
    struct state_view *view = &state->view;
    struct decoder decoder;
    decoder_init(&decoder, buffer_bytes(&state->read));
    buffer_reset(&view->scratch);
    while (decoder.position < decoder.size) {
        struct bytes element = decode_bytes(&decoder);
        if (!state_view_is_over(view, element, state->now_ns)) {
            encode_element(&view->scratch, view, state->now_ns, state_view_content(view, element));
        }
    }
    if (view->scratch.size > 0) {
        backend_put(view->backend, view->id, buffer_bytes(&view->scratch));
    }
}

/* Is the time of each element of the list that was read over? */
static bool is_all_over(const struct list_state *state)
{
    struct decoder decoder;
    decoder_init(&decoder, buffer_bytes(&state->read));
    while (decoder.position < decoder.size) {
        if (!state_view_is_over(&state->view, decode_bytes(&decoder), state->now_ns)) {
            return false;
        }
    }
    return true;
}

void list_state_begin(struct list_state *state)
{
    struct state_view *view = &state->view;
    state->now_ns = state_view_now(view);
    state_view_clean(view);
    struct bytes list = backend_get(view->backend, view->id);
    buffer_reset(&state->read);
    buffer_append(&state->read, list);
    decoder_init(&state->decoder, buffer_bytes(&state->read));
    if (list.data == NULL || view->ttl.ttl_ns == 0) {
        return;
    }
    if (is_all_over(state)) {
        backend_remove(view->backend, view->id);
    } else if (view->ttl.refresh == TTL_ON_READ_AND_WRITE) {
        refresh(state);
    }
}

bool list_state_next(struct list_state *state, struct bytes *element)
{
    struct decoder *decoder = &state->decoder;
    while (decoder->position < decoder->size) {
        struct bytes stored = decode_bytes(decoder);
        CHECK(!decoder->failed); /* nobody else writes lists */
        if (state->view.ttl.visibility != TTL_NEVER_RETURN_EXPIRED ||
            !state_view_is_over(&state->view, stored, state->now_ns)) {
            *element = state_view_content(&state->view, stored);
            return true;
        }
    }
    return false;
}

void list_state_clear(struct list_state *state)
{
    backend_remove(state->view.backend, state->view.id);
}

void list_state_merge(struct list_state *state, struct bytes target, const struct bytes *sources,
                      size_t count)
{
    struct state_view *view = &state->view;
    buffer_reset(&view->scratch);
    for (size_t i = 0; i < count; i++) {
        CHECK(!bytes_equal(sources[i], target));
        backend_set_namespace(view->backend, sources[i]);
        buffer_append(&view->scratch, backend_get(view->backend, view->id));
        backend_remove(view->backend, view->id);
    }
    backend_set_namespace(view->backend, target);
    if (view->scratch.size > 0) {
        backend_append(view->backend, view->id, buffer_bytes(&view->scratch));
    }
}
