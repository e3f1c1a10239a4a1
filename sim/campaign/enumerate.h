/* enumerate.h - a crash at every step of the protocol, of every participant: one run each.
 *
 * The base's own faults are left out, but not its rescales: crashes at their steps are tried, too.
 *
 * A run without faults tells which facts come about which participant in which checkpoint. Then, at
 * each of them, the JobManager and the participant die, as a process (kill -9), or with their
 * machine, which loses or tears what was not synced. With pairs, each such crash of a process is
 * followed by a second one at every fact that comes within a bound after it, the steps of the
 * recovery above all. What this claims, no random campaign can: all of them passed. */
#ifndef FAULTLINE_SIM_CAMPAIGN_ENUMERATE_H
#define FAULTLINE_SIM_CAMPAIGN_ENUMERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "sim/campaign/hunt.h"

enum { ENUMERATE_CHECKPOINTS = 3, ENUMERATE_PAIR_FACTS = 60 };

struct enumerate_options {
    struct hunt_options hunt;
    bool pairs;
    uint64_t checkpoint_max; /* only the first so many checkpoints, and the last */
    uint32_t pair_facts;     /* the second crash comes at one of so many facts after the first */
};

struct enumerate_result {
    uint64_t points; /* facts x participants x checkpoints x occurrences */
    uint64_t cases;  /* runs with a crash */
    uint64_t idle;   /* of them, whose (second) crash found nothing alive to strike */
    uint64_t failures;
    bool interrupted;
};

/* PASS if every case passed; STUCK if all that failed were stuck; else WRONG. BAD_USAGE or
 * SURROUNDINGS with a sentence in `error` if it could not be run. */
enum verdict enumerate(const struct enumerate_options *options, struct enumerate_result *result,
                       struct buffer *error);

#endif
