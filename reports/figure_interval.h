/* figure_interval.h - what is left of the time for useful work, over the interval: measured, as the
 * models say (models_interval.h), and where their optima lie. */
#ifndef FAULTLINE_REPORTS_FIGURE_INTERVAL_H
#define FAULTLINE_REPORTS_FIGURE_INTERVAL_H

#include "reports/report_data.h"
#include "reports/report_figure.h"

/* Of the first sweep of jobs at full speed that has cells with failures over more than two
 * intervals, and cells with neither checkpoints nor failures to measure by; no panel if there is
 * none. */
void figure_interval(struct report_figure *figure, struct arena *arena,
                     const struct report_data *data);

#endif
