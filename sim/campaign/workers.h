/* workers.h - many jobs at once: a pool of child processes, each with a batch of jobs.
 *
 * A job runs in a child process, so a crash of one run is a finding and not the end of the
 * campaign. A child does its jobs in order and reports each as soon as it is done: when it dies,
 * the culprit is the first job it has not reported, and the jobs behind that are given to another
 * child. Reports come in the order of their ends. */
#ifndef FAULTLINE_SIM_CAMPAIGN_WORKERS_H
#define FAULTLINE_SIM_CAMPAIGN_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/status.h"

/* How a job ended. */
struct worker_end {
    uint64_t job;
    bool crashed;              /* by a signal, or without a word */
    int signal;                /* that ended it; 0: none. SIGALRM: its time was up */
    struct bytes result;       /* borrowed for the call; empty if it crashed */
    struct bytes error_output; /* if it crashed: the last of what its process printed to standard
                                * error; borrowed */
};

struct worker_pool {
    uint32_t processes;   /* how many at once; 0: one a core */
    uint32_t batch;       /* how many jobs a child is given at most; 0: one */
    uint64_t job_count;   /* of all jobs, for batches that get smaller towards the end, so that the
                           * children end together; 0: not known */
    uint32_t job_seconds; /* a job that takes longer is killed, by real time; 0: never */
    /* In the parent: the next job's number; false: there is none (any more). */
    bool (*next)(void *context, uint64_t *job);
    /* In the child: does the job and appends its result to the empty buffer. */
    void (*run)(void *context, uint64_t job, struct buffer *result);
    /* In the parent: a job has ended. False: begin no further batches. */
    bool (*ended)(void *context, const struct worker_end *end);
    /* In the parent, about ten times a second while jobs run. False: stop at once, what runs is
     * killed. May be NULL. */
    bool (*tick)(void *context);
    void *context;
};

/* Runs jobs until there are none, `ended` or `tick` says stop, or the process is interrupted
 * (SIGINT, SIGTERM): then running children are killed, and `*interrupted` is set. Errors: IO (no
 * process or pipe can be made). */
MUST_USE enum status workers_run(const struct worker_pool *pool, bool *interrupted);

/* The number of processors this process may use; at least 1. */
uint32_t workers_default_count(void);

#endif
