/* report_data.h - what the report reads from the results database: runs, and the cells of sweeps
 * with what their checkpoints and recoveries took.
 *
 * Times are in seconds and sizes in bytes, as doubles: nothing here decides, all is for pictures.
 */
#ifndef FAULTLINE_REPORTS_REPORT_DATA_H
#define FAULTLINE_REPORTS_REPORT_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/status.h"

struct report_run {
    int64_t id;
    const char *name;
    const char *seed;
    const char *verdict;
    const char *first_violation; /* "" if there is none */
    const char *build;
    const char *sweep;       /* "" if it is no cell */
    const char *coordinates; /* JSON; "" */
    const char *scenario_json;
    int64_t exit_code;
    double tasks, interval_s, simulated_s, wall_s;
    double checkpoints, checkpoints_failed, recoveries;
};

/* The phases of a checkpoint, at the subtask that acknowledged last: its way to the store is the
 * way of the checkpoint. Of the asynchronous part, how long the upload stood in line at the store,
 * and the remainder. The rest is acknowledgement and manifest. */
enum {
    PHASE_START,
    PHASE_ALIGNMENT,
    PHASE_SYNC,
    PHASE_STORE_WAIT,
    PHASE_ASYNC,
    PHASE_REST,
    PHASE_COUNT
};

/* One run of a sweep. Of its completed checkpoints those count that were triggered in the second
 * half of the run, when the state has its full size, but not the last: it ends the job. If those
 * are none, all count. */
struct report_cell {
    int64_t run_id;
    const char *sweep;
    uint32_t plots;     /* the figures it asks for, as bits of enum figure_choice; 0: all */
    double tasks;       /* N */
    double parallelism; /* p */
    double interval_s;  /* T; 0: off */
    double seed;
    double simulated_s;
    double records;
    double recoveries;
    bool passed;
    double checkpoints;           /* how many count */
    double duration_s;            /* median, trigger to completion */
    double alignment_s;           /* mean of the longest of each checkpoint */
    double stop_s;                /* mean of the longest synchronous part */
    double phases_s[PHASE_COUNT]; /* means */
    double bytes;                 /* mean, of all subtasks: what a restore needs */
    double written_bytes;         /* mean, of all subtasks: what the checkpoint wrote */
    double task_bytes;            /* mean of the most that one subtask wrote */
    /* From the scenario. */
    double keys, rate, record_s, store_rate, client_rate, writers, heartbeat_timeout_s;
    bool incremental;
};

/* One recovery of a run of a sweep. */
struct report_recovery {
    const struct report_cell *cell;
    double age_s; /* of the restored checkpoint at the failure, since its trigger */
    double detection_s, restart_s, restore_s, catch_up_s;
    double down_s;   /* failure to running */
    double total_s;  /* failure to caught up; NAN: never */
    double replayed; /* records */
};

/* One quantity of one cell, simulated and for real, as `compare` found it. */
struct report_comparison {
    const char *name; /* of the scenario */
    const char *coordinates;
    const char *quantity; /* with its unit, in which the numbers are */
    const char *live_kind;
    double tasks, interval_s;
    double simulated, live; /* NAN: there is none */
    double live_runs;
    bool is_equal;
};

struct report_data {
    struct arena *arena;
    struct report_run *runs; /* failures first, then the newest first */
    size_t run_count;        /* of those read */
    int64_t run_total;
    int64_t passed_total;
    struct report_cell *cells; /* by sweep, tasks, interval, seed */
    size_t cell_count;
    struct report_recovery *recoveries; /* of the cells, in their order */
    size_t recovery_count;
    struct report_comparison *comparisons; /* by name, tasks, interval, cell, quantity */
    size_t comparison_count;
};

enum { REPORT_RUNS_MAX = 2000 };

struct sqlite3;

/* Reads all from the open database `db`; memory from `arena`. On an error one sentence that begins
 * with `path` is appended to `error`. */
MUST_USE enum status report_data_read(struct report_data *data, struct arena *arena,
                                      struct sqlite3 *db, const char *path, struct buffer *error);

/* "4MiB/s", "2k/s", "200ns", "1s" of a scenario in bytes, records or seconds; `otherwise` for
 * other words and NULL. */
double report_quantity(const char *text, double otherwise);

#endif
