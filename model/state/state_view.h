/* state_view.h - what the typed views of a state have in common: a view is what a job's functions
 * hold of a keyed state, in Flink's words and with Flink's rules.
 *
 * A view has no storage of its own: it names a state of the backend, says how its values are coded,
 * and keeps their time to live. It always concerns the current key, and, if it has namespaces, the
 * current one (backend_set_key, backend_set_namespace).
 *
 *   state.h          value_state: a 64-bit integer, the most frequent one; bytes_state: any value
 *   list_state.h     list_state
 *   map_state.h      map_state
 *   folding_state.h  reducing_state, aggregating_state
 *
 * Nulls are bytes with data == NULL. To put one into a value clears it, to add one to a reducing or
 * aggregating state clears it too; to a list or map none can be added: a failed check. */
#ifndef FAULTLINE_STATE_STATE_VIEW_H
#define FAULTLINE_STATE_STATE_VIEW_H

#include "model/host.h"
#include "model/state/backend.h"

enum ttl_refresh { TTL_ON_CREATE_AND_WRITE, TTL_ON_READ_AND_WRITE };

/* What is seen of a value whose time is over. RETURN_EXPIRED: it is seen once more, and is then
 * gone, unless it has vanished already. */
enum ttl_visibility { TTL_NEVER_RETURN_EXPIRED, TTL_RETURN_EXPIRED_IF_NOT_CLEANED_UP };

enum { TTL_CLEANUP_DEFAULT = 5, TTL_NO_CLEANUP = UINT16_MAX };

/* Flink's StateTtlConfig; zero means Flink's default. */
struct ttl_options {
    uint64_t ttl_ns; /* 0: values live for ever */
    enum ttl_refresh refresh;
    enum ttl_visibility visibility;
    uint16_t cleanup_count; /* how many entries of the backend to look at in each access; 0: 5 */
    struct host *host;      /* the clock */
};

struct state_options {
    const char *name;
    struct state_type value;  /* of the value, the element, the accumulator */
    struct state_type subkey; /* of a map's keys */
    bool has_namespace;
    struct ttl_options ttl;
};

struct state_view {
    struct backend *backend;
    state_id id;
    struct ttl_options ttl;
    struct buffer scratch; /* a value on its way in or out */
};

/* Declares the state. A restored state, or another one of the program, that has this name and is
 * something else is a failed check: a program declares its states before the restore, which then
 * refuses (backend.h). Memory from `arena`. */
void state_view_open(struct state_view *view, struct arena *arena, struct backend *backend,
                     enum state_kind kind, const struct state_options *options);

/* The present, if there is a time to live; else 0. Each access begins with it. */
uint64_t state_view_now(struct state_view *view);

/* Lets the backend drop some of what has expired. What is borrowed from it may then be gone: so
 * this comes before what is read, and behind what is written. */
void state_view_clean(struct state_view *view);

/* The current entry's value without its stamp, as the options want it seen; data == NULL: absent.
 * Borrowed until the next call of the view or the backend. */
struct bytes state_view_get(struct state_view *view, uint64_t now_ns);

/* The same for folding: never an expired value, and its time is not refreshed. */
struct bytes state_view_peek(struct state_view *view, uint64_t now_ns);

/* Sets the current entry's value; it may be one that get has just lent out. */
void state_view_put(struct state_view *view, uint64_t now_ns, struct bytes value);

/* The value of `stored`, which is what the backend holds, or an element of a list. */
static inline struct bytes state_view_content(const struct state_view *view, struct bytes stored)
{
    if (view->ttl.ttl_ns == 0) {
        return stored;
    }
    CHECK(stored.size >= 8); /* the stamp: nobody else writes these values */
    return (struct bytes){ .data = stored.data + 8, .size = stored.size - 8 };
}

/* Is its time over? */
bool state_view_is_over(const struct state_view *view, struct bytes stored, uint64_t now_ns);

#endif
