/* scenario_library.h - loads a user's own job from a shared library (include/faultline/job.h). */
#ifndef FAULTLINE_SIM_SCENARIO_LIBRARY_H
#define FAULTLINE_SIM_SCENARIO_LIBRARY_H

#include "model/jobs/jobs.h"

/* The job in the library at `path`, which stays loaded until the process ends; NULL: `error`, which
 * is empty before, says why there is none. Memory from `arena`. */
const struct job_info *library_load(struct arena *arena, const char *path, struct buffer *error);

#endif
