#include "reports/models_cost.h"

#include <math.h>

#include "model/base/check.h"

/* Keeps (k - 1) p^2 below 2^60. */
#define CHAIN_MAX (UINT64_C(1) << 20)

struct model_messages model_checkpoint_messages(uint64_t operator_count, uint64_t parallelism)
{
    CHECK(operator_count >= 1);
    CHECK(operator_count <= CHAIN_MAX);
    CHECK(parallelism >= 1);
    CHECK(parallelism <= CHAIN_MAX);
    uint64_t tasks = operator_count * parallelism;
    struct model_messages messages = {
        .tasks = tasks,
        .barriers = (operator_count - 1) * parallelism * parallelism,
        .triggers = parallelism,
        .acks = tasks,
        .notifications = tasks,
    };
    messages.total = messages.barriers + messages.triggers + messages.acks + messages.notifications;
    return messages;
}

double model_marker_latency_s(double diameter, double delay_max_s)
{
    CHECK(diameter >= 0);
    CHECK(delay_max_s >= 0);
    return diameter * delay_max_s;
}

static double harmonic(uint32_t count)
{
    double sum = 0;
    for (uint32_t i = count; i > 0; i--) {
        sum += 1.0 / i; /* The small ones first: then rounding loses least. */
    }
    return sum;
}

double model_skew_uniform_s(double window_s, uint32_t input_count)
{
    CHECK(window_s >= 0);
    CHECK(input_count >= 1);
    return window_s * (input_count - 1.0) / (input_count + 1.0);
}

double model_last_uniform_s(double window_s, uint32_t input_count)
{
    CHECK(window_s >= 0);
    CHECK(input_count >= 1);
    return window_s * input_count / (input_count + 1.0);
}

double model_skew_exponential_s(double mean_s, uint32_t input_count)
{
    CHECK(mean_s >= 0);
    CHECK(input_count >= 1);
    return mean_s * harmonic(input_count - 1);
}

double model_last_exponential_s(double mean_s, uint32_t input_count)
{
    CHECK(mean_s >= 0);
    CHECK(input_count >= 1);
    return mean_s * harmonic(input_count);
}

double model_straggler_probability(double slow, double task_count)
{
    CHECK(slow >= 0);
    CHECK(slow <= 1);
    CHECK(task_count >= 0);
    if (slow == 1) {
        return task_count > 0 ? 1 : 0;
    }
    return -expm1(task_count * log1p(-slow));
}

double model_quick_probability_needed(double all_quick, double task_count)
{
    CHECK(all_quick >= 0);
    CHECK(all_quick <= 1);
    CHECK(task_count >= 1);
    return pow(all_quick, 1 / task_count);
}

/* The time to write `task_bytes` from each of `task_count` tasks. */
static double write_s(const struct model_pipe *pipe, double task_bytes, double task_count)
{
    CHECK(pipe->fixed_s >= 0);
    CHECK(pipe->task_rate > 0);
    CHECK(pipe->shared_rate > 0);
    CHECK(task_bytes >= 0);
    CHECK(task_count >= 0);
    return fmax(task_bytes / pipe->task_rate, task_count * task_bytes / pipe->shared_rate);
}

double model_duration_full_s(const struct model_pipe *pipe, double task_bytes, double task_count)
{
    return pipe->fixed_s + write_s(pipe, task_bytes, task_count);
}

double model_duration_slots_s(double fixed_s, double write_each_s, double task_count,
                              double slot_count)
{
    CHECK(fixed_s >= 0);
    CHECK(write_each_s >= 0);
    CHECK(task_count >= 0);
    CHECK(slot_count >= 1);
    return fixed_s + ceil(task_count / slot_count) * write_each_s;
}

double model_changed_keys(const struct model_changes *changes, double interval_s)
{
    CHECK(changes->key_count >= 0);
    CHECK(changes->update_rate >= 0);
    CHECK(interval_s >= 0);
    double updates = changes->update_rate * interval_s;
    if (changes->key_count == 0 || isinf(changes->key_count)) {
        return changes->key_count == 0 ? 0 : updates;
    }
    return changes->key_count * -expm1(-updates / changes->key_count);
}

double model_duration_incremental_s(const struct model_pipe *pipe,
                                    const struct model_changes *changes, double task_count,
                                    double interval_s)
{
    CHECK(changes->entry_bytes >= 0);
    double bytes = model_changed_keys(changes, interval_s) * changes->entry_bytes;
    return pipe->fixed_s + write_s(pipe, bytes, task_count);
}

double model_duration_line_s(const struct model_pipe *pipe, const struct model_changes *changes,
                             double task_count, double interval_s)
{
    CHECK(pipe->shared_rate > 0);
    CHECK(task_count >= 0);
    CHECK(interval_s >= 0);
    double bytes_per_s = changes->update_rate * changes->entry_bytes;
    return pipe->fixed_s + bytes_per_s / pipe->shared_rate * interval_s * task_count;
}

double model_duration_queued_s(double hop_count, double queued_records, double service_rate)
{
    CHECK(hop_count >= 0);
    CHECK(queued_records >= 0);
    CHECK(service_rate > 0);
    return hop_count * queued_records / service_rate;
}

double model_duration_max_sum_s(const struct model_max_sum *terms,
                                const double coefficients[1 + MODEL_MAX_SUM_TERMS])
{
    const double values[MODEL_MAX_SUM_TERMS] = {
        terms->barrier_path_s, terms->skew_s,          terms->sync_max_s,
        terms->upload_max_s,   terms->upload_shared_s, terms->task_count,
    };
    double duration_s = coefficients[0];
    for (size_t i = 0; i < MODEL_MAX_SUM_TERMS; i++) {
        CHECK(values[i] >= 0);
        duration_s += coefficients[1 + i] * values[i];
    }
    return duration_s;
}

double model_overhead(double task_count, double task_cost_s, double interval_s)
{
    CHECK(task_count >= 0);
    CHECK(task_cost_s >= 0);
    CHECK(interval_s > 0);
    return task_count * task_cost_s / interval_s;
}

double model_effective_period_s(double interval_s, double duration_s, double pause_s)
{
    CHECK(interval_s >= 0);
    CHECK(duration_s >= 0);
    CHECK(pause_s >= 0);
    return fmax(interval_s, duration_s + pause_s);
}

double model_unaligned_bytes(double hop_count, double channel_count, double buffer_count,
                             double buffer_bytes)
{
    CHECK(hop_count >= 0);
    CHECK(channel_count >= 0);
    CHECK(buffer_count >= 0);
    CHECK(buffer_bytes >= 0);
    return hop_count * channel_count * buffer_count * buffer_bytes;
}

uint64_t model_hmnr_bytes(uint32_t task_count)
{
    CHECK(task_count >= 1);
    uint64_t tasks = task_count;
    return 8 + 4 * tasks + 2 * ((tasks + 7) / 8);
}

double model_message_growth(double message_bytes, double added_bytes)
{
    CHECK(message_bytes > 0);
    CHECK(added_bytes >= 0);
    return (message_bytes + added_bytes) / message_bytes;
}
