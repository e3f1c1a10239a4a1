/* pipeline.h - the builder a job is written with (this project's DataStream API), and the job graph
 * that comes out of it.
 *
 * A job calls pipeline_source, stream_map, stream_key_by ... in the order of the flow. Operators
 * between two exchanges are chained into one vertex, as Flink chains them: they run in one subtask
 * and hand records over by a call. A key_by starts a new vertex, fed through a hash exchange. */
#ifndef FAULTLINE_STREAM_PIPELINE_H
#define FAULTLINE_STREAM_PIPELINE_H

#include <stdint.h>

#include "model/base/arena.h"
#include "model/stream/operator.h"

enum { PIPELINE_VERTEX_COUNT_MAX = 16, PIPELINE_CHAIN_LENGTH_MAX = 8 };

/* One operator of a chain: how to make it, and its static parameters. */
struct operator_spec {
    const char *name;
    const struct operator_ops *ops;
    const void *parameters; /* static, of the job */
};

typedef void (*key_function)(const struct record *record, struct key *key);

struct vertex {
    const char *name; /* of the operator that gives the chain its name: see pipeline_source */
    struct operator_spec chain[PIPELINE_CHAIN_LENGTH_MAX];
    uint32_t chain_length;
    int32_t input;        /* the vertex this one reads from; -1: it begins with a source */
    key_function key_of;  /* how the input is keyed */
    bool keyed;           /* an operator of the chain holds keyed state */
};

struct pipeline {
    struct vertex vertices[PIPELINE_VERTEX_COUNT_MAX]; /* upstream before downstream */
    uint32_t vertex_count;
};

/* A point in the flow, while building. */
struct stream {
    struct pipeline *pipeline;
    uint32_t vertex;
    key_function key_of; /* set by stream_key_by: the next operator starts a vertex */
};

void pipeline_init(struct pipeline *pipeline);

/* The job's input, as the configuration describes it. Its vertex is called `name`. */
struct stream pipeline_source(struct pipeline *pipeline, const char *name);

/* One call for each record; what it emits goes on. */
struct map_parameters {
    void (*map)(struct operator_context *context, const struct record *record,
                struct collector *out);
};
struct stream stream_map(struct stream stream, const char *name,
                         const struct map_parameters *parameters);

/* Partitions the stream by key; a keyed operator must follow. */
struct stream stream_key_by(struct stream stream, key_function key_of);

/* A function with keyed state. Its vertex is called `name`. */
struct process_parameters {
    size_t self_bytes; /* of the function's own struct, zeroed before open */
    void (*open)(void *self, struct operator_context *context);
    void (*process)(void *self, const struct record *record, struct collector *out);
};
struct stream stream_process(struct stream stream, const char *name,
                             const struct process_parameters *parameters);

/* Files with two-phase commit; each record is written as it is, followed by a line feed. */
void stream_file_sink(struct stream stream, const char *name);

/* The index of the vertex called `name`, or -1. */
int32_t pipeline_find_vertex(const struct pipeline *pipeline, struct bytes name);

#endif
