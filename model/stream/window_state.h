/* window_state.h - the accumulators of the windows of the current key: a map in the backend, with
 * the window as the map's key.
 *
 * Windows are read when they are asked for, and written by window_state_put; what was read is kept
 * until window_state_begin. */
#ifndef FAULTLINE_STREAM_WINDOW_STATE_H
#define FAULTLINE_STREAM_WINDOW_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/state/backend.h"
#include "model/stream/aggregate.h"

struct window_entry {
    struct window window;
    struct buffer accumulator;
};

struct window_state {
    struct arena *arena;
    struct backend *backend;
    state_id id;
    struct window_entry **entries; /* those read or added, sorted by window; spare ones behind */
    size_t count;
    size_t made; /* entries that exist, in use or spare */
    size_t capacity;
};

void window_state_open(struct window_state *state, struct arena *arena, struct backend *backend);

/* From here on the windows of the key that is current now. */
void window_state_begin(struct window_state *state);

/* Reads all windows of the key: state->entries holds them then. Right after window_state_begin. */
void window_state_read_all(struct window_state *state);

/* The accumulator of `window`; NULL: the key has no such window. Borrowed until the window is
 * dropped, or the next window_state_begin. */
struct buffer *window_state_find(struct window_state *state, struct window window);

/* Adds a window that is not there, with an empty accumulator. */
struct buffer *window_state_add(struct window_state *state, struct window window);

/* Writes the accumulator of a window that was found or added. */
void window_state_put(struct window_state *state, struct window window);

/* Removes a window that was found or added. */
void window_state_drop(struct window_state *state, struct window window);

#endif
