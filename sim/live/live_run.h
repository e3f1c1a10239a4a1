/* live_run.h - one scenario for real: real processes or threads, files, kills; from start to
 * verdict.
 *
 * The same model, scenario and oracle as run.h; only the host is another one. Time is real, so two
 * runs differ; what they must have in common the oracle knows. */
#ifndef FAULTLINE_SIM_LIVE_LIVE_RUN_H
#define FAULTLINE_SIM_LIVE_LIVE_RUN_H

#include <stdio.h>

#include "model/live/live_cluster.h"
#include "sim/campaign/run.h"

struct live_run_options {
    struct run_options run;
    bool threads;       /* groups of threads of this process instead of processes */
    bool skip_faults;   /* go on without the faults that cannot be caused for real */
    const char *folder; /* where the volumes are while it runs; made anew, and removed */
    const char *kept;   /* not NULL: standard input is read while the job runs, and kept in this
                         * file, on the file system of `folder` */
    FILE *progress;     /* NULL: none */
    /* Not NULL: set if a signal ended it; signals are held from then on. */
    bool *was_interrupted;
    /* Told of each call to the store, with the observer's context. NULL: they are not timed. */
    void (*on_call)(void *context, const struct live_call *call);
};

/* Runs `scenario` on `input` and judges it, as run_scenario does. What the reader must know of how
 * it was run is appended to `notes`, a sentence a line. Its process must have no other thread.
 * SIGINT and SIGTERM end standard input, if it is read meanwhile, else the run.
 * Errors, with one sentence in `error`: INVALID (a fault that cannot be caused, or what was read is
 * wrong), NO_SPACE, IO (the surroundings, or a signal that ended it early). */
MUST_USE enum status live_run(struct run *run, struct arena *arena, const struct scenario *scenario,
                              struct bytes input, const struct live_run_options *options,
                              struct buffer *notes, struct buffer *error);

#endif
