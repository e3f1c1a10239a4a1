/* output.h - one output of a subtask, to one consumer: deals records to one buffer per downstream
 * subtask, and sends buffers as credit allows.
 *
 * W1  Each channel is first in, first out over buffers and events.
 * W2  At most `buffers_per_channel` buffers of a channel are on their way (sent and not consumed);
 *     more wait here. Events (barriers, ends) need no credit, but keep their place (W1).
 * W3  The subtask takes no input while output_is_available is false; so what waits is bounded by
 *     the records of one step. */
#ifndef FAULTLINE_RUNTIME_OUTPUT_H
#define FAULTLINE_RUNTIME_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/host.h"
#include "model/runtime/input_gate.h"
#include "model/stream/pipeline.h"

struct output_channel {
    struct message *current;     /* being filled; NULL: none */
    struct message_queue waiting; /* for credit */
    uint32_t credit;
    uint32_t size_hint_bytes; /* how large the last buffer was */
};

struct output {
    struct host *host;
    uint64_t attempt;
    uint32_t stream;        /* ordering class of the messages */
    uint32_t source_channel; /* this subtask's channel index at each receiver */
    uint32_t channel_count; /* 0: the vertex has no consumer */
    const actor_id *receivers;
    struct output_channel *channels;
    uint16_t *channel_of_key_group; /* EXCHANGE_HASH */
    uint32_t max_parallelism;
    enum exchange exchange;
    key_function key_of;         /* EXCHANGE_HASH */
    const int64_t *timestamp_ms; /* of the record in hand; NULL: records travel without */
    uint32_t next_channel;       /* EXCHANGE_REBALANCE */
    uint32_t buffer_bytes;
    uint32_t *dirty;      /* channels with a current buffer */
    uint32_t dirty_count;
    uint32_t stalled_count; /* channels with data waiting for credit */
};

struct output_options {
    uint64_t attempt;
    uint32_t edge;           /* index of the edge in the job graph */
    uint32_t source_channel;
    uint32_t channel_count;
    const actor_id *receivers; /* `channel_count`; borrowed for the output's life */
    uint32_t max_parallelism;
    enum exchange exchange;
    key_function key_of;         /* EXCHANGE_HASH */
    const int64_t *timestamp_ms; /* where the timestamp of each record stands; NULL: none */
    uint32_t first_channel;      /* EXCHANGE_REBALANCE: where to begin */
    uint32_t buffer_bytes;
    uint32_t buffers_per_channel;
};

void output_init(struct output *output, struct host *host, const struct output_options *options);

/* Adds a record to the channel of its key (EXCHANGE_HASH, without timestamp). */
void output_emit(void *output, const struct record *record);

/* Where a chain sends the records of this output. */
struct collector output_collector(struct output *output);

/* Sends what has been collected, full or not. */
void output_flush(struct output *output);

/* Is anything collected that a flush would send? */
static inline bool output_is_dirty(const struct output *output)
{
    return output->dirty_count > 0;
}

/* Flushes, then sends one event on every channel behind what it holds: made by `make` for each. */
void output_broadcast(struct output *output,
                      struct message *(*make)(struct host *host, const void *argument),
                      const void *argument);

/* The receiver of `channel` consumed one buffer. */
void output_on_credit(struct output *output, uint32_t channel);

/* No channel waits for credit (W3). */
static inline bool output_is_available(const struct output *output)
{
    return output->stalled_count == 0;
}

#endif
