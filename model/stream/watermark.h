/* watermark.h - event time: which time a record has, and when no earlier one is to be expected.
 *
 * The strategy of bounded disorder: a record is at most `disorder_ms` behind the newest one seen;
 * so the watermark is the newest timestamp - disorder_ms - 1. Watermarks are made every 200 ms
 * (Flink's auto-watermark interval), by each subtask for what went through it. Source: Flink's
 * BoundedOutOfOrdernessWatermarks and WatermarksWithIdleness. */
#ifndef FAULTLINE_STREAM_WATERMARK_H
#define FAULTLINE_STREAM_WATERMARK_H

#include "model/stream/operator.h"

struct watermark_parameters {
    /* The time of a record, the same each time it is read; not NO_TIMESTAMP. */
    int64_t (*timestamp_ms)(struct operator_context *context, const struct record *record);
    int64_t disorder_ms;
    uint64_t idle_after_ns; /* without a record for so long, readers do not wait for this subtask;
                             * 0: they always do */
};

#endif
