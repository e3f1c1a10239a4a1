/* folding_state.h - typed views of values into which others are folded as they are added (Flink's
 * ReducingState and AggregatingState). */
#ifndef FAULTLINE_STATE_FOLDING_STATE_H
#define FAULTLINE_STATE_FOLDING_STATE_H

#include "model/state/state_view.h"

/* Appends to `out` what becomes of `a` and, added later, `b`. */
typedef void (*reduce_function)(void *context, struct bytes a, struct bytes b, struct buffer *out);

struct reducing_state {
    struct state_view view;
    reduce_function reduce;
    void *context;
    struct buffer next; /* what the state becomes */
};

void reducing_state_open(struct reducing_state *state, struct arena *arena, struct backend *backend,
                         const struct state_options *options, reduce_function reduce,
                         void *context);

/* Folds `value` in: the first one is the state. data == NULL: clears the state. */
void reducing_state_add(struct reducing_state *state, struct bytes value);

/* What has been folded; data == NULL: nothing. Borrowed until the next call. */
struct bytes reducing_state_get(struct reducing_state *state);

void reducing_state_clear(struct reducing_state *state);

/* Folds the values of other namespaces into that of `target`, and clears them (Flink's
 * mergeNamespaces). `target` is current afterwards. */
void reducing_state_merge(struct reducing_state *state, struct bytes target,
                          const struct bytes *sources, size_t count);

/* An accumulator is a run of bytes of any size, 0 too. */
struct accumulate_function {
    void (*create)(void *context, struct buffer *accumulator); /* appends that of no values */
    void (*add)(void *context, struct buffer *accumulator, struct bytes value);
    void (*merge)(void *context, struct buffer *accumulator, struct bytes other);
    void (*result)(void *context, struct bytes accumulator, struct buffer *out); /* appends it */
    void *context;
};

struct aggregating_state {
    struct state_view view; /* of the accumulator */
    const struct accumulate_function *function;
    struct buffer accumulator;
    struct buffer result;
};

/* `function` stays borrowed. */
void aggregating_state_open(struct aggregating_state *state, struct arena *arena,
                            struct backend *backend, const struct state_options *options,
                            const struct accumulate_function *function);

/* As for a reducing state; get answers the result of the accumulator. */
void aggregating_state_add(struct aggregating_state *state, struct bytes value);
struct bytes aggregating_state_get(struct aggregating_state *state);
void aggregating_state_clear(struct aggregating_state *state);
void aggregating_state_merge(struct aggregating_state *state, struct bytes target,
                             const struct bytes *sources, size_t count);

#endif
