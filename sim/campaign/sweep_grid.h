/* sweep_grid.h - the cells of a grid: what each sets, and the scenario that it comes to. */
#ifndef FAULTLINE_SIM_SWEEP_GRID_H
#define FAULTLINE_SIM_SWEEP_GRID_H

#include "sim/scenario/scenario_json.h"

struct grid_cell {
    const char *label;       /* "job.parallelism=4 seed=2" */
    const char *coordinates; /* the same as a JSON object */
    const char *json;        /* the resolved scenario */
};

/* Resolves the cells of the grid that scenario_read_sweep read from `path` with the same
 * `overrides`, the last axis moving fastest: grid->cell_count of them, memory from `arena`. On an
 * error (a bad value of a cell: INVALID; an unreadable file) one sentence is appended to `error`.
 */
MUST_USE enum status sweep_grid_cells(const struct sweep_grid *grid, const char *path,
                                      const struct scenario_overrides *overrides,
                                      struct arena *arena, struct grid_cell **cells,
                                      struct buffer *error);

#endif
