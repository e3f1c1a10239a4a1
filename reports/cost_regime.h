/* cost_regime.h - the regimes of a report: sweeps over the number of tasks N and the interval T, in
 * which different laws of what a checkpoint takes hold (models_cost.h). */
#ifndef FAULTLINE_REPORTS_COST_REGIME_H
#define FAULTLINE_REPORTS_COST_REGIME_H

#include "reports/report_data.h"

/* A sweep over N and T without failures: one regime, one panel. */
struct cost_regime {
    const char *name;
    const struct report_cell *cells; /* by N, then T, then seed */
    size_t cell_count;
};

enum { COST_REGIMES_MAX = 8, COST_VALUES_MAX = 6 };

/* Finds the regimes, in the order of their names, those of the textbook first; returns how many. */
uint32_t cost_find_regimes(const struct report_data *data,
                           struct cost_regime regimes[COST_REGIMES_MAX]);

/* "full snapshots, own disks" for a regime of the textbook; else its name. Borrowed. */
const char *cost_regime_title(const struct cost_regime *regime);

/* The different values of N or T in a regime, rising; of many, some. */
struct cost_values {
    double values[COST_VALUES_MAX];
    uint32_t count;
};
struct cost_values cost_values_of(const struct cost_regime *regime, bool tasks);

/* "FIGURE-REGIME", in `arena`. */
const char *cost_panel_name(struct arena *arena, const char *figure,
                            const struct cost_regime *regime);

#endif
