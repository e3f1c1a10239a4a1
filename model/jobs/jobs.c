#include "model/jobs/jobs.h"

#include <string.h>

#include "model/jobs/count.h"
#include "model/jobs/distinct.h"
#include "model/jobs/pairs.h"
#include "model/jobs/queries.h"
#include "model/jobs/running.h"
#include "model/jobs/windows.h"
#include "model/jobs/wordcount.h"

static const struct job_info jobs[] = {
    { "count", "count per key: one integer a line in, `value : count` out for each",
      JOB_READS_INTEGERS, count_build },
    { "wordcount", "word count: lines of text in, `word : count` out for each word",
      JOB_READS_LINES, wordcount_build },
    { "running", "sum, minimum and maximum so far of the integers that end in the same two digits",
      JOB_READS_INTEGERS, running_build },
    { "distinct", "how many different integers end in the same two digits: a set, then a count",
      JOB_READS_INTEGERS, distinct_build },
    { "pairs", "every second occurrence of an integer: what is cleared decides about the output",
      JOB_READS_INTEGERS, pairs_build },
    { "windows", "bids of each auction in tumbling and sliding windows of event time",
      JOB_READS_EVENTS, windows_build },
    { "sessions", "bids of each bidder in sessions of event time", JOB_READS_EVENTS,
      sessions_build },
    { "q1", "Nexmark query 1: each bid with its price in another currency; no state",
      JOB_READS_EVENTS, q1_build },
    { "q3", "Nexmark query 3: auctions of a category joined with local sellers, for ever",
      JOB_READS_EVENTS, q3_build },
    { "q8", "Nexmark query 8: who came and opened an auction within 10 s of event time",
      JOB_READS_EVENTS, q8_build },
    { "q12", "Nexmark query 12: bids of each bidder in 10 s of the clock", JOB_READS_EVENTS,
      q12_build },
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
