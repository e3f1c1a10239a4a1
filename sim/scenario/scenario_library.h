/* scenario_library.h - loads a user's own job from a shared library (include/faultline/job.h). */
#ifndef FAULTLINE_SIM_SCENARIO_LIBRARY_H
#define FAULTLINE_SIM_SCENARIO_LIBRARY_H

#include "model/jobs/jobs.h"

/* The job in the library at `path`, which stays loaded until the process ends; memory from `arena`.
 * Errors: NOT_FOUND, IO, INVALID (it is no library, or holds no job), and `error`, which is empty
 * before, says which. */
MUST_USE enum status library_load(struct arena *arena, const char *path,
                                  const struct job_info **loaded, struct buffer *error);

#endif
