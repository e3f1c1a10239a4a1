/* models_cost.h - what a checkpoint costs: messages, waiting, time, bytes.
 *
 * The duration of a checkpoint has no one formula. Which of the laws below holds depends on what
 * is written (all the state, or what changed), where to (own disks, or one store for all) and what
 * the barriers must wait for. Each law says when "time = T x N" comes out of it, and when not.
 *
 * Symbols:
 *   N  task_count      subtasks of the whole job
 *   p  input_count     inputs of one subtask; with all-to-all channels the parallelism
 *   T  interval_s      from the start of one checkpoint to the start of the next
 *   s  bytes           as said at each law
 *   b  task_rate       bytes per second that one task can write
 *   B  shared_rate     bytes per second that all tasks together can write
 * Times are in seconds. Rates are above 0 and may be INFINITY: no limit. No argument may be
 * negative or not a number; that is a programming error. */
#ifndef FAULTLINE_REPORTS_MODELS_COST_H
#define FAULTLINE_REPORTS_MODELS_COST_H

#include <stddef.h>
#include <stdint.h>

/* Control messages of one checkpoint. Chandy and Lamport 1985 need one marker for each directed
 * channel, and no more; asynchronous barrier snapshots (Carbone et al. 2015) on a job with one
 * coordinator add a trigger for each source, an acknowledgement and a notification for each task.
 */
struct model_messages {
    uint64_t tasks;         /* N = k p */
    uint64_t barriers;      /* E = (k - 1) p^2, the channels */
    uint64_t triggers;      /* p */
    uint64_t acks;          /* N */
    uint64_t notifications; /* N */
    uint64_t total;
};

/* Of a chain of k operators, all-to-all between each two, every operator with p subtasks; both at
 * least 1 and at most 2^20. For a chain of given length this grows as N^2 / k, not as N. */
struct model_messages model_checkpoint_messages(uint64_t operator_count, uint64_t parallelism);

/* The latest end of a snapshot of Chandy and Lamport that no queue holds up: the last marker has
 * crossed the longest path, `diameter` channels of at most `delay_max_s` each. */
double model_marker_latency_s(double diameter, double delay_max_s);

/* The barriers of one checkpoint arrive at a task over its p inputs (at least 1) at independent
 * random moments. Skew: between the first and the last, how long an aligned input may be blocked.
 * Last: from time 0 to the last. Both are expected values, order statistics of p draws
 *   uniform on 0..J           skew J (p - 1) / (p + 1)   last J p / (p + 1)
 *   exponential with mean m   skew m H(p - 1)            last m H(p)
 * where H(n) = 1 + 1/2 + ... + 1/n. This is why the duration grows with the parallelism even where
 * each task has the same work to do. */
double model_skew_uniform_s(double window_s, uint32_t input_count);
double model_last_uniform_s(double window_s, uint32_t input_count);
double model_skew_exponential_s(double mean_s, uint32_t input_count);
double model_last_exponential_s(double mean_s, uint32_t input_count);

/* The probability that at least one of N tasks is slow, each being so with the probability
 * `slow`: 1 - (1 - slow)^N. One slow task makes a slow checkpoint. */
double model_straggler_probability(double slow, double task_count);

/* The other way round: with what probability each of N tasks (at least 1) must be quick so that
 * all are with the probability `all_quick`: all_quick^(1 / N). */
double model_quick_probability_needed(double all_quick, double task_count);

/* Where snapshots are written to; for the laws of a checkpoint's duration, (a) to (e). */
struct model_pipe {
    double fixed_s; /* what a checkpoint takes that writes nothing */
    double task_rate;
    double shared_rate;
};

/* Law (a), full snapshots, s bytes a task: fixed + max(s / b, N s / B). Constant in N on own disks
 * (B INFINITY); proportional to N once the shared store is the narrow place; T plays no part. */
double model_duration_full_s(const struct model_pipe *pipe, double task_bytes, double task_count);

/* Law (b), W tasks at a time (at least 1), each taking `write_each_s`: fixed + ceil(N / W) write.
 * With W = 1 it is fixed + N write; "T x N" is this law with the time of one task called T. */
double model_duration_slots_s(double fixed_s, double write_each_s, double task_count,
                              double slot_count);

/* What one task changes: `update_rate` updates per second, each of a key drawn evenly from
 * `key_count` (INFINITY: keys never repeat); a changed key is written as `entry_bytes`. */
struct model_changes {
    double key_count;
    double update_rate;
    double entry_bytes;
};

/* How many different keys change within `interval_s`: K (1 - exp(-r T / K)). r T at first, as no
 * key has come twice yet; never above K. */
double model_changed_keys(const struct model_changes *changes, double interval_s);

/* Law (c), incremental snapshots: what changed in T. fixed + max(x s / b, N x s / B) with x of
 * model_changed_keys. */
double model_duration_incremental_s(const struct model_pipe *pipe,
                                    const struct model_changes *changes, double task_count,
                                    double interval_s);

/* The straight line that law (c) begins as, where the shared store is the narrow place:
 * fixed + (r s / B) T N. Here "T x N" is true; it is 5 % too much at r T / K = 0.1, and 58 % at
 * r T / K = 1. */
double model_duration_line_s(const struct model_pipe *pipe, const struct model_changes *changes,
                             double task_count, double interval_s);

/* Law (d), aligned barriers under backpressure: a barrier stands in the queue of each hop, and
 * waits until what is before it has been processed: hops * queued / rate. Unaligned barriers
 * overtake the queue. `service_rate` is above 0, in records per second. (Buffer debloating keeps
 * queued / rate at its target.) */
double model_duration_queued_s(double hop_count, double queued_records, double service_rate);

/* Law (e), the general one: maxima over the tasks, sums over what they share. Its terms are the
 * regressors to fit (reports/fit.h) beside a T N. */
enum { MODEL_MAX_SUM_TERMS = 6 };

struct model_max_sum {
    double barrier_path_s;  /* depth of the job times delay of a hop */
    double skew_s;          /* between the first and the last barrier at a task */
    double sync_max_s;      /* the longest synchronous part of any task */
    double upload_max_s;    /* bytes / b of the task with the most of them */
    double upload_shared_s; /* bytes of all tasks / B */
    double task_count;      /* times the handling of one acknowledgement */
};

/* a0 + the sum of a[i] * term i, in the order of the struct. `coefficients` holds a0 and the six
 * others; that of task_count is in seconds, those between are numbers, 1 where nothing overlaps. */
double model_duration_max_sum_s(const struct model_max_sum *terms,
                                const double coefficients[1 + MODEL_MAX_SUM_TERMS]);

/* (f) Seconds of task time that checkpoints take per second: N c / T. It falls with T: as an
 * overhead "T x N" is wrong in the sign of its exponent. `interval_s` is above 0. */
double model_overhead(double task_count, double task_cost_s, double interval_s);

/* (g) From the start of one checkpoint to the start of the next where one is taken at a time, and
 * none starts within `pause_s` after the end of the one before: max(T, duration + pause). */
double model_effective_period_s(double interval_s, double duration_s, double pause_s);

/* What unaligned barriers add to a checkpoint at most, all buffers of all channels being full:
 * hops * channels of a hop * buffers of a channel * bytes of a buffer. */
double model_unaligned_bytes(double hop_count, double channel_count, double buffer_count,
                             double buffer_bytes);

/* What communication-induced checkpointing adds to each message: BCS (Briatico et al. 1984) one
 * index; HMNR (Helary et al. 1999) a clock, a checkpoint count for each of n tasks and two bits
 * for each: 8 + 4 n + 2 ceil(n / 8) bytes. */
enum { MODEL_BCS_BYTES = 8 };
uint64_t model_hmnr_bytes(uint32_t task_count);

/* A message with that, in multiples of the message without. `message_bytes` is above 0. */
double model_message_growth(double message_bytes, double added_bytes);

#endif
