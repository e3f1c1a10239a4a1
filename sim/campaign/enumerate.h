/* enumerate.h - a crash at every step of the protocol, of every participant: one run each.
 *
 * The base's own faults are left out, but not its rescales: crashes at their steps are tried, too.
 *
 * A run without faults tells which facts come about which participant in which checkpoint. Then, at
 * each of them, the JobManager and the participant die, as a process (kill -9), or with their
 * machine, which loses or tears what was not synced. What this claims, no random campaign can: all
 * of them passed.
 *
 * With pairs, each such crash of a process is followed by a second one, of the JobManager or of the
 * participant, at every fact until the job has recovered from the first: it runs again and has
 * completed a checkpoint. Of crashes of a process that did nothing between them only the first is
 * tried. Pairs are tried in the order of the steps between the two, so that one that was stopped
 * has tried all up to some distance. */
#ifndef FAULTLINE_SIM_CAMPAIGN_ENUMERATE_H
#define FAULTLINE_SIM_CAMPAIGN_ENUMERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "sim/campaign/hunt.h"

enum { ENUMERATE_CHECKPOINTS = 3 };

struct enumerate_options {
    struct hunt_options hunt;
    uint64_t checkpoint_max; /* only the first so many checkpoints, and the last */
    uint32_t pair_steps;     /* the second crash comes at one of so many facts after the first, if
                              * the job has not recovered before; 0: no pairs */
    uint64_t time_ns;        /* real time after which no case is begun; 0: no limit */
};

struct enumerate_result {
    uint64_t points; /* facts x participants x checkpoints x occurrences */
    uint64_t cases;  /* runs with one crash */
    uint64_t pairs;  /* ... with two */
    uint64_t idle;   /* of both, whose (last) crash found nothing alive to strike */
    uint64_t failures;
    bool interrupted;
    bool out_of_time;
};

/* PASS if every case that was tried passed; STUCK if all that failed were stuck; else WRONG.
 * BAD_USAGE or SURROUNDINGS with a sentence in `error` if it could not be run. */
enum verdict enumerate(const struct enumerate_options *options, struct enumerate_result *result,
                       struct buffer *error);

#endif
