/* call_times.h - how long the calls of live jobs to the store took, and what of it counts.
 *
 * A disk that is busy with something else holds up a call now and then for a hundred times as long
 * as all others, so a plain mean is worth nothing. But calls take long or short as others call at
 * the same time, and a checkpoint waits for several of them, which add up: a median of single calls
 * would not. So some in a row are added up first, and of these sums the median is taken. */
#ifndef FAULTLINE_SIM_LIVE_CALL_TIMES_H
#define FAULTLINE_SIM_LIVE_CALL_TIMES_H

#include <stdbool.h>

#include "model/live/live_cluster.h"
#include "sim/live/sample.h"

enum { CALL_KIND_COUNT = LIVE_CALL_REMOVE + 1 };

struct call_times {
    struct sample took_ns[CALL_KIND_COUNT][2]; /* of subtasks, of the JobManager */
};

void call_times_init(struct call_times *times, struct arena *arena);

/* In the order in which the calls ended. */
void call_times_add(struct call_times *times, const struct live_call *call);

/* Adds all of `more` behind what is there. */
void call_times_join(struct call_times *times, const struct call_times *more);

/* The mean of those of the JobManager, or of the subtasks: the median of those of 8 in a row; 0:
 * there were fewer. */
uint64_t call_times_mean(const struct call_times *times, enum live_call_kind kind, bool of_manager);

#endif
