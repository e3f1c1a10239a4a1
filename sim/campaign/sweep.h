/* sweep.h - every cell of a scenario's grid, one process each, into the results database as each
 * ends.
 *
 * S1  A cell is its resolved scenario, seed included: one that the database has from this build is
 *     not run again. So a sweep that was killed goes on where it was, and the same grid twice
 *     leaves the same rows.
 * S2  Only the parent writes to the database, one transaction a cell: a killed sweep loses no
 *     finished cell.
 * S3  The rows of sweep_cell are those of the grid that was swept last under the sweep's name.
 * S4  A cell whose process dies is a finding; it leaves no row and is run again the next time. */
#ifndef FAULTLINE_SIM_CAMPAIGN_SWEEP_H
#define FAULTLINE_SIM_CAMPAIGN_SWEEP_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/status.h"
#include "reports/results.h"
#include "sim/campaign/run.h"
#include "sim/scenario/scenario_json.h"

struct sweep_state;

struct sweep_options {
    const char *scenario; /* path */
    const struct scenario_overrides *overrides;
    const char *build;
    struct results *results;
    uint32_t processes; /* 0: one a core */
    /* Says how far it is; about ten times a second, and after each cell. May be NULL. */
    void (*report)(void *context, const struct sweep_state *state);
    void *context;
};

/* What became of one cell. */
enum sweep_fate { SWEEP_WAITING, SWEEP_FOUND, SWEEP_RAN, SWEEP_TWIN, SWEEP_CRASHED, SWEEP_FAILED };

struct sweep_cell {
    const char *label;       /* "job.parallelism=4 seed=2" */
    const char *coordinates; /* the same as a JSON object */
    const char *json;        /* the resolved scenario */
    uint64_t hash;           /* of it */
    enum sweep_fate fate;    /* found: in the database before; twin: the same run as another cell;
                              * failed: its surroundings did */
    enum verdict verdict;
    uint64_t wall_ns;    /* ran */
    const char *message; /* what is wrong, in one line; "": nothing */
};

struct sweep_state {
    const char *name; /* of the scenario */
    const struct sweep_cell *cells;
    uint64_t cell_count;
    uint64_t found_count;          /* needed no run: found or twins */
    uint64_t ended_count;          /* ran, crashed or failed in this call */
    uint64_t failed_count;         /* of all that are known: not PASS */
    uint64_t elapsed_ns;           /* real time since the first run began */
    const struct sweep_cell *last; /* that ended just now; NULL: none */
    bool interrupted;
    enum verdict worst;
};

/* Runs all that is missing. Everything in `state` lives in `arena`. On an error of the whole (a bad
 * scenario or cell: INVALID; an unreadable file; the database: as results_add) one sentence is
 * appended to `error`; what finished before is kept. */
MUST_USE enum status sweep_run(struct sweep_state *state, struct arena *arena,
                               const struct sweep_options *options, struct buffer *error);

#endif
