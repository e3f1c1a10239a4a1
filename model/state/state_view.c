#include "model/state/state_view.h"

#include "model/state/ttl.h"

void state_view_open(struct state_view *view, struct arena *arena, struct backend *backend,
                     enum state_kind kind, const struct state_options *options)
{
    CHECK(backend != NULL);
    CHECK(options->ttl.ttl_ns == 0 || options->ttl.host != NULL);
    struct state_descriptor state = { .name = options->name,
                                      .kind = kind,
                                      .value = options->value,
                                      .has_namespace = options->has_namespace,
                                      .ttl_ns = options->ttl.ttl_ns };
    if (state_has_subkey(&state)) {
        state.subkey = options->subkey;
    }
    *view = (struct state_view){ .backend = backend,
                                 .id = backend_declare(backend, &state),
                                 .ttl = options->ttl };
    CHECK(view->id != STATE_REFUSED);
    buffer_init(&view->scratch, arena);
    if (view->ttl.cleanup_count == 0) {
        view->ttl.cleanup_count = TTL_CLEANUP_DEFAULT;
    }
}

uint64_t state_view_now(struct state_view *view)
{
    if (view->ttl.ttl_ns == 0) {
        return 0;
    }
    backend_set_time(view->backend, host_now_ns(view->ttl.host));
    return view->backend->now_ns;
}

void state_view_clean(struct state_view *view)
{
    if (view->ttl.ttl_ns > 0 && view->ttl.cleanup_count != TTL_NO_CLEANUP) {
        backend_expire(view->backend, view->ttl.cleanup_count);
    }
}

bool state_view_is_over(const struct state_view *view, struct bytes stored, uint64_t now_ns)
{
    if (view->ttl.ttl_ns == 0) {
        return false;
    }
    CHECK(stored.size >= TTL_STAMP_BYTES);
    return ttl_is_over(load_u64(stored.data), view->ttl.ttl_ns, now_ns);
}

struct bytes state_view_peek(struct state_view *view, uint64_t now_ns)
{
    struct bytes stored = backend_get(view->backend, view->id);
    if (stored.data == NULL || state_view_is_over(view, stored, now_ns)) {
        return (struct bytes){ 0 };
    }
    return state_view_content(view, stored);
}

/* A copy of a value with the stamp `now_ns`, which outlives what happens to the backend. */
static struct bytes stamp(struct state_view *view, uint64_t now_ns, struct bytes value)
{
    buffer_reset(&view->scratch);
    encode_u64(&view->scratch, now_ns);
    buffer_append(&view->scratch, value);
    return buffer_bytes(&view->scratch);
}

struct bytes state_view_get(struct state_view *view, uint64_t now_ns)
{
    struct bytes stored = backend_get(view->backend, view->id);
    if (stored.data == NULL || view->ttl.ttl_ns == 0) {
        return stored;
    }
    struct bytes content = state_view_content(view, stored);
    if (!state_view_is_over(view, stored, now_ns)) {
        if (view->ttl.refresh == TTL_ON_CREATE_AND_WRITE) {
            return content;
        }
        stored = stamp(view, now_ns, content);
        backend_put(view->backend, view->id, stored);
        return state_view_content(view, stored);
    }
    stored = stamp(view, now_ns, content);
    backend_remove(view->backend, view->id);
    return view->ttl.visibility == TTL_NEVER_RETURN_EXPIRED ? (struct bytes){ 0 }
                                                            : state_view_content(view, stored);
}

void state_view_put(struct state_view *view, uint64_t now_ns, struct bytes value)
{
    CHECK(value.data != NULL || value.size == 0);
    backend_put(view->backend, view->id,
                view->ttl.ttl_ns == 0 ? value : stamp(view, now_ns, value));
}
