/* compare_private.h - what compare.c, which runs, and compare_tell.c, which tells, share. */
#ifndef FAULTLINE_SIM_COMMAND_COMPARE_PRIVATE_H
#define FAULTLINE_SIM_COMMAND_COMPARE_PRIVATE_H

#include "sim/campaign/sweep_grid.h"
#include "sim/command/compare_side.h"
#include "sim/command/options.h"
#include "sim/command/probe.h"

/* One cell of the grid; of a scenario without a grid the only one. */
struct compared_cell {
    const struct grid_cell *grid;
    struct scenario scenario; /* of the simulated run, with the costs that count */
    struct bytes input;
    struct side simulated;
    struct side *live; /* options->repeats of them */
};

struct comparison {
    const struct options *options;
    struct arena *arena;
    const char *name; /* of the scenario */
    struct compared_cell *cells;
    uint64_t cell_count;
    struct trial_place place; /* of the files of all live runs */
    struct probe *looks;      /* before the first live run and after each; NULL: not taken */
    struct buffer *error;
};

/* A cost that is measured again around live runs, as it is named within `cluster`. */
struct compared_cost {
    const char *name;
    size_t offset; /* in struct cluster */
};
enum { COMPARED_COST_COUNT = 4 };
extern const struct compared_cost compared_costs[COMPARED_COST_COUNT];

/* If --recalibrate is given: looks at the machine for the time after `live_runs` live runs, over
 * all cells. Errors: as trial_run_live. */
MUST_USE enum status compare_look(struct comparison *comparison, uint64_t live_runs);

/* If it is: gives the cell the costs that were seen directly before and after its live runs. */
MUST_USE enum status compare_recalibrate(struct comparison *comparison, struct compared_cell *cell);

/* The median of what the live runs of a cell have; 0: none has it. */
uint64_t compare_live_value(const struct comparison *comparison, const struct compared_cell *cell,
                            enum quantity quantity);

/* The first live run that is not as the simulated one; the first of all if there is none. */
const struct side *compare_worst_live(const struct comparison *comparison,
                                      const struct compared_cell *cell);

bool compare_is_equal(const struct comparison *comparison, const struct compared_cell *cell);

/* What things cost in the cell's simulated run: a JSON object, path in the scenario -> value. */
const char *compare_costs_text(const struct comparison *comparison,
                               const struct compared_cell *cell);

/* Everything about the only cell, or a line for each of several and the medians of their ratios. */
void compare_tell(const struct comparison *comparison);

#endif
