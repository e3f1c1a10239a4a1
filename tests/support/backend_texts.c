#include "tests/support/backend_texts.h"

#include "model/base/codec.h"
#include "tests/support/backend_kinds.h"

const struct state_descriptor list_of_texts = { .name = "list",
                                                .kind = STATE_LIST,
                                                .value = { .name = "text" } };
const struct state_descriptor map_of_texts = { .name = "map",
                                               .kind = STATE_MAP,
                                               .value = { .name = "text", .version = 2 },
                                               .subkey = { .name = "text" } };
const struct state_descriptor windowed_map_of_texts = { .name = "window map",
                                                        .kind = STATE_MAP,
                                                        .value = { .name = "text" },
                                                        .subkey = { .name = "text" },
                                                        .has_namespace = true };

struct bytes text(const char *at)
{
    return bytes_of_text(at);
}

bool is_text(struct bytes value, const char *expected)
{
    return expected == NULL ? value.data == NULL
                            : value.data != NULL && bytes_equal(value, text(expected));
}

bool holds(struct backend *backend, state_id state, const char *expected)
{
    return is_text(backend_get(backend, state), expected);
}

void put_at(struct backend *backend, state_id state, const char *subkey, const char *value)
{
    backend_set_subkey(backend, text(subkey));
    backend_put(backend, state, text(value));
}

const char *map_as_text(struct backend *backend, state_id state, struct arena *arena)
{
    struct buffer out;
    struct backend_entry entry;
    buffer_init(&out, arena);
    backend_iterate(backend, state, SCOPE_MAP);
    while (backend_next(backend, state, &entry)) {
        buffer_append_format(&out, "%.*s=%.*s ", (int)entry.at.subkey.size,
                             (const char *)entry.at.subkey.data, (int)entry.value.size,
                             (const char *)entry.value.data);
    }
    encode_u8(&out, 0);
    return (const char *)out.data;
}

struct bytes write_whole(struct backend *backend, struct arena *arena, uint64_t id)
{
    struct buffer out;
    buffer_init(&out, arena);
    struct backend_snapshot *snapshot = backend_snapshot_begin(backend, id, 0);
    struct bytes part = finish_snapshot(snapshot, &out, 1000);
    backend_snapshot_end(snapshot);
    return part;
}
