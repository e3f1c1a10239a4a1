/* summary.h - what one run amounts to, gathered from trace facts alone: its checkpoints with their
 * phases, and its recoveries with detection, restart, restore and catch-up.
 *
 * The verdict, result.json, the results database and the plots all read this.
 *
 * S1  A recovery begins with the first failure.detected since the job last ran, or with a
 *     JobManager's takeover after the job once ran. Failures before job.running belong to it.
 * S2  Its cause is the latest breaking fault that no earlier recovery took; else the task's
 *     failure; else the detection itself.
 * S3  The job has caught up at the first moment after job.running when every source has emitted at
 *     least as many records as it ever had, and its lag is at most what it was before the failure
 *     or SUMMARY_LAG_TOLERATED_NS. A source at its end, or a finished job, has caught up.
 * S4  A recovery cut short by the next failure has caught up when that one has, and the lag to
 *     return to is the one before the first of them.
 * S5  Where a source stood after a restore is its first source.progress in the new attempt. */
#ifndef FAULTLINE_REPORTS_SUMMARY_H
#define FAULTLINE_REPORTS_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/trace.h"

enum {
    SUMMARY_LAG_TOLERATED_NS = 100 * 1000 * 1000,
    SUMMARY_TASK_ROWS_MAX = 1 << 20, /* parts of subtasks in checkpoints that are kept */
    SUMMARY_PROGRESS_POINTS_MAX = 2000
};

enum checkpoint_fate { CHECKPOINT_PENDING, CHECKPOINT_DONE, CHECKPOINT_GIVEN_UP };

struct checkpoint_summary {
    uint64_t id;
    uint64_t attempt;
    enum checkpoint_fate fate; /* pending after the end of the run: neither completed nor aborted */
    const char *reason;        /* given up: why; else "" */
    uint64_t triggered_ns;
    uint64_t all_acked_ns; /* 0: never */
    uint64_t ended_ns;     /* completed or aborted; 0: neither */
    uint64_t bytes;        /* of keyed and operator state, over all subtasks */
    uint32_t acks;
};

/* One subtask's part in one checkpoint. Times are since the trigger or durations; see the fact
 * `task.aligned` and its neighbours. */
struct task_checkpoint_summary {
    uint64_t checkpoint;
    uint32_t vertex;
    uint32_t subtask;
    uint64_t start_delay_ns;
    uint64_t alignment_ns;
    uint64_t sync_ns;
    uint64_t async_ns;
    uint64_t store_wait_ns; /* of the asynchronous part: in line at the checkpoint store */
    uint64_t bytes;         /* of state, as a restore needs it */
    uint64_t written_bytes; /* in this checkpoint; less than `bytes` if it is incremental */
    uint64_t acked_ns;      /* simulated time of the ack; 0: never */
};

/* From a failure until the job has caught up. A time of 0 means: did not happen. Of several
 * attempts in one recovery, cancelled, restored_from, chosen and running are those of the last. */
struct recovery_summary {
    uint64_t failed_ns;   /* when the cause happened: the fault, or the task's failure */
    const char *cause;    /* from the fault, or from failure.detected */
    uint64_t detected_ns; /* JobManager failures: when the next one took over */
    uint64_t cancelled_ns;
    uint64_t restored_from; /* checkpoint id; 0: from the beginning */
    uint64_t chosen_ns;
    uint64_t running_ns;
    uint64_t caught_up_ns; /* every source is again where it was, and as little behind, as before */
    uint64_t records_replayed; /* emitted by the attempt that failed, and emitted again since */
};

/* All sources together at one moment. */
struct progress_point {
    uint64_t time_ns;
    uint64_t records; /* emitted in the running attempt and in what it was restored from */
    uint64_t lag_ns;  /* the largest of any source since the point before */
};

struct summary {
    struct arena *arena;
    struct checkpoint_summary *checkpoints; /* in the order of their triggers */
    size_t checkpoint_count, checkpoint_capacity;
    struct task_checkpoint_summary *tasks; /* only those that took part */
    size_t task_count, task_capacity;
    bool tasks_truncated; /* later checkpoints have no rows in `tasks`: too many */
    struct recovery_summary *recoveries;
    size_t recovery_count, recovery_capacity;
    struct progress_point *progress; /* in order of time, evenly thinned */
    size_t progress_count, progress_capacity;
    uint64_t triggered, completed, failed; /* checkpoints; the rest was pending at the end */
    uint64_t records_skipped; /* reports of bad records; one that is replayed counts again */
    uint64_t end_ns;
    const char *failure; /* job.failed: why; else "" */
    struct summary_private *private;
};

/* Starts an empty summary of a job with `vertex_count` vertices of `parallelism` subtasks each;
 * memory from `arena`. */
void summary_init(struct summary *summary, struct arena *arena, uint32_t vertex_count,
                  uint32_t parallelism);

/* A fault of the plan took effect, until `until_ns`; `text` describes it and is copied. Only faults
 * that break something (crash, pause) open a recovery when the failure is then detected. Of several
 * that are not detected yet the first is the cause, unless it was over before the next began;
 * UINT64_MAX: until a JobManager starts. */
void summary_on_fault(struct summary *summary, uint64_t time_ns, uint64_t until_ns,
                      const char *text, bool breaks);

/* Hears one fact, in order of time. */
void summary_on_fact(struct summary *summary, const struct fact_event *event);

/* The end of the run: closes what is open. */
void summary_on_end(struct summary *summary, uint64_t end_ns);

#endif
