/* predict.h - what the models say about one job, and the checkpoint interval to choose for it.
 *
 * The recommended interval is the one with the largest share of useful work for the stated failure
 * rate (models_interval.h), cut down to the largest one whose worst recovery keeps the stated limit
 * (models_recovery.h), and raised to what the duration of a checkpoint and the pause after it allow
 * (models_cost.h). The laws know nothing of what the run at hand does besides; where it was
 * measured, the recommendation trusts the measurement: durations by the laws are scaled by measured
 * over predicted, the stop and the downtime are taken as measured.
 *
 * It assumes one checkpoint at a time, state spread evenly over the tasks, and failures of the
 * whole job at a steady rate. Intervals are from the start of one checkpoint to the start of the
 * next, as a stream processor is configured; where a formula gives the work between two
 * checkpoints, the stop is added. */
#ifndef FAULTLINE_REPORTS_PREDICT_H
#define FAULTLINE_REPORTS_PREDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "reports/models_cost.h"
#include "reports/models_recovery.h"

/* What a run of the job measured; 0 everywhere: not measured. */
struct predict_measured {
    double period_s;   /* from the start of one checkpoint to the start of the next */
    double duration_s; /* of a checkpoint at that period, trigger to completion */
    double stop_s;     /* the part of it that stops the work of a task */
    double downtime_s; /* from a failure until records are processed again */
    struct model_mean_worst recovery_s; /* from a failure until caught up */
    struct model_mean_worst replayed_records;
};

/* Nothing may be negative. Rates may be INFINITY: no limit. */
struct predict_input {
    /* The job. */
    uint32_t task_count;     /* subtasks that take part in a checkpoint, at least 1 */
    uint32_t operator_count; /* on the longest path, at least 1 */
    uint32_t input_count;    /* channels into a task, at least 1; 1: nothing to align */
    double hop_delay_s;      /* of a barrier from one operator to the next, queues included */
    double barrier_window_s; /* barriers reach a task within this time, evenly; 0: not aligned */
    double state_bytes;      /* in all; or 0, and */
    double task_bytes;       /* of each task; or 0. Not both */
    double input_rate;       /* records per second */
    double capacity;         /* records per second at most */

    /* Its checkpoints. */
    double interval_s;            /* as configured, above 0 */
    double min_pause_s;           /* after the end of one, before the start of the next */
    bool incremental;             /* writes what changed since the last; reads all the state */
    struct model_changes changes; /* of each task; where incremental */
    double sync_s;                /* the synchronous part of the slowest task */
    double fixed_s;               /* what a checkpoint takes that writes nothing */
    double ack_s;                 /* of handling one acknowledgement */
    double task_write_rate;       /* bytes per second, above 0 */
    double shared_write_rate;     /* of all tasks together, above 0 */
    double task_read_rate;        /* 0: as written */
    double shared_read_rate;      /* 0: as written */

    /* Its failures. */
    double failure_rate; /* of the whole job, per second; 0: it never fails */
    double detection_s;
    double restart_s; /* cancelling, the restart strategy's delay, deploying */
    double first_record_s;
    double recovery_limit_s; /* that no recovery may exceed; 0: none is set */

    struct predict_measured measured;
};

/* How the job fares at one interval. */
struct predict_point {
    double period_s;    /* what becomes of the interval; INFINITY: the store is too slow */
    double duration_s;  /* of a checkpoint */
    double overhead;    /* share of the time that checkpoints stop */
    double utilisation; /* share of the time that useful work gets, failures included */
    struct model_mean_worst recovery_s; /* INFINITY: never caught up */
    struct model_mean_worst replayed_records;
    double peak_lag_records; /* of the worst recovery */
};

/* Which bound decided on the recommended interval. */
enum predict_bound {
    PREDICT_BY_UTILISATION, /* the optimum for the failure rate */
    PREDICT_BY_LIMIT,       /* the largest interval that keeps the recovery-time limit */
    PREDICT_BY_DURATION,    /* checkpoints cannot follow each other as fast as would be best */
    PREDICT_LIMIT_BROKEN,   /* the shortest possible one, and even that breaks the limit */
    PREDICT_NO_REASON,      /* no failures and no limit: INFINITY, any interval will do */
    PREDICT_STORE_TOO_SLOW, /* more changes than can be written: INFINITY, none is possible */
};

struct predict_output {
    double duration_full_s;        /* law (a) */
    double duration_incremental_s; /* law (c); NAN where snapshots are full */
    double duration_max_sum_s;     /* law (e), nothing overlapping: an upper bound */
    double stop_s;                 /* skew of the barriers, and the synchronous part */
    double restore_s;
    double downtime_s;
    struct predict_point configured; /* by the models alone, at the configured interval */

    /* From here on with what was measured. */
    double scale;      /* measured duration over predicted; 1: not measured */
    double young_s;    /* Young 1974 */
    double daly_s;     /* Daly 2006, higher order */
    double optimum_s;  /* of the utilisation; INFINITY: it never fails */
    double shortest_s; /* interval that is kept */
    double limit_s;    /* largest interval that keeps the limit; INFINITY: any, 0: none */
    double recommended_s;
    enum predict_bound bound;
    struct predict_point recommended; /* at the recommended interval */
};

/* Fills in `*output` from `*input` alone. */
void predict_compute(const struct predict_input *input, struct predict_output *output);

/* Appends what was computed from `input` as lines of text, measurements beside the models where
 * there are any, then the recommendation with its reasons. */
void predict_append(const struct predict_input *input, const struct predict_output *output,
                    struct buffer *out);

/* Appends the recommended interval as a scenario takes it, with three significant digits and
 * rounded to the safe side of the bound that decided: "28.3s". Only where it is finite. */
void predict_append_interval(const struct predict_output *output, struct buffer *out);

#endif
