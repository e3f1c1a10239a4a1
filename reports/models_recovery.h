/* models_recovery.h - what a failure costs: downtime, catching up, records again, age of results.
 *
 * The fluid model: records arrive at a steady rate all the time, also while the job is down. When
 * it runs again it stands where its last completed checkpoint stood, and works at full capacity
 * until it has caught up with what arrived since.
 *
 * Symbols:
 *   lam  input_rate      records per second that arrive
 *   mu   capacity        records per second that the job can process
 *   D    downtime_s      from the failure until the first record is processed again
 *   A    age_s           age of the last completed checkpoint at the failure, since its trigger
 *   T    interval_s      from the start of one checkpoint to the start of the next
 *   d    duration_s      of one checkpoint, trigger to completion
 * No argument may be negative or not a number; that is a programming error. */
#ifndef FAULTLINE_REPORTS_MODELS_RECOVERY_H
#define FAULTLINE_REPORTS_MODELS_RECOVERY_H

#include <stddef.h>

struct model_load {
    double input_rate;
    double capacity;
};

/* Over a failure at a random moment, and at the worst one. */
struct model_mean_worst {
    double mean;
    double worst;
};

/* The downtime and its stages, one after the other:
 * D = detection + scheduling + restore + first record.
 * Detection of a lost machine is the heartbeat timeout; of a failed task it is nearly 0. */
struct model_downtime {
    double detection_s;
    double scheduling_s; /* cancelling, the restart strategy's delay, deploying */
    double restore_s;    /* see model_restore_s */
    double first_record_s;
};

double model_downtime_s(const struct model_downtime *stages);

/* Reading `state_bytes` in all, spread evenly over `task_count` tasks that read side by side, each
 * at `task_rate` bytes per second and all together at `shared_rate` at most:
 * max(S / (N b), S / B). A rate may be INFINITY, and is above 0. */
double model_restore_s(double state_bytes, double task_count, double task_rate, double shared_rate);

/* A: mean T / 2 + d, worst T + d. The worst failure strikes just before the next checkpoint, which
 * was triggered T after the last one, completes. */
struct model_mean_worst model_checkpoint_age_s(double interval_s, double duration_s);

/* From running again until caught up, when `behind_s` seconds of input are waiting at the restart:
 * K = lam * behind / (mu - lam). `behind` is D where nothing must be replayed, else A + D.
 * It is the sum of behind * (lam / mu)^i over i >= 1: while the backlog is worked off, more
 * arrives. That form is how Phoebe and Chiron (Geldenhuys et al., 2020 and later) compute it.
 * INFINITY where mu <= lam, and something arrives: the job never catches up. */
double model_catch_up_s(const struct model_load *load, double behind_s);

/* From the failure until caught up: D + model_catch_up_s(A + D). INFINITY as there. */
double model_recovery_s(const struct model_load *load, double downtime_s, double age_s);

/* Records waiting at the restart, when the lag is largest: lam (A + D). */
double model_peak_lag_records(const struct model_load *load, double downtime_s, double age_s);

/* Records processed a second time after a failure: lam A, so mean lam (T / 2 + d), worst
 * lam (T + d). */
struct model_mean_worst model_replayed_records(double interval_s, double duration_s,
                                               double input_rate);

/* From when a record is processed until a sink that commits on checkpoints shows it: mean
 * T / 2 + d, worst T + d. The records of one interval all appear at once. */
struct model_mean_worst model_visible_delay_s(double interval_s, double duration_s);

/* Records that an at-least-once checkpoint holds although they are replayed: a task that does not
 * block its early inputs counts, between the barrier of input i and the last barrier, rate_i
 * records too many. The sum of rate_i (last - barrier_i) over `count` inputs, rates in records per
 * second, barriers in seconds since any moment. 0 for a single input and for none: such a job is
 * exactly-once without aligning. */
double model_duplicate_records(const double *rates, const double *barriers_s, size_t count);

/* How far back a task at `depth` (a source: 0) falls when tasks checkpoint on their own clocks and
 * every task sends all the time: it must undo whatever it received after what the task before it
 * keeps, and finds its next checkpoint T / 2 earlier on average. Mean (depth + 1) T / 2, worst
 * (depth + 1) T: the domino effect. With a log of all messages to replay from it is that of depth
 * 0. */
struct model_mean_worst model_rollback_age_s(double interval_s, double depth);

#endif
