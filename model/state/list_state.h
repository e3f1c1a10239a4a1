/* list_state.h - a typed view of a list (Flink's ListState): elements are added at its end.
 *
 * In the backend a list is one entry: its elements as runs of bytes (encode_bytes), each behind its
 * stamp if it has a time to live. An empty list is absent. */
#ifndef FAULTLINE_STATE_LIST_STATE_H
#define FAULTLINE_STATE_LIST_STATE_H

#include "model/state/state_view.h"

struct list_state {
    struct state_view view;
    struct buffer read;     /* the list that is gone through */
    struct decoder decoder; /* how far */
    uint64_t now_ns;        /* when that began */
};

void list_state_open(struct list_state *state, struct arena *arena, struct backend *backend,
                     const struct state_options *options);

/* Adds an element, which is not NULL. Takes a time that does not depend on how many there are. */
void list_state_add(struct list_state *state, struct bytes element);

/* Makes the list consist of `count` elements, none of them NULL; 0: clears it. They are not
 * borrowed from this list. */
void list_state_update(struct list_state *state, const struct bytes *elements, size_t count);

/* Goes through the list as it is at the beginning, whatever happens to it meanwhile: next gives one
 * element after the other, and false after the last. It is borrowed until the next begin. */
void list_state_begin(struct list_state *state);
bool list_state_next(struct list_state *state, struct bytes *element);

/* Makes the list empty. */
void list_state_clear(struct list_state *state);

/* Appends the lists of other namespaces to that of `target`, and clears them (Flink's
 * mergeNamespaces). `target` is current afterwards. */
void list_state_merge(struct list_state *state, struct bytes target, const struct bytes *sources,
                      size_t count);

#endif
