/* figure_cost.h - what a checkpoint takes, over the number of tasks N and the interval T: the
 * figures about the formula "checkpoint time = T x N", and the laws that compete with it
 * (models_cost.h). */
#ifndef FAULTLINE_REPORTS_FIGURE_COST_H
#define FAULTLINE_REPORTS_FIGURE_COST_H

#include "reports/cost_regime.h"
#include "reports/report_figure.h"

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
