/* shrink.h - the smallest scenario that still fails in the same way.
 *
 * Faults are deleted (delta debugging), joined, and tried at other steps; a fault becomes a simpler
 * one, and one at a time becomes one at a step; the input is cut, subtasks, TaskManagers and keys
 * are taken away, settings get their defaults back, and numbers become round: each for as long as
 * the failure stays the same (finding_same). Candidates run in child processes, so a crash can be
 * shrunk as well, and as they would be read from a file, so what comes out fails when it is read
 * back. Unless it is stopped early, the same scenario shrinks to the same bytes, with any number of
 * processes. (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002.) */
#ifndef FAULTLINE_SIM_CAMPAIGN_SHRINK_H
#define FAULTLINE_SIM_CAMPAIGN_SHRINK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/status.h"
#include "sim/campaign/finding.h"
#include "sim/campaign/run.h"
#include "sim/scenario/scenario_json.h"

struct shrink_options {
    uint32_t processes; /* 0: one a core */
    uint64_t time_ns;   /* real time after which it stops with what it has; 0: no limit */
    FILE *report;       /* a line for each step that helped; NULL: nothing */
};

struct shrink_result {
    uint64_t runs;          /* candidates tried */
    uint64_t accepted;      /* of them, that still failed */
    bool interrupted;       /* by SIGINT or SIGTERM: not the smallest */
    bool out_of_time;       /* or of runs: not the smallest either */
    struct finding finding; /* of the small scenario: the same, in its own words */
    struct bytes input;     /* of the small scenario */
};

/* Makes `*small` from `scenario`, which fails with `*finding`. Memory from `arena`, and from the
 * scenario's and the input's. While it works SIGINT and SIGTERM end only the work: `*small` is then
 * the best so far. Error: INVALID if the scenario does not fail so when it is read back; IO without
 * processes. */
MUST_USE enum status shrink(struct scenario *small, struct arena *arena,
                            const struct scenario *scenario, struct bytes input,
                            const struct finding *finding, const struct shrink_options *options,
                            struct shrink_result *result, struct buffer *error);

struct shrink_file_options {
    const char *scenario; /* path; usually a run.json */
    struct scenario_overrides overrides;
    const char *out; /* the file to write; NULL: SCENARIO-small.json beside it. If an input file had
                      * to be cut, the cut one is written beside it, as .txt */
    const char *program;
    FILE *report; /* what came of it; NULL: nothing */
    struct shrink_options shrink;
};

/* The verb: reads, finds out how the scenario fails, shrinks, writes. PASS if a smaller or equal
 * scenario was written; BAD_USAGE with a sentence if the scenario does not fail; SURROUNDINGS. */
enum verdict shrink_file(const struct shrink_file_options *options, struct buffer *error);

/* Runs one scenario in a child process, as read back from what scenario_write_short makes of it. */
MUST_USE enum status run_apart(const struct scenario *scenario, struct bytes input,
                               struct arena *arena, struct finding *finding);

#endif
