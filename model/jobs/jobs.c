#include "model/jobs/jobs.h"

#include <string.h>

#include "model/jobs/count.h"

static const struct job_info jobs[] = {
    { "count", "count per key: one integer a line in, `value : count` out for each", count_build },
};

const struct job_info *job_at(uint32_t index)
{
    return index < sizeof jobs / sizeof jobs[0] ? &jobs[index] : NULL;
}

const struct job_info *job_find(const char *name)
{
    for (uint32_t i = 0; job_at(i) != NULL; i++) {
        if (strcmp(jobs[i].name, name) == 0) {
            return &jobs[i];
        }
    }
    return NULL;
}
