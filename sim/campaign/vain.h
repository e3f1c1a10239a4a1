/* vain.h - tells a run that would go on for ever: the job fails, starts again and fails again.
 *
 * A state that the checkpoint store does not take, or a record that no attempt gets past, fails
 * every attempt, and a restart strategy without an end allows the next one (Flink's default is
 * such). What counts is a failure of the job, and one of a checkpoint when the whole input has been
 * read, since the job waits for that one. VAIN_FAILURES_MAX of them in a row, with no checkpoint
 * completed in between, no fault that had an effect meanwhile, and none to come at a time: then
 * nothing is going to change. Of failures that a state was too large for the store fewer will do,
 * since every attempt comes to the same state. Where the strategy has an end, the job is left to
 * reach it. */
#ifndef FAULTLINE_SIM_VAIN_H
#define FAULTLINE_SIM_VAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "sim/fault/fault_script.h"
#include "sim/scenario/scenario.h"

/* With Flink's default delays the first take about half a minute. */
enum { VAIN_FAILURES_MAX = 8, VAIN_TOO_LARGE_MAX = 3 };

struct vain {
    const struct scenario *scenario;
    uint32_t vertex_count;
    uint32_t failures;   /* in a row */
    uint32_t too_large;  /* the last of them, of which a state that was too large was a cause */
    bool is_too_large;   /* such a state was met since the last failure */
    uint64_t failed_ns;  /* when the last one was */
    uint64_t task_count; /* of the attempt */
    uint64_t ended;      /* of them, that have read their whole input */
    struct buffer cause; /* of the last failure, as the model says it */
};

/* Nothing has happened yet to the job of `vertex_count` vertices. */
void vain_init(struct vain *vain, struct arena *arena, const struct scenario *scenario,
               uint32_t vertex_count);

/* In the order of the facts; `records` say what became of the scenario's faults so far. */
void vain_on_fact(struct vain *vain, const struct fact_event *event,
                  const struct fault_record *records);

/* Is there no point in going on? */
bool vain_is_hopeless(const struct vain *vain);

/* Why there is none; appends to `out`. */
void vain_describe(const struct vain *vain, struct buffer *out);

#endif
