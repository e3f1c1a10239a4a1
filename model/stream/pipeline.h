/* pipeline.h - the builder a job is written with (this project's DataStream API), and the job graph
 * that comes out of it.
 *
 * A job calls pipeline_source, stream_map, stream_key_by ... in the order of the flow; a stream may
 * be used more than once. Operators between two exchanges are chained into one vertex, as Flink
 * chains them: they run in one subtask and hand records over by a call. A key_by, a rebalance or a
 * second input starts a new vertex, named after its first operator. Mistakes of the job's author
 * trip a check.
 *
 * Input channels of a subtask are numbered input by input: `parallelism` of them for each, one for
 * EXCHANGE_FORWARD. */
#ifndef FAULTLINE_STREAM_PIPELINE_H
#define FAULTLINE_STREAM_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/stream/operator.h"

enum {
    PIPELINE_VERTEX_COUNT_MAX = 32,
    PIPELINE_CHAIN_LENGTH_MAX = 12,
    PIPELINE_INPUT_COUNT_MAX = 8, /* of one vertex */
};

typedef void (*key_function)(const struct record *record, struct key *key);

/* To which subtask of the consumer a record goes. */
enum exchange {
    EXCHANGE_FORWARD,   /* the one with the same index; a single such input is chained instead */
    EXCHANGE_HASH,      /* the owner of its key */
    EXCHANGE_REBALANCE, /* each in turn */
    EXCHANGE_BROADCAST, /* all of them */
};

/* One operator of a chain: how to make it, and from whom it gets its records. */
struct operator_spec {
    const char *name;
    const struct operator_ops *ops;
    const void *parameters; /* static, of the job */
    int32_t parent;         /* the operator of the chain that feeds it; -1: it is the head */
    const char *parent_tag; /* a side output of the parent; NULL: its main one */
};

/* What a vertex reads: an output of an operator upstream. */
struct vertex_input {
    uint32_t vertex;
    uint32_t operator; /* in the vertex's chain */
    const char *tag;   /* a side output of the operator; NULL: its main one */
    enum exchange exchange;
    key_function key_of; /* NULL: not keyed */
    bool has_timestamps; /* records carry event time, and watermarks come with them */
    uint8_t side;        /* 0: for the head's `process`, 1: for its `process2` */
};

struct vertex {
    const char *name;
    struct operator_spec chain[PIPELINE_CHAIN_LENGTH_MAX]; /* parents before children */
    uint32_t chain_length;
    struct vertex_input inputs[PIPELINE_INPUT_COUNT_MAX];
    uint32_t input_count; /* 0: the head of the chain is a source */
    bool keyed;           /* the head of the chain holds keyed state */
};

struct pipeline {
    struct vertex vertices[PIPELINE_VERTEX_COUNT_MAX]; /* upstream before downstream */
    uint32_t vertex_count;
    uint32_t sink_count;
};

/* A point in the flow, while building. */
struct stream {
    struct pipeline *pipeline;
    struct vertex_input inputs[PIPELINE_INPUT_COUNT_MAX]; /* of the operator that comes next */
    uint32_t input_count;
};

void pipeline_init(struct pipeline *pipeline);

/* The job's input, as the configuration describes it. Its vertex is called `name`. */
struct stream pipeline_source(struct pipeline *pipeline, const char *name);

/* The same for a job over integers: those that are generated come as record_i64, with is_number,
 * instead of being written as lines that the job would read at once. */
struct stream pipeline_number_source(struct pipeline *pipeline, const char *name);

/* ---- where records go ------------------------------------------------------------------------ */

/* Partitions the stream by key. */
struct stream stream_key_by(struct stream stream, key_function key_of);

/* Deals the records out in turn. */
struct stream stream_rebalance(struct stream stream);

/* Gives every record to every subtask: for the second side of stream_connect. */
struct stream stream_broadcast(struct stream stream);

/* The records of both. If they are keyed, key them behind the union. */
struct stream stream_union(struct stream first, struct stream second);

/* Two sides for one process function with `process` and `process2`. The first is keyed, the second
 * is keyed too or broadcast. */
struct stream stream_connect(struct stream first, struct stream second);

/* What the last operator of `stream` emits to the side output `tag` (operator_side). */
struct stream stream_side(struct stream stream, const char *tag);

/* ---- operators without state ----------------------------------------------------------------- */

/* One call for each record; what it emits, none to many records, goes on. (A map and a flat map.)
 */
struct map_parameters {
    void (*map)(struct operator_context *context, const struct record *record,
                struct collector *out);
    bool keeps_numbers; /* `map` hands on a record that is_number as it is: it need not see it */
};
struct stream stream_map(struct stream stream, const char *name,
                         const struct map_parameters *parameters);

/* Lets through the records for which `keep` answers true. */
struct filter_parameters {
    bool (*keep)(struct operator_context *context, const struct record *record);
};
struct stream stream_filter(struct stream stream, const char *name,
                            const struct filter_parameters *parameters);

/* Event time: gives each record its time, and makes watermarks (watermark.h). */
struct watermark_parameters;
struct stream stream_watermarks(struct stream stream, const char *name,
                                const struct watermark_parameters *parameters);

/* For operators of other modules: adds one behind the only side of `stream`. */
struct stream pipeline_add_operator(const struct stream *stream, const char *name,
                                    const struct operator_ops *ops, const void *parameters);

/* Is there room for one more operator behind `stream`? */
bool pipeline_has_room(const struct stream *stream);

/* ---- operators with keyed state -------------------------------------------------------------- */

/* The join of two keyed streams: join.h. For operators of such modules: adds one that holds keyed
 * state and takes all sides of `stream`. */
struct stream pipeline_add_keyed(const struct stream *stream, const char *name,
                                 const struct operator_ops *ops, const void *parameters);

/* A function with keyed state, and with timers if it has on_timer (timer_service.h). */
struct timer;
struct process_parameters {
    size_t self_bytes; /* of the function's own struct, zeroed before open */
    void (*open)(void *self, struct operator_context *context);
    void (*process)(void *self, const struct record *record, struct collector *out);
    void (*process2)(void *self, const struct record *record, struct collector *out);
    void (*on_timer)(void *self, const struct timer *timer, struct collector *out);
    void (*finish)(void *self, struct collector *out); /* all input has come; may be NULL */
    bool has_operator_state; /* open declares operator state (operator_state.h) */
    void (*restored)(void *self); /* it holds what a checkpoint had of it; may be NULL */
};
struct stream stream_process(struct stream stream, const char *name,
                             const struct process_parameters *parameters);

/* A rolling aggregate: each record is added to the key's accumulator, and its result emitted. */
struct aggregate_function; /* aggregate.h */
struct stream stream_aggregate(struct stream stream, const char *name,
                               const struct aggregate_function *function);

/* Windows over event time (window.h). */
struct window_parameters;
struct stream stream_window(struct stream stream, const char *name,
                            const struct window_parameters *parameters);

/* ---- sinks ----------------------------------------------------------------------------------- */

/* Files with two-phase commit; each record is written as it is, followed by a line feed. In a job
 * with several sinks each has a directory of its own, called `name`. */
void stream_file_sink(struct stream stream, const char *name);

/* ---- the graph ------------------------------------------------------------------------------- */

/* The index of the vertex called `name`, or -1. */
int32_t pipeline_find_vertex(const struct pipeline *pipeline, struct bytes name);

/* Does vertex `to` read from vertex `from`? Then the number of this edge, from 0; else -1. Edges
 * are numbered in the order of the vertices they lead to; several inputs between the same two
 * vertices are one edge. */
int32_t pipeline_edge(const struct pipeline *pipeline, uint32_t from, uint32_t to);
uint32_t pipeline_edge_count(const struct pipeline *pipeline);

/* How many channels an input has, in each subtask. */
static inline uint32_t vertex_input_channels(const struct vertex_input *input, uint32_t parallelism)
{
    return input->exchange == EXCHANGE_FORWARD ? 1 : parallelism;
}

/* The first channel of input number `index`; with index = input_count: how many there are. */
uint32_t vertex_first_channel(const struct vertex *vertex, uint32_t index, uint32_t parallelism);

/* The input that `channel` belongs to. */
const struct vertex_input *vertex_input_of_channel(const struct vertex *vertex, uint32_t channel,
                                                   uint32_t parallelism);

/* Does any record of the vertex's inputs have a timestamp? */
bool vertex_has_event_time(const struct vertex *vertex);

#endif
