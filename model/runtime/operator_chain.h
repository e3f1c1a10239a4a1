/* operator_chain.h - the operators of one subtask, opened, linked and called together.
 *
 * Where a stream is used twice within the chain, or also leaves it there, what is emitted goes to
 * each in turn: first to the operators of the chain, then out of it.
 *
 * User code may fail anywhere, and a host may make it (host_throws): the failure is noted in the
 * context, and the subtask fails after the call. */
#ifndef FAULTLINE_RUNTIME_OPERATOR_CHAIN_H
#define FAULTLINE_RUNTIME_OPERATOR_CHAIN_H

#include "model/stream/operator.h"
#include "model/stream/pipeline.h"

/* Where records leave the chain. */
struct chain_exit {
    uint32_t operator;
    const char *tag; /* as in struct vertex_input */
    struct collector out;
};

/* Whom to tell that operator number `operator` passed a watermark on. */
struct chain_watermarks {
    void (*emit)(void *target, uint32_t operator, struct watermark watermark);
    void *target;
};

struct operator_chain {
    const struct vertex *vertex;
    struct operator_context *context;
    const struct chain_exit *exits;
    uint32_t exit_count;
    struct chain_watermarks watermarks;
    void *instances[PIPELINE_CHAIN_LENGTH_MAX];
    struct watermark made[PIPELINE_CHAIN_LENGTH_MAX]; /* the last that operator i made */
    int64_t heard_ms[PIPELINE_CHAIN_LENGTH_MAX]; /* the last watermark that operator i heard of */
    uint32_t opening;  /* while opening: which */
    bool makes_any;    /* some operator makes watermarks */
    bool is_timed;     /* some operator wants to know the processing time */
};

struct operator_chain_options {
    const struct vertex *vertex;
    struct operator_context *context;
    const struct chain_exit *exits; /* borrowed for the chain's life */
    uint32_t exit_count;
    struct chain_watermarks watermarks;
};

/* Opens every operator, children before parents. */
void operator_chain_open(struct operator_chain *chain,
                         const struct operator_chain_options *options);

/* Gives each operator its part of `state` (subtask_state.operators; empty: nothing to restore).
 * Errors: CORRUPT, and those of storage. */
MUST_USE enum status operator_chain_restore(struct operator_chain *chain, struct bytes state);

/* Every subtask of the attempt is restored. */
void operator_chain_run(struct operator_chain *chain);

/* Appends the state of every operator to `out`, as subtask_state.operators wants it. */
void operator_chain_snapshot(struct operator_chain *chain, uint64_t checkpoint,
                             struct buffer *out);

void operator_chain_finish(struct operator_chain *chain);
void operator_chain_notify_complete(struct operator_chain *chain, uint64_t checkpoint);

/* A watermark (or idleness) reached the chain: each operator hears of it, then its children. */
void operator_chain_watermark(struct operator_chain *chain, struct watermark watermark);

/* Lets the operators that make watermarks make them. */
void operator_chain_make_watermarks(struct operator_chain *chain, uint64_t now_ns);

void operator_chain_processing_time(struct operator_chain *chain, uint64_t now_ns);

/* Hands a record to the first operator; of the second side, to its process2. */
static inline void operator_chain_process(struct operator_chain *chain,
                                          const struct record *record)
{
    chain->vertex->chain[0].ops->process(chain->instances[0], record);
}
static inline void operator_chain_process2(struct operator_chain *chain,
                                           const struct record *record)
{
    chain->vertex->chain[0].ops->process2(chain->instances[0], record);
}

#endif
