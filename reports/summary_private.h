/* summary_private.h - what summary.c, summary_recovery.c and summary_progress.c share. */
#ifndef FAULTLINE_REPORTS_SUMMARY_PRIVATE_H
#define FAULTLINE_REPORTS_SUMMARY_PRIVATE_H

#include "reports/summary.h"

/* One subtask that reports source.progress. */
struct summary_source {
    bool known;                /* it has reported */
    bool behind;               /* the open recovery waits for it */
    bool at_end;               /* it has seen its whole input in `attempt` */
    bool finished;             /* ... and that is in a durable checkpoint */
    uint64_t attempt;          /* of its newest report */
    uint64_t records;          /* of its newest report */
    uint64_t lag_ns;           /* of its newest report */
    uint64_t records_max;      /* over all attempts */
    uint64_t records_lost_at;  /* where it stood when the open recovery began */
    uint64_t records_replayed; /* its share in the open recovery */
    uint64_t lag_before_ns;    /* before the failure */
};

struct summary_private {
    uint32_t vertex_count;
    uint32_t parallelism;

    /* Checkpoints: a hash table from ids to indices, and the rows of each one's subtasks. */
    uint32_t *table;   /* open addressing; index + 1, 0: empty */
    size_t table_size; /* a power of two, or 0 */
    uint32_t **rows;   /* per checkpoint: per subtask of the job, index + 1 in tasks; may be NULL */
    size_t rows_capacity;
    size_t row_blocks;
    size_t last_found; /* index of the checkpoint found last */

    /* Recoveries. */
    struct summary_source **sources; /* per vertex; NULL: it has not reported */
    size_t behind_count;
    uint64_t attempt;        /* the newest that was heard of */
    uint64_t attempt_failed; /* newest attempt at the latest failure of the open recovery */
    uint64_t attempt_opened; /* newest attempt when the open recovery began */
    uint64_t epoch;          /* of the JobManager; 0: none yet */
    uint64_t deployed;       /* parallelism of the newest attempt; 0: none yet */
    /* A change of parallelism deals the sources' splits out anew: then only their sum says how far
     * the job is. */
    uint64_t records_lost; /* the sum where the open recovery began; 0: the parallelism stayed */
    uint64_t records_restored; /* ... and where those stand that have reported since */
    bool has_run;
    bool ended;
    bool fault_pending; /* a breaking fault that no recovery took */
    uint64_t fault_ns;
    uint64_t fault_until_ns;
    const char *fault_text;
    bool task_failure_pending;
    uint64_t task_failure_ns;
    const char *task_failure_text;

    /* Progress. */
    uint64_t records;     /* sum over the sources */
    uint64_t lag_peak_ns; /* since the last point */
    uint64_t spacing_ns;  /* between points, at least */
    uint64_t progress_ns; /* of the newest report */
};

/* A copy of a fact's text, zero-terminated. */
const char *summary_text(struct summary *summary, struct bytes text);

/* The facts that recoveries are made of; others are ignored. */
void summary_recovery_on_fact(struct summary *summary, const struct fact_event *event);

/* The hot one of them, apart. */
void summary_on_source_progress(struct summary *summary, const struct fact_event *event);

typedef void (*summary_source_function)(struct summary *summary, struct summary_source *source);

/* Calls `function` for every source that has reported, by vertex and subtask. */
void summary_each_source(struct summary *summary, summary_source_function function);

/* A source has reported: adds a point, if the last one is far enough; and at the end the last. */
void summary_progress_sample(struct summary *summary);
void summary_progress_end(struct summary *summary);

#endif
