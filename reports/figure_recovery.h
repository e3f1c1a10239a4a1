/* figure_recovery.h - how long a recovery takes, over the interval and the input rate: simulated,
 * as the fluid model of catching up says (models_recovery.h), and as others measured. */
#ifndef FAULTLINE_REPORTS_FIGURE_RECOVERY_H
#define FAULTLINE_REPORTS_FIGURE_RECOVERY_H

#include "reports/report_data.h"
#include "reports/report_figure.h"

/* Of the sweeps with recoveries over more than one interval and rate; no panel if there is none.
 * A sweep named "khaos-iot" is laid over the measurements of khaos_iot.h. */
void figure_recovery(struct report_figure *figure, struct arena *arena,
                     const struct report_data *data);

#endif
