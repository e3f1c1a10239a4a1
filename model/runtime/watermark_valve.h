/* watermark_valve.h - the event time of a subtask: the smallest watermark of its input channels.
 *
 * V1  Its watermark is the minimum over the channels that count, and never falls.
 * V2  A channel that has ended does not count, nor does one that is idle. One that was idle counts
 *     again once it has caught up with the subtask's watermark.
 * V3  If all channels are idle, the subtask is; what it saw highest is its watermark then, because
 *     nothing is left to be waited for. If all have ended its watermark is WATERMARK_MAX.
 *
 * Not part of any snapshot. Source: Flink's StatusWatermarkValve. */
#ifndef FAULTLINE_RUNTIME_WATERMARK_VALVE_H
#define FAULTLINE_RUNTIME_WATERMARK_VALVE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/stream/operator.h"

struct watermark_valve {
    uint32_t channel_count;
    uint32_t open_count;   /* channels that have not ended */
    uint32_t active_count; /* of them: not idle */
    uint8_t *states;       /* enum channel_state, one a channel */
    int64_t *watermarks;   /* the last of each channel */
    /* A tree of minima: node i has the children 2i and 2i + 1; channel c is leaf channel_count + c.
     * A channel that does not count stands there as WATERMARK_MAX. */
    int64_t *minima;
    struct watermark output; /* of the subtask */
};

/* All channels open, active and at WATERMARK_MIN; at least one. */
void watermark_valve_init(struct watermark_valve *valve, struct arena *arena,
                          uint32_t channel_count);

/* `channel` sent a watermark or became idle, or it ended. True: the subtask's watermark or its
 * idleness has changed; it is in valve->output. */
bool watermark_valve_on_watermark(struct watermark_valve *valve, uint32_t channel,
                                  struct watermark watermark);
bool watermark_valve_on_end(struct watermark_valve *valve, uint32_t channel);

#endif
