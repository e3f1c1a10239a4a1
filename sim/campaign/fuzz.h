/* fuzz.h - runs a scenario under random configurations and faults, one run a seed.
 *
 * Each seed's run is drawn by swarm.h: first faults, then none, so that nothing false may happen
 * (safety) and, once all faults are over, the job must end and make checkpoints again (liveness).
 * Runs are done by worker processes; a run that crashes is a finding like any other. The first
 * failing seeds are stored, each as one file that replays it. */
#ifndef FAULTLINE_SIM_CAMPAIGN_FUZZ_H
#define FAULTLINE_SIM_CAMPAIGN_FUZZ_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "sim/campaign/coverage.h"
#include "sim/campaign/hunt.h"

struct fuzz_options {
    struct hunt_options hunt; /* what is overridden is not drawn */
    uint64_t seed_first;
    uint64_t seed_last;
    uint64_t time_ns;                /* real time after which no run is begun; 0: no limit */
    uint32_t fault_count;            /* at most so many a run */
    bool shrink;                     /* afterwards, the first failure of each kind */
    const enum mark *required_marks; /* a campaign that never hits one of them fails */
    uint32_t required_mark_count;
};

struct fuzz_result {
    uint64_t runs;
    uint64_t failures;
    uint64_t first_failure; /* seed; of the lowest that failed */
    bool interrupted;
    struct coverage coverage;
};

/* Runs the campaign. PASS if no run failed and every required mark was hit; STUCK if runs failed,
 * and all of them were stuck; else WRONG. BAD_USAGE or SURROUNDINGS with one sentence in `error`
 * if it could not be run. */
enum verdict fuzz(const struct fuzz_options *options, struct fuzz_result *result,
                  struct buffer *error);

#endif
