/* probe.h - what a message and the calls to the store take on this machine now.
 *
 * They are what changes most from one minute to the next, and what a checkpoint consists of.
 * They are measured on jobs of their own: never on the run that is to be predicted. */
#ifndef FAULTLINE_SIM_COMMAND_PROBE_H
#define FAULTLINE_SIM_COMMAND_PROBE_H

#include "sim/command/trial.h"

/* What several looks at the machine saw. */
struct probe {
    struct sample passing_ns; /* of the messages of live checkpoints of four subtasks in memory */
    struct call_times calls;  /* of live jobs of one and of four subtasks to the store */
};

/* It has seen nothing yet, and grows in `arena`. */
void probe_init(struct probe *probe, struct arena *arena);

/* Adds what `more` saw. */
void probe_join(struct probe *probe, const struct probe *more);

/* Who syncs alone waits for all of the disk's work; of several the first does it for the others. */
enum probe_subtasks { PROBE_ONE, PROBE_FOUR };

/* A live job of 20,000 records, which take a second; with `processes` no thread must have been
 * started here. Errors: as trial_run_live. */
MUST_USE enum status probe_messages(struct probe *probe, const struct trial_place *place,
                                    bool processes);
MUST_USE enum status probe_store(struct probe *probe, const struct trial_place *place,
                                 enum probe_subtasks subtasks, bool processes);

/* What the messages of the same checkpoint take in simulated time, in the median: when it costs
 * nothing to take one, and when it costs PROBE_MESSAGE_NS. */
enum { PROBE_MESSAGE_NS = 100000 };
struct probe_passing {
    uint64_t free_ns;
    uint64_t costly_ns;
};

/* Finds that on a network like that of `cluster`. */
MUST_USE enum status probe_simulate(struct probe_passing *passing, const struct trial_place *place,
                                    const struct cluster *cluster);

/* Puts into `cluster` the costs that make simulated time what the probe saw: of a message, and of
 * the store its latency, sync_ns and remove_ns. */
void probe_apply(const struct probe *probe, const struct probe_passing *passing,
                 struct cluster *cluster);

#endif
