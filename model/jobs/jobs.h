/* jobs.h - the ready-made jobs, by name. */
#ifndef FAULTLINE_JOBS_JOBS_H
#define FAULTLINE_JOBS_JOBS_H

#include <stdint.h>

#include "model/stream/pipeline.h"

/* What its records are. */
enum job_input {
    JOB_READS_INTEGERS,
    JOB_READS_LINES,
    JOB_READS_EVENTS, /* of Nexmark (model/stream/nexmark.h) */
};

struct faultline_job;

struct job_info {
    const char *name;
    const char *help; /* one line */
    enum job_input input;
    void (*build)(struct pipeline *pipeline);
    const struct faultline_job *library; /* a user's own job (library_job.h), which builds it */
};

/* Makes the job's graph in the empty `pipeline`. A library's job has been built before, without a
 * mistake. */
void job_build(const struct job_info *job, struct pipeline *pipeline);

/* NULL if there is no such job. Static storage. */
const struct job_info *job_find(const char *name);

/* Job number `index`, from 0; NULL beyond the last. */
const struct job_info *job_at(uint32_t index);

#endif
