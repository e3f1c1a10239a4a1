/* compare_private.h - what compare.c, which runs, and compare_tell.c, which tells, share. */
#ifndef FAULTLINE_SIM_COMMAND_COMPARE_PRIVATE_H
#define FAULTLINE_SIM_COMMAND_COMPARE_PRIVATE_H

#include "sim/campaign/sweep_grid.h"
#include "sim/command/compare_side.h"
#include "sim/command/options.h"

/* One cell of the grid; of a scenario without a grid the only one. */
struct compared_cell {
    const struct grid_cell *grid;
    struct scenario scenario;
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
    struct buffer *error;
};

/* The median of what the live runs of a cell have; 0: none has it. */
uint64_t compare_live_value(const struct comparison *comparison, const struct compared_cell *cell,
                            enum quantity quantity);

/* The first live run that is not as the simulated one; the first of all if there is none. */
const struct side *compare_worst_live(const struct comparison *comparison,
                                      const struct compared_cell *cell);

bool compare_is_equal(const struct comparison *comparison, const struct compared_cell *cell);

/* Everything about the only cell, or a line for each of several and the medians of their ratios. */
void compare_tell(const struct comparison *comparison);

#endif
