/* aggregate.h - an aggregate function: what windows and rolling aggregates keep instead of records.
 *
 * An accumulator is a run of bytes of any size, 0 too. Source: Flink's AggregateFunction. */
#ifndef FAULTLINE_STREAM_AGGREGATE_H
#define FAULTLINE_STREAM_AGGREGATE_H

#include "model/stream/operator.h"

/* From start_ms up to, but not including, end_ms. */
struct window {
    int64_t start_ms;
    int64_t end_ms;
};

/* What a result is of; borrowed for the call. */
struct aggregate_result {
    const struct key *key;
    struct window window; /* all zero: of a rolling aggregate */
    struct bytes accumulator;
};

struct aggregate_function {
    /* Appends the accumulator of no records. */
    void (*create)(struct buffer *accumulator);
    void (*add)(struct buffer *accumulator, const struct record *record);
    /* Adds `other` to the accumulator: for windows that merge; else NULL. */
    void (*merge)(struct buffer *accumulator, struct bytes other);
    /* Emits the result. */
    void (*result)(const struct aggregate_result *result, struct collector *out);
};

#endif
