/* output_set.h - all outputs of a subtask: one struct output for each input of a vertex downstream
 * that reads from it.
 *
 * The output channels of a subtask are numbered output by output; a credit names its channel so. */
#ifndef FAULTLINE_RUNTIME_OUTPUT_SET_H
#define FAULTLINE_RUNTIME_OUTPUT_SET_H

#include "model/runtime/job_config.h"
#include "model/runtime/messages.h"
#include "model/runtime/operator_chain.h"
#include "model/runtime/output.h"

struct output_set {
    struct output *outputs;
    uint32_t count;
    struct chain_exit *exits; /* where the records of output i leave the chain */
};

/* The outputs of subtask `subtask` of `vertex`. `timestamp_ms`: where each record's stands. */
void output_set_init(struct output_set *set, struct host *host, const struct job_config *config,
                     const struct pipeline *pipeline, const struct deployment *deployment,
                     uint32_t vertex, uint32_t subtask, const int64_t *timestamp_ms);

/* The first output channel, at each subtask upstream, of input number `index` of `vertex`. */
uint32_t output_set_first_channel(const struct pipeline *pipeline, uint32_t parallelism,
                                  uint32_t vertex, uint32_t index);

/* Sends one event on every channel, behind what is collected; takes it. */
void output_set_broadcast(struct output_set *set, struct host *host, struct message *event);

/* The same, for the outputs of operator number `operator` that carry event time. */
void output_set_watermark(struct output_set *set, struct host *host, uint32_t operator,
                          struct message * event);

void output_set_flush(struct output_set *set);
void output_set_on_credit(struct output_set *set, uint32_t channel);

static inline bool output_set_is_dirty(const struct output_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (output_is_dirty(&set->outputs[i])) {
            return true;
        }
    }
    return false;
}

/* No channel waits for credit (W3). */
static inline bool output_set_is_available(const struct output_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (!output_is_available(&set->outputs[i])) {
            return false;
        }
    }
    return true;
}

#endif
