/* trial.h - a short job that runs, live or simulated, to see what it takes.
 *
 * One worker that counts, and what settings make of it. What it took is noted from its facts: the
 * same way on both hosts. */
#ifndef FAULTLINE_SIM_COMMAND_TRIAL_H
#define FAULTLINE_SIM_COMMAND_TRIAL_H

#include "sim/live/call_times.h"
#include "sim/live/sample.h"
#include "sim/scenario/scenario_json.h"

/* What all trials of a command have in common. */
struct trial_place {
    const char *command;                 /* which errors are about */
    struct scenario_overrides overrides; /* of every trial, before its own settings */
    const char *folder;                  /* for the files of live ones, one after the other */
    struct buffer *error;
};

/* What is to be noted, and what the run took. */
struct trial {
    bool processes;            /* live: not threads; only before threads were started here */
    struct call_times *calls;  /* to add those to the store to; NULL: they are not timed */
    struct sample *passing_ns; /* to add to, for each checkpoint, the time from its trigger until
                                * all have acknowledged it, less the longest synchronous part;
                                * NULL: nothing is added */
    uint64_t running_ns;
    uint64_t end_of_data_ns; /* of the last subtask */
    uint64_t records;
    uint64_t bytes; /* of the largest part of the final checkpoint */
    uint64_t async_ns;
    uint64_t triggered_ns; /* of the checkpoint under way */
    uint64_t sync_part_ns;
};

/* Reads the scenario of a trial with `settings`, which end with NULL. Errors: as scenario_parse. */
MUST_USE enum status trial_read(const struct trial_place *place, struct arena *arena,
                                const char *const *settings, struct scenario *scenario);

/* Runs it; it must pass. Errors, with one sentence in place->error: INVALID (a setting, or it did
 * not pass), and those of live_run. */
MUST_USE enum status trial_run_live(const struct trial_place *place, const char *const *settings,
                                    struct trial *trial);
MUST_USE enum status trial_run_simulated(const struct trial_place *place,
                                         const char *const *settings, struct trial *trial);

/* Nanoseconds that a record took, on average over the whole run. */
uint64_t trial_record_ns(const struct trial *trial);

#endif
