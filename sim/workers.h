/* workers.h - many runs at once: a pool of child processes, one job each.
 *
 * A job runs in a process of its own, so a crash of one run is a finding and not the end of the
 * campaign. The child's result is a run of bytes that the parent receives when the child has ended;
 * results come in the order of their ends. */
#ifndef FAULTLINE_SIM_WORKERS_H
#define FAULTLINE_SIM_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/status.h"

/* How a job ended. */
struct worker_end {
    uint64_t job;
    bool crashed;        /* by a signal, or without a word */
    int signal;          /* that ended it; 0: none */
    struct bytes result; /* borrowed for the call */
    struct bytes error_output; /* the last of what it printed to standard error; borrowed */
};

struct worker_pool {
    uint32_t processes; /* how many at once; 0: one a core */
    /* In the parent: the next job's number; false: there is none (any more). */
    bool (*next)(void *context, uint64_t *job);
    /* In the child: does the job and appends its result. */
    void (*run)(void *context, uint64_t job, struct buffer *result);
    /* In the parent: a job has ended. False: begin no further jobs. */
    bool (*ended)(void *context, const struct worker_end *end);
    /* In the parent, about ten times a second while jobs run; may be NULL. */
    void (*tick)(void *context);
    void *context;
};

/* Runs jobs until there are none, `ended` says stop, or the process is interrupted (SIGINT,
 * SIGTERM): then running children are killed, and `*interrupted` is set. Errors: IO (no process or
 * pipe can be made). */
MUST_USE enum status workers_run(const struct worker_pool *pool, bool *interrupted);

/* The number of processors this process may use; at least 1. */
uint32_t workers_default_count(void);

#endif
