/* hunt.h - what every search for failures has: a base scenario and its input, a pool of workers, a
 * line about its progress, and a folder where failures are stored. */
#ifndef FAULTLINE_SIM_CAMPAIGN_HUNT_H
#define FAULTLINE_SIM_CAMPAIGN_HUNT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/codec.h"
#include "sim/campaign/finding.h"
#include "sim/campaign/progress.h"
#include "sim/campaign/run.h"
#include "sim/campaign/workers.h"
#include "sim/scenario/scenario_json.h"

struct hunt_options {
    const char *scenario; /* path of the base */
    struct scenario_overrides overrides;
    uint32_t processes;  /* 0: one a core */
    const char *out;     /* failures are stored in OUT/failures */
    const char *program; /* for the commands that are shown */
    FILE *report;        /* what people read; NULL: nothing */
    bool quiet;          /* of that only the end: no progress, and no failure when it is found */
};

struct hunt {
    const struct hunt_options *options;
    struct arena arena; /* of all that lives as long as the hunt */
    struct buffer *error;
    struct scenario scenario; /* the base */
    struct bytes input;
    struct progress progress;
};

/* Reads the base and its input, and makes the tables of a generator, which are the same in every
 * run unless a fault changes the input. PASS, BAD_USAGE or SURROUNDINGS, with a sentence in
 * `error`. Whatever comes of it, hunt_end() follows. `options` and `error` are borrowed. */
enum verdict hunt_begin(struct hunt *hunt, const struct hunt_options *options,
                        struct buffer *error);

/* Does `run`, a run of the base as it is, in a process of its own: the job may be a user's, and
 * crash. To `result` it appends the finding and what else the caller wants to know: `*known` gives
 * that back. PASS if nothing was found; else a sentence in the hunt's error says what, after
 * `failure`. */
enum verdict hunt_try_base(struct hunt *hunt,
                           void (*run)(void *context, uint64_t job, struct buffer *result),
                           void *context, const char *failure, struct decoder *known);

/* Runs the jobs of `pool`, whose `processes` are set here. PASS, or SURROUNDINGS with a sentence in
 * the hunt's error. */
enum verdict hunt_run(struct hunt *hunt, struct worker_pool pool, bool *interrupted);

/* OUT/failures. */
const char *hunt_folder(const struct hunt *hunt, struct arena *arena);

/* Says `what` was found, and where `scenario` is stored under `name`. If it cannot be stored, the
 * hunt's error says so. */
void hunt_store(struct hunt *hunt, const char *name, const struct scenario *scenario,
                const char *origin, const char *what, const struct finding *finding);

void hunt_end(struct hunt *hunt);

#endif
