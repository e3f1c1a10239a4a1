/* map_state.h - a typed view of a map (Flink's MapState): keys of its own, here called subkeys.
 * Each has an entry in the backend, and a time to live of its own. */
#ifndef FAULTLINE_STATE_MAP_STATE_H
#define FAULTLINE_STATE_MAP_STATE_H

#include "model/state/state_view.h"

struct map_state {
    struct state_view view;
    struct buffer subkey; /* of the entry that iteration has come to */
    uint64_t now_ns;      /* when it began */
};

void map_state_open(struct map_state *state, struct arena *arena, struct backend *backend,
                    const struct state_options *options);

/* The value of `subkey`; data == NULL: there is none. Borrowed until the next call. */
struct bytes map_state_get(struct map_state *state, struct bytes subkey);

/* Keeps a copy of `value`, which is not NULL: get could not tell it from no value. */
void map_state_put(struct map_state *state, struct bytes subkey, struct bytes value);

void map_state_remove(struct map_state *state, struct bytes subkey);
bool map_state_contains(struct map_state *state, struct bytes subkey);
bool map_state_is_empty(struct map_state *state);
void map_state_clear(struct map_state *state);

/* Goes through the map in the order of the subkeys' bytes: next gives one entry after the other,
 * borrowed until the next call of the view or the backend, and false after the last. Meanwhile only
 * the entry given last may be changed: put or removed. One iteration at a time. */
void map_state_begin(struct map_state *state);
bool map_state_next(struct map_state *state, struct bytes *subkey, struct bytes *value);

#endif
