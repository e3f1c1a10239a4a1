/* operator_chain.h - the operators of one subtask, opened, linked and called together.
 *
 * User code may fail anywhere, and a host may make it (host_throws): the failure is noted in the
 * context, and the subtask fails after the call. */
#ifndef FAULTLINE_RUNTIME_OPERATOR_CHAIN_H
#define FAULTLINE_RUNTIME_OPERATOR_CHAIN_H

#include "model/stream/operator.h"
#include "model/stream/pipeline.h"

struct operator_chain {
    const struct vertex *vertex;
    struct operator_context *context;
    void *instances[PIPELINE_CHAIN_LENGTH_MAX];
    struct collector collectors[PIPELINE_CHAIN_LENGTH_MAX]; /* where operator i sends to */
};

/* Opens every operator, the last first; the last one sends to `tail` (NULL: it is a sink). */
void operator_chain_open(struct operator_chain *chain, const struct vertex *vertex,
                         struct operator_context *context, const struct collector *tail);

/* Gives each operator its part of `state` (subtask_state.operators; empty: nothing to restore).
 * Errors: CORRUPT, and those of storage. */
MUST_USE enum status operator_chain_restore(struct operator_chain *chain, struct bytes state);

/* Appends the state of every operator to `out`, as subtask_state.operators wants it. */
void operator_chain_snapshot(struct operator_chain *chain, uint64_t checkpoint,
                             struct buffer *out);

void operator_chain_finish(struct operator_chain *chain);
void operator_chain_notify_complete(struct operator_chain *chain, uint64_t checkpoint);

/* Hands a record to the first operator. */
static inline void operator_chain_process(struct operator_chain *chain,
                                          const struct record *record)
{
    chain->vertex->chain[0].ops->process(chain->instances[0], record);
}

#endif
