/* models_interval.h - how often to take a checkpoint, and what is left of the time for work.
 *
 * A checkpoint costs a moment in which no work is done; a failure costs the work since the last
 * one. Often means paying the first price, seldom means paying the second: between them lies the
 * interval that Young, Daly and the utilisation of a stream processor each give in their own way.
 *
 * Symbols, all in seconds:
 *   C  cost_s     the part of one checkpoint that stops the work. Where snapshots are written in
 *                 the background that is alignment and synchronous part only; measure it.
 *   M  mtbf_s     mean time between failures of the whole job; INFINITY: it never fails
 *   R  restart_s  from a failure until work goes on
 *   t             work between two checkpoints, C not included: what Young and Daly give
 *   T  interval_s from the start of one checkpoint to the start of the next: T = t + C
 * Failures arrive independently at the rate 1/M. No argument may be negative or not a number; that
 * is a programming error. Where M is INFINITY no checkpoint is ever needed, and the best t
 * is INFINITY, whatever C; where M is finite and C is 0 a checkpoint is free, and the best t is 0.
 */
#ifndef FAULTLINE_REPORTS_MODELS_INTERVAL_H
#define FAULTLINE_REPORTS_MODELS_INTERVAL_H

/* M of a job that fails when any of its nodes fails: M_node / N, as rates of independent failures
 * add up. `node_count` is at least 1. */
double model_job_mtbf_s(double node_mtbf_s, double node_count);

/* The probability that nothing fails for `duration_s`: exp(-duration / M). `mtbf_s` is above 0. */
double model_no_failure_probability(double duration_s, double mtbf_s);

/* t = sqrt(2 C M). Young 1974, "A first order approximation to the optimum checkpoint interval",
 * CACM 17(9). Good for C far below M; it ignores failures during checkpoints and restarts. */
double model_young_s(double cost_s, double mtbf_s);

/* Daly 2006, "A higher order estimate of the optimum checkpoint interval for restart dumps", FGCS
 * 22(3). Three formulas for t of growing quality:
 *   first order with restart  sqrt(2 C (M + R)) - C
 *   low order                 sqrt(2 C M) - C
 *   higher order              sqrt(2 C M) (1 + sqrt(x) / 3 + x / 9) - C   with x = C / (2 M)
 * The first two turn negative where C is above 2 (M + R), or 2 M: there they say nothing, and the
 * negative number is returned as it is. The third is M where C >= 2 M, as Daly sets it. */
double model_daly_first_order_s(double cost_s, double mtbf_s, double restart_s);
double model_daly_low_order_s(double cost_s, double mtbf_s);
double model_daly_higher_order_s(double cost_s, double mtbf_s);

/* The exact t that the formulas above approach, the one that makes model_wall_time_s smallest:
 * M (1 + W0(-exp(-1 - C / M))), W0 the principal branch of Lambert's W. R drops out. Never above
 * M, for any C. */
double model_daly_exact_s(double cost_s, double mtbf_s);

/* 1 + W0(-exp(-1 - excess)): the y in 0..1 with y + ln(1 - y) = -excess, to about 1e-15. This form
 * keeps its digits where the excess is small and W0 itself is close to -1. 0 gives 0; INFINITY
 * gives 1. */
double model_lambert_gap(double excess);

/* A long computation that writes a checkpoint after every `work_s` of work. */
struct model_run {
    double work_s; /* t */
    double cost_s;
    double mtbf_s; /* above 0 */
    double restart_s;
};

/* The expected time until `solve_s` seconds of work are done, Daly 2006:
 * M exp(R / M) (exp((t + C) / M) - 1) solve / t. Failures may hit the work, the checkpoints and the
 * restarts. INFINITY where t is 0, or where the number is beyond a double: it never gets done. */
double model_wall_time_s(const struct model_run *run, double solve_s);

/* Work done per time that passes, 0..1: solve / model_wall_time_s, which does not depend on solve.
 * 0 where t is 0, and where it is INFINITY with failures: then no checkpoint is ever taken. */
double model_progress_rate(const struct model_run *run);

/* A stream processor: what its checkpoints and failures cost apart from the interval. */
struct model_stream {
    double cost_s;
    double mtbf_s; /* above 0 */
    double restart_s;
    double lag_s; /* L: from the end of the stop until the checkpoint can be used */
};

/* L of a barrier that crosses `operator_count` operators, at least 1: (n - 1) hop_delay. */
double model_barrier_lag_s(double operator_count, double hop_delay_s);

/* The share of time for useful work, 0..1:
 * U(T) = (T - C) / M * exp(-(R + L) / M) / (exp(T / M) - 1).
 * After the model of Jayasekara, Harwood and Karunasekera 2019, "A utilization model for
 * optimization of checkpoint intervals in distributed stream processing systems": of a gap X
 * between failures the first R is the restart, the k-th checkpoint counts once k T + L of the rest
 * have passed, and then k (T - C) of work are safe; U is the mean of that over the mean of X.
 * 0 where T <= C: there is no time between checkpoints. */
double model_utilisation(const struct model_stream *stream, double interval_s);

/* The T with the largest U: C + model_daly_exact_s. It depends on nothing but C and M. */
double model_utilisation_optimum_s(double cost_s, double mtbf_s);

#endif
