/* figure_compare.h - simulated against live: the figure of what `compare` found over a grid. */
#ifndef FAULTLINE_REPORTS_FIGURE_COMPARE_H
#define FAULTLINE_REPORTS_FIGURE_COMPARE_H

#include "reports/report_data.h"
#include "reports/report_figure.h"

/* Makes it of the comparisons that have more than one cell, over T x N; without such there is no
 * panel. Memory from `arena`. */
void figure_compare(struct report_figure *figure, struct arena *arena,
                    const struct report_data *data);

#endif
