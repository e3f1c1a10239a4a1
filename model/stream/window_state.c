#include "model/stream/window_state.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"

enum { SUBKEY_BYTES = 2 * sizeof(int64_t) };

void window_state_open(struct window_state *state, struct arena *arena, struct backend *backend)
{
    static const struct state_descriptor windows = { .name = "windows",
                                                     .kind = STATE_MAP,
                                                     .value = { .name = "accumulator" },
                                                     .subkey = { .name = "window" } };
    *state = (struct window_state){ .arena = arena,
                                    .backend = backend,
                                    .id = backend_declare(backend, &windows) };
    CHECK(state->id != STATE_REFUSED);
}

/* Bytes that come in the order of time: the greatest first, without a sign. */
static void write_time(uint8_t *at, int64_t time_ms)
{
    store_u64(at, __builtin_bswap64((uint64_t)time_ms ^ UINT64_C(1) << 63));
}

static int64_t read_time(const uint8_t *at)
{
    return (int64_t)(__builtin_bswap64(load_u64(at)) ^ UINT64_C(1) << 63);
}

static void set_subkey(const struct window_state *state, struct window window)
{
    uint8_t subkey[SUBKEY_BYTES];
    write_time(subkey, window.start_ms);
    write_time(subkey + sizeof window.start_ms, window.end_ms);
    backend_set_subkey(state->backend, (struct bytes){ .data = subkey, .size = sizeof subkey });
}

static int compare(struct window a, struct window b)
{
    if (a.start_ms != b.start_ms) {
        return a.start_ms < b.start_ms ? -1 : 1;
    }
    return (a.end_ms > b.end_ms) - (a.end_ms < b.end_ms);
}

/* Puts an entry with an empty accumulator at `at`, made of a spare one if there is one. */
static struct window_entry *insert(struct window_state *state, size_t at, struct window window)
{
    CHECK(at <= state->count);
    if (state->count == state->made) {
        state->entries = arena_grow(state->arena, state->entries, &state->capacity, state->made + 1,
                                    sizeof *state->entries);
        struct window_entry *entry = arena_alloc(state->arena, 1, sizeof *entry);
        buffer_init(&entry->accumulator, state->arena);
        state->entries[state->made++] = entry;
    }
    struct window_entry *entry = state->entries[state->count];
    memmove(&state->entries[at + 1], &state->entries[at],
            (state->count - at) * sizeof(struct window_entry *));
    state->entries[at] = entry;
    state->count++;
    entry->window = window;
    buffer_reset(&entry->accumulator);
    return entry;
}

void window_state_begin(struct window_state *state)
{
    state->count = 0;
}

void window_state_read_all(struct window_state *state)
{
    CHECK(state->count == 0);
    struct backend_entry entry;
    backend_iterate(state->backend, state->id, SCOPE_MAP);
    while (backend_next(state->backend, state->id, &entry)) {
        CHECK(entry.at.subkey.size == SUBKEY_BYTES); /* nobody else writes them */
        struct window window = { .start_ms = read_time(entry.at.subkey.data),
                                 .end_ms =
                                     read_time(entry.at.subkey.data + sizeof window.start_ms) };
        buffer_append(&insert(state, state->count, window)->accumulator, entry.value);
    }
}

/* The first entry whose window is not before `window`. */
static size_t position_of(const struct window_state *state, struct window window)
{
    size_t at = 0;
    while (at < state->count && compare(state->entries[at]->window, window) < 0) {
        at++;
    }
    return at;
}

/* The entry of a window that was found or added. */
static size_t known_position_of(const struct window_state *state, struct window window)
{
    size_t at = position_of(state, window);
    CHECK(at < state->count);
    CHECK(compare(state->entries[at]->window, window) == 0);
    return at;
}

struct buffer *window_state_find(struct window_state *state, struct window window)
{
    size_t at = position_of(state, window);
    if (at < state->count && compare(state->entries[at]->window, window) == 0) {
        return &state->entries[at]->accumulator;
    }
    set_subkey(state, window);
    struct bytes value = backend_get(state->backend, state->id);
    if (value.data == NULL) {
        return NULL;
    }
    struct buffer *accumulator = &insert(state, at, window)->accumulator;
    buffer_append(accumulator, value);
    return accumulator;
}

struct buffer *window_state_add(struct window_state *state, struct window window)
{
    size_t at = position_of(state, window);
    CHECK(at == state->count || compare(state->entries[at]->window, window) != 0);
    return &insert(state, at, window)->accumulator;
}

void window_state_put(struct window_state *state, struct window window)
{
    const struct window_entry *entry = state->entries[known_position_of(state, window)];
    set_subkey(state, window);
    backend_put(state->backend, state->id, buffer_bytes(&entry->accumulator));
}

void window_state_drop(struct window_state *state, struct window window)
{
    size_t at = known_position_of(state, window);
    struct window_entry *entry = state->entries[at];
    state->count--;
    memmove(&state->entries[at], &state->entries[at + 1],
            (state->count - at) * sizeof(struct window_entry *));
    state->entries[state->count] = entry; /* spare */
    set_subkey(state, window);
    backend_remove(state->backend, state->id);
}
