/* library_job.h - jobs of a user's own, written against include/faultline/job.h: makes a pipeline
 * of one, with operators that call the user's functions.
 *
 * Who loaded the library and from where is not known here. What `build` does wrong is said in a
 * sentence; what the functions do wrong while they run trips a check. */
#ifndef FAULTLINE_JOBS_LIBRARY_JOB_H
#define FAULTLINE_JOBS_LIBRARY_JOB_H

#include <stdbool.h>

#include "include/faultline/job.h"
#include "model/stream/pipeline.h"

/* Makes the graph of the job in the empty `pipeline`, which refers to what is static in the
 * library. False: `error`, which is empty before, says why it is no job. */
bool library_job_build(const struct faultline_job *job, struct pipeline *pipeline,
                       struct buffer *error);

#endif
