#include "reports/predict.h"

#include <math.h>

#include "model/base/check.h"
#include "reports/models_interval.h"

/* Halving a double's range this often leaves nothing between the ends. */
enum { BISECTION_STEPS_MAX = 200 };

/* Beyond any interval that somebody may want: 30,000 years. */
#define INTERVAL_MAX_S 1e12

/* The job as the models see it, or as the models corrected by measurements do. */
struct job {
    const struct predict_input *input;
    double scale; /* of durations */
    double stop_s;
    double downtime_s;
};

static double state_bytes(const struct predict_input *input)
{
    return input->state_bytes > 0 ? input->state_bytes : input->task_bytes * input->task_count;
}

static struct model_pipe pipe_of(const struct predict_input *input)
{
    return (struct model_pipe){
        .fixed_s = input->fixed_s,
        .task_rate = input->task_write_rate,
        .shared_rate = input->shared_write_rate,
    };
}

static double duration_full_s(const struct predict_input *input)
{
    struct model_pipe pipe = pipe_of(input);
    double task_bytes = state_bytes(input) / input->task_count;
    return model_duration_full_s(&pipe, task_bytes, input->task_count);
}

/* Of a checkpoint, `period_s` after the one before. */
static double duration_at(const struct job *job, double period_s)
{
    const struct predict_input *input = job->input;
    if (!input->incremental) {
        return job->scale * duration_full_s(input);
    }
    struct model_pipe pipe = pipe_of(input);
    return job->scale *
           model_duration_incremental_s(&pipe, &input->changes, input->task_count, period_s);
}

/* Can checkpoints follow each other in this time? */
static bool is_kept(const struct job *job, double period_s)
{
    return duration_at(job, period_s) + job->input->min_pause_s <= period_s;
}

/* The shortest interval that is kept. The duration grows with the interval, but ever more slowly:
 * once an interval is kept, every longer one is. */
static double shortest_s(const struct job *job)
{
    if (is_kept(job, 0)) {
        return 0;
    }
    double high_s = 1e-9;
    double low_s = 0;
    while (!is_kept(job, high_s)) {
        low_s = high_s;
        high_s *= 2;
        if (high_s > INTERVAL_MAX_S) {
            return INFINITY;
        }
    }
    for (int step = 0; step < BISECTION_STEPS_MAX; step++) {
        double middle_s = low_s + (high_s - low_s) / 2;
        if (is_kept(job, middle_s)) {
            high_s = middle_s;
        } else {
            low_s = middle_s;
        }
    }
    CHECK(is_kept(job, high_s));
    return high_s;
}

static double worst_recovery_s(const struct job *job, double period_s)
{
    const struct predict_input *input = job->input;
    const struct model_load load = { .input_rate = input->input_rate, .capacity = input->capacity };
    double age_s = model_checkpoint_age_s(period_s, duration_at(job, period_s)).worst;
    return model_recovery_s(&load, job->downtime_s, age_s);
}

/* The largest interval, from the shortest one on, whose worst recovery keeps the limit. */
static double limit_interval_s(const struct job *job, double shortest)
{
    double limit_s = job->input->recovery_limit_s;
    if (limit_s == 0) {
        return INFINITY;
    }
    if (isinf(shortest) || worst_recovery_s(job, shortest) > limit_s) {
        return 0;
    }
    double low_s = shortest;
    double high_s = fmax(2 * shortest, 1e-9);
    while (worst_recovery_s(job, high_s) <= limit_s) {
        low_s = high_s;
        high_s *= 2;
        if (high_s > INTERVAL_MAX_S) {
            return INFINITY;
        }
    }
    for (int step = 0; step < BISECTION_STEPS_MAX; step++) {
        double middle_s = low_s + (high_s - low_s) / 2;
        if (worst_recovery_s(job, middle_s) <= limit_s) {
            low_s = middle_s;
        } else {
            high_s = middle_s;
        }
    }
    CHECK(worst_recovery_s(job, low_s) <= limit_s);
    return low_s;
}

static double mtbf_s(const struct predict_input *input)
{
    return input->failure_rate > 0 ? 1 / input->failure_rate : INFINITY;
}

static struct predict_point point_at(const struct job *job, double interval_s, double shortest)
{
    const struct predict_input *input = job->input;
    double period_s = fmax(interval_s, shortest);
    double duration_s = duration_at(job, period_s);
    struct model_mean_worst age_s = model_checkpoint_age_s(period_s, duration_s);
    const struct model_load load = { .input_rate = input->input_rate, .capacity = input->capacity };
    /* A checkpoint counts once it is complete, and not before its barriers are through. */
    double barrier_lag_s = model_barrier_lag_s(input->operator_count, input->hop_delay_s);
    const struct model_stream stream = {
        .cost_s = job->stop_s,
        .mtbf_s = mtbf_s(input),
        .restart_s = job->downtime_s,
        .lag_s = fmax(barrier_lag_s, duration_s - job->stop_s),
    };
    return (struct predict_point){
        .period_s = period_s,
        .duration_s = duration_s,
        .overhead = job->stop_s == 0 ? 0 : fmin(1, model_overhead(1, job->stop_s, period_s)),
        .utilisation = model_utilisation(&stream, period_s),
        .recovery_s = { .mean = model_recovery_s(&load, job->downtime_s, age_s.mean),
                        .worst = model_recovery_s(&load, job->downtime_s, age_s.worst) },
        .replayed_records = model_replayed_records(period_s, duration_s, input->input_rate),
        .peak_lag_records = model_peak_lag_records(&load, job->downtime_s, age_s.worst),
    };
}

/* What one task writes in a checkpoint that comes `period_s` after the one before. */
static double written_bytes(const struct predict_input *input, double period_s)
{
    if (!input->incremental) {
        return state_bytes(input) / input->task_count;
    }
    return model_changed_keys(&input->changes, period_s) * input->changes.entry_bytes;
}

/* Law (e) with nothing overlapping: every term counts once. */
static double duration_max_sum_s(const struct predict_input *input, double period_s)
{
    double bytes = written_bytes(input, period_s);
    const struct model_max_sum terms = {
        .barrier_path_s = model_barrier_lag_s(input->operator_count, input->hop_delay_s),
        .skew_s = model_skew_uniform_s(input->barrier_window_s, input->input_count),
        .sync_max_s = input->sync_s,
        .upload_max_s = bytes / input->task_write_rate,
        .upload_shared_s = bytes * input->task_count / input->shared_write_rate,
        .task_count = input->task_count,
    };
    const double coefficients[1 + MODEL_MAX_SUM_TERMS] = { input->fixed_s, 1, 1, 1, 1, 1,
                                                           input->ack_s };
    return model_duration_max_sum_s(&terms, coefficients);
}

static double restore_s(const struct predict_input *input)
{
    double task_rate = input->task_read_rate > 0 ? input->task_read_rate : input->task_write_rate;
    double shared_rate =
        input->shared_read_rate > 0 ? input->shared_read_rate : input->shared_write_rate;
    return model_restore_s(state_bytes(input), input->task_count, task_rate, shared_rate);
}

/* The models alone. Gives back the job as they see it. */
static struct job compute_models(const struct predict_input *input, struct predict_output *output)
{
    output->restore_s = restore_s(input);
    const struct model_downtime stages = {
        .detection_s = input->detection_s,
        .scheduling_s = input->restart_s,
        .restore_s = output->restore_s,
        .first_record_s = input->first_record_s,
    };
    output->downtime_s = model_downtime_s(&stages);
    output->stop_s =
        model_skew_uniform_s(input->barrier_window_s, input->input_count) + input->sync_s;
    const struct job job = {
        .input = input,
        .scale = 1,
        .stop_s = output->stop_s,
        .downtime_s = output->downtime_s,
    };
    output->configured = point_at(&job, input->interval_s, shortest_s(&job));
    double period_s = output->configured.period_s;
    output->duration_full_s = duration_full_s(input);
    output->duration_incremental_s = input->incremental ? duration_at(&job, period_s) : NAN;
    output->duration_max_sum_s = duration_max_sum_s(input, period_s);
    return job;
}

/* The job with what was measured in place of what the models say. */
static struct job with_measured(struct job job, const struct predict_output *output)
{
    const struct predict_measured *measured = &job.input->measured;
    if (measured->stop_s > 0) {
        job.stop_s = measured->stop_s;
    }
    if (measured->downtime_s > 0) {
        job.downtime_s = measured->downtime_s;
    }
    double period_s = measured->period_s > 0 ? measured->period_s : output->configured.period_s;
    double predicted_s = duration_at(&job, period_s);
    if (measured->duration_s > 0 && predicted_s > 0 && isfinite(predicted_s)) {
        job.scale = measured->duration_s / predicted_s;
    }
    return job;
}

static bool has_spare_capacity(const struct predict_input *input)
{
    return input->input_rate == 0 || input->capacity > input->input_rate;
}

static void recommend(const struct job *job, struct predict_output *output)
{
    /* A limit that no interval can keep for want of capacity says nothing about intervals. */
    bool broken = output->limit_s == 0 && has_spare_capacity(job->input);
    double limit_s = output->limit_s == 0 ? INFINITY : output->limit_s;
    double best_s = fmin(output->optimum_s, limit_s);
    if (isinf(output->shortest_s)) {
        output->bound = PREDICT_STORE_TOO_SLOW;
    } else if (broken) {
        output->bound = PREDICT_LIMIT_BROKEN;
    } else if (isinf(best_s)) {
        output->bound = PREDICT_NO_REASON;
    } else if (best_s < output->shortest_s) {
        output->bound = PREDICT_BY_DURATION;
    } else {
        output->bound = limit_s < output->optimum_s ? PREDICT_BY_LIMIT : PREDICT_BY_UTILISATION;
    }
    output->recommended_s = broken ? output->shortest_s : fmax(best_s, output->shortest_s);
    output->recommended = point_at(job, output->recommended_s, output->shortest_s);
}

static void check_input(const struct predict_input *input)
{
    CHECK(input->task_count >= 1);
    CHECK(input->state_bytes >= 0);
    CHECK(input->task_bytes >= 0);
    CHECK(input->state_bytes == 0 || input->task_bytes == 0);
    CHECK(input->interval_s > 0);
    CHECK(input->min_pause_s >= 0);
    CHECK(input->sync_s >= 0);
    CHECK(input->ack_s >= 0);
    CHECK(input->failure_rate >= 0);
    CHECK(input->recovery_limit_s >= 0);
}

void predict_compute(const struct predict_input *input, struct predict_output *output)
{
    check_input(input);
    struct job job = compute_models(input, output);
    job = with_measured(job, output);
    output->scale = job.scale;
    output->young_s = job.stop_s + model_young_s(job.stop_s, mtbf_s(input));
    output->daly_s = job.stop_s + model_daly_higher_order_s(job.stop_s, mtbf_s(input));
    output->optimum_s = model_utilisation_optimum_s(job.stop_s, mtbf_s(input));
    output->shortest_s = shortest_s(&job);
    output->limit_s = limit_interval_s(&job, output->shortest_s);
    recommend(&job, output);
}
