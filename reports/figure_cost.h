/* figure_cost.h - what a checkpoint takes, over the number of tasks N and the interval T: the
 * figures about the formula "checkpoint time = T x N", and the laws that compete with it
 * (models_cost.h). */
#ifndef FAULTLINE_REPORTS_FIGURE_COST_H
#define FAULTLINE_REPORTS_FIGURE_COST_H

#include "reports/report_data.h"
#include "reports/report_figure.h"

/* A sweep over N and T without failures: one regime, one panel. */
struct cost_regime {
    const char *name;
    const struct report_cell *cells; /* by N, then T, then seed */
    size_t cell_count;
};

enum { COST_REGIMES_MAX = 8 };

/* Finds the regimes, in the order of their names, those of the textbook first; returns how many. */
uint32_t cost_find_regimes(const struct report_data *data,
                           struct cost_regime regimes[COST_REGIMES_MAX]);

/* Each makes one figure of at least one regime; memory from `arena`. */
void figure_time_by_product(struct report_figure *figure, struct arena *arena,
                            const struct cost_regime *regimes, uint32_t count);
void figure_time_by_tasks(struct report_figure *figure, struct arena *arena,
                          const struct cost_regime *regimes, uint32_t count);
void figure_time_by_interval(struct report_figure *figure, struct arena *arena,
                             const struct cost_regime *regimes, uint32_t count);
void figure_alignment(struct report_figure *figure, struct arena *arena,
                      const struct cost_regime *regimes, uint32_t count);
void figure_phases(struct report_figure *figure, struct arena *arena,
                   const struct cost_regime *regimes, uint32_t count);

#endif
