#include "model/jobs/jobs.h"

#include <string.h>

#include "model/base/check.h"
#include "model/jobs/count.h"
#include "model/jobs/distinct.h"
#include "model/jobs/library_job.h"
#include "model/jobs/pairs.h"
#include "model/jobs/queries.h"
#include "model/jobs/rules.h"
#include "model/jobs/running.h"
#include "model/jobs/windows.h"
#include "model/jobs/wordcount.h"

static const struct job_info jobs[] = {
    { "count", "count per key: one integer a line in, `value : count` out for each",
      JOB_READS_INTEGERS, count_build, NULL },
    { "wordcount", "word count: lines of text in, `word : count` out for each word",
      JOB_READS_LINES, wordcount_build, NULL },
    { "running", "sum, minimum and maximum so far of the integers that end in the same two digits",
      JOB_READS_INTEGERS, running_build, NULL },
    { "distinct", "how many different integers end in the same two digits: a set, then a count",
      JOB_READS_INTEGERS, distinct_build, NULL },
    { "pairs", "every second occurrence of an integer: what is cleared decides about the output",
      JOB_READS_INTEGERS, pairs_build, NULL },
    { "rules", "events counted under broadcast rules, with a share of all in each subtask's list",
      JOB_READS_INTEGERS, rules_build, NULL },
    { "windows", "bids of each auction in tumbling and sliding windows of event time",
      JOB_READS_EVENTS, windows_build, NULL },
    { "sessions", "bids of each bidder in sessions of event time", JOB_READS_EVENTS, sessions_build,
      NULL },
    { "q1", "Nexmark query 1: each bid with its price in another currency; no state",
      JOB_READS_EVENTS, q1_build, NULL },
    { "q3", "Nexmark query 3: auctions of a category joined with local sellers, for ever",
      JOB_READS_EVENTS, q3_build, NULL },
    { "q8", "Nexmark query 8: who came and opened an auction within 10 s of event time",
      JOB_READS_EVENTS, q8_build, NULL },
    { "q12", "Nexmark query 12: bids of each bidder in 10 s of the clock", JOB_READS_EVENTS,
      q12_build, NULL },
};

const struct job_info *job_at(uint32_t index)
{
    return index < sizeof jobs / sizeof jobs[0] ? &jobs[index] : NULL;
}

void job_build(const struct job_info *job, struct pipeline *pipeline)
{
    pipeline_init(pipeline);
    if (job->library == NULL) {
        job->build(pipeline);
        return;
    }
    struct arena arena;
    arena_init(&arena);
    struct buffer error;
    buffer_init(&error, &arena);
    bool is_built = library_job_build(job->library, pipeline, &error);
    CHECK(is_built); /* it was before, and a build gives the same each time */
    arena_drop(&arena);
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
