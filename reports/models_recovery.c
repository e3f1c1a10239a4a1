#include "reports/models_recovery.h"

#include <math.h>

#include "model/base/check.h"

double model_downtime_s(const struct model_downtime *stages)
{
    CHECK(stages->detection_s >= 0);
    CHECK(stages->scheduling_s >= 0);
    CHECK(stages->restore_s >= 0);
    CHECK(stages->first_record_s >= 0);
    return stages->detection_s + stages->scheduling_s + stages->restore_s + stages->first_record_s;
}

double model_restore_s(double state_bytes, double task_count, double task_rate, double shared_rate)
{
    CHECK(state_bytes >= 0);
    CHECK(task_count >= 1);
    CHECK(task_rate > 0);
    CHECK(shared_rate > 0);
    return fmax(state_bytes / (task_count * task_rate), state_bytes / shared_rate);
}

struct model_mean_worst model_checkpoint_age_s(double interval_s, double duration_s)
{
    CHECK(interval_s >= 0);
    CHECK(duration_s >= 0);
    return (struct model_mean_worst){
        .mean = interval_s / 2 + duration_s,
        .worst = interval_s + duration_s,
    };
}

static void check_load(const struct model_load *load)
{
    CHECK(load->input_rate >= 0);
    CHECK(load->capacity >= 0);
}

double model_catch_up_s(const struct model_load *load, double behind_s)
{
    check_load(load);
    CHECK(behind_s >= 0);
    if (load->input_rate == 0) {
        return 0;
    }
    if (load->capacity <= load->input_rate) {
        return INFINITY;
    }
    return behind_s * (load->input_rate / (load->capacity - load->input_rate));
}

double model_recovery_s(const struct model_load *load, double downtime_s, double age_s)
{
    CHECK(downtime_s >= 0);
    CHECK(age_s >= 0);
    return downtime_s + model_catch_up_s(load, age_s + downtime_s);
}

/* Where nothing arrives there are none, for however long. */
static double records_of(double rate, double duration_s)
{
    return rate == 0 ? 0 : rate * duration_s;
}

double model_peak_lag_records(const struct model_load *load, double downtime_s, double age_s)
{
    check_load(load);
    CHECK(downtime_s >= 0);
    CHECK(age_s >= 0);
    return records_of(load->input_rate, age_s + downtime_s);
}

struct model_mean_worst model_replayed_records(double interval_s, double duration_s,
                                               double input_rate)
{
    CHECK(input_rate >= 0);
    struct model_mean_worst age_s = model_checkpoint_age_s(interval_s, duration_s);
    return (struct model_mean_worst){
        .mean = records_of(input_rate, age_s.mean),
        .worst = records_of(input_rate, age_s.worst),
    };
}

struct model_mean_worst model_visible_delay_s(double interval_s, double duration_s)
{
    return model_checkpoint_age_s(interval_s, duration_s);
}

double model_duplicate_records(const double *rates, const double *barriers_s, size_t count)
{
    double last_s = count > 0 ? barriers_s[0] : 0;
    for (size_t i = 0; i < count; i++) {
        CHECK(rates[i] >= 0);
        CHECK(isfinite(barriers_s[i]));
        last_s = fmax(last_s, barriers_s[i]);
    }
    double records = 0;
    for (size_t i = 0; i < count; i++) {
        records += rates[i] * (last_s - barriers_s[i]);
    }
    return records;
}

struct model_mean_worst model_rollback_age_s(double interval_s, double depth)
{
    CHECK(interval_s >= 0);
    CHECK(depth >= 0);
    return (struct model_mean_worst){
        .mean = (depth + 1) * interval_s / 2,
        .worst = (depth + 1) * interval_s,
    };
}
