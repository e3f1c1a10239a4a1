/* figure_run.h - the story of one run: what each subtask did when, and how throughput and lag went
 * around a failure. */
#ifndef FAULTLINE_REPORTS_FIGURE_RUN_H
#define FAULTLINE_REPORTS_FIGURE_RUN_H

#include "model/base/status.h"
#include "reports/report_data.h"
#include "reports/report_figure.h"

enum { STORY_TASKS_MAX = 24, STORY_CHECKPOINTS_MAX = 12 };

struct story_checkpoint {
    double id, triggered_s, ended_s;
    bool completed;
};

/* One subtask's part in one checkpoint. */
struct story_part {
    uint32_t vertex, subtask;
    double first_barrier_s, aligned_s, frozen_s, written_s;
};

struct story_span {
    double from_s, to_s, until_s;
    const char *text;
};

struct story_point {
    double time_s, records, lag_s;
};

/* Of the runs with a recovery, at most STORY_TASKS_MAX subtasks, and an input with a rate if any
 * has one, the newest with the most faults; from before its first failure until it has caught up.
 * Lists are in order of time. */
struct story {
    bool found;
    const char *name;
    const char *seed;
    const char *job;
    int64_t run_id;
    uint32_t plots; /* the figures it asks for, as bits of enum figure_choice; 0: all */
    double from_s, to_s;
    uint32_t vertex_count, parallelism;
    struct story_checkpoint *checkpoints;
    size_t checkpoint_count;
    struct story_part *parts;
    size_t part_count;
    struct story_span *faults; /* from, to: what the fault lasted */
    size_t fault_count;
    struct story_span *recoveries; /* from failure to running to caught up */
    size_t recovery_count;
    struct story_point *points;
    size_t point_count;
};

struct sqlite3;

/* Errors: as report_data_read. */
MUST_USE enum status story_read(struct story *story, struct arena *arena, struct sqlite3 *db,
                                const char *path, struct buffer *error);

/* Of a story that was found: subtasks as rows; and throughput and lag over time. */
void figure_timeline(struct report_figure *figure, struct arena *arena, const struct story *story);
void figure_failure(struct report_figure *figure, struct arena *arena, const struct story *story);

#endif
