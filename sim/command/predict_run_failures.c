#include "model/base/check.h"
#include "reports/models_recovery.h"
#include "sim/command/predict_run_private.h"

/* Of a TaskManager without a JobManager. */
#define REGISTRATION_RETRY_S 0.5

/* Silence is noticed at the first heartbeat that is at least the timeout after the last answer,
 * which came within the interval before the failure: a little after a heartbeat, so that a timeout
 * of whole intervals is seen one later. */
static double silence_s(const struct job_config *job)
{
    double interval_s = seconds(job->heartbeat_interval_ns);
    double timeout_s = seconds(job->heartbeat_timeout_ns);
    return (floor(timeout_s / interval_s) + 1) * interval_s - interval_s / 2;
}

/* The delay before a first restart. Jitter only lengthens it: below the initial delay it is cut
 * off, and the other half adds half of its reach in the mean. */
static double first_delay_s(const struct restart_options *restart)
{
    switch (restart->strategy) {
    case RESTART_NONE: return 0;
    case RESTART_FIXED_DELAY:
    case RESTART_FAILURE_RATE: return seconds(restart->delay_ns);
    case RESTART_EXPONENTIAL_DELAY:
        return seconds(restart->initial_delay_ns) * (1 + restart->jitter_ppm / PREDICT_PPM / 4);
    }
    CHECK_UNREACHABLE("a restart strategy");
}

/* What the sinks do until the job runs. */
static const struct predict_trips sink_trips = { SINK_OPEN_CALLS + SINK_RESTORE_CALLS,
                                                 SINK_OPEN_SYNCS + SINK_RESTORE_SYNCS, 0 };

/* From where a JobManager may deploy until the job runs. */
static double deploy_s(const struct prediction *prediction)
{
    const struct cluster *cluster = &prediction->scenario->cluster;
    return trips_s(cluster, prediction->store.choose) + trips_s(cluster, predict_record_trips) +
           trips_s(cluster, sink_trips) + trips_s(cluster, prediction->store.fetch);
}

/* A new JobManager's, until it has the leadership and knows the store. */
static double take_over_s(const struct prediction *prediction)
{
    const struct cluster *cluster = &prediction->scenario->cluster;
    struct predict_trips load = { RECORD_LOAD_CALLS, RECORD_LOAD_SYNCS, 0 };
    return trips_s(cluster, load) + trips_s(cluster, predict_record_trips) +
           trips_s(cluster, prediction->store.open);
}

static struct failure_model job_manager_failure(const struct prediction *prediction,
                                                enum failure_kind kind, double away_s)
{
    const struct scenario *scenario = prediction->scenario;
    double ready_s = away_s + take_over_s(prediction);
    /* TaskManagers register again: at once if they know of the failure, and from then on now and
     * then; else when they miss the heartbeats. */
    double registered_s = kind == FAILURE_JOB_MANAGER
                              ? ceil(away_s / REGISTRATION_RETRY_S) * REGISTRATION_RETRY_S
                              : silence_s(&scenario->job);
    return (struct failure_model){
        .kind = kind,
        .detection_s = ready_s,
        .restart_s = fmax(0, registered_s - ready_s) + deploy_s(prediction),
    };
}

/* `away_s`: after which the TaskManager is there again; INFINITY: never. */
static struct failure_model task_manager_failure(const struct prediction *prediction,
                                                 enum failure_kind kind, double detection_s,
                                                 double away_s)
{
    const struct job_config *job = &prediction->scenario->job;
    double wait_s = first_delay_s(&job->restart) +
                    trips_s(&prediction->scenario->cluster, prediction->store.give_up);
    bool spare_slots = (uint64_t)(job->task_managers - 1) * job->slots >= job->parallelism;
    if (!spare_slots && isfinite(away_s)) {
        wait_s = fmax(wait_s, away_s - detection_s);
    }
    return (struct failure_model){
        .kind = kind,
        .detection_s = detection_s,
        .restart_s = wait_s + deploy_s(prediction),
    };
}

struct failure_model predict_failure_of(const struct prediction *prediction,
                                        const struct fault *fault)
{
    struct failure_model other = { .kind = FAILURE_OTHER };
    const struct fault_object *object = &fault->object;
    double away_s = fault->for_ever ? (double)INFINITY : seconds(fault->for_ns);
    double hears_s = silence_s(&prediction->scenario->job);
    bool is_task_manager = object->kind == OBJECT_TASK_MANAGER || object->kind == OBJECT_TASK;
    if (object->part != PART_PROCESS) {
        return other;
    }
    if (object->kind == OBJECT_JOB_MANAGER &&
        prediction->scenario->job.checkpoint.store == STORE_MEMORY) {
        return other; /* there is nothing to recover from */
    }
    bool is_cut = fault->verb == FAULT_WIPE || (fault->verb == FAULT_CRASH && object->machine);
    if (object->kind == OBJECT_JOB_MANAGER && isfinite(away_s)) {
        return is_cut ? job_manager_failure(prediction, FAILURE_JOB_MANAGER_MACHINE, away_s)
               : fault->verb == FAULT_CRASH
                   ? job_manager_failure(prediction, FAILURE_JOB_MANAGER, away_s)
                   : other;
    }
    if (!is_task_manager) {
        return other;
    }
    if (is_cut) { /* its return is as good as word of its loss */
        return task_manager_failure(prediction, FAILURE_SILENT, fmin(hears_s, away_s), away_s);
    }
    if (fault->verb == FAULT_PAUSE && away_s >= hears_s) {
        return task_manager_failure(prediction, FAILURE_SILENT, hears_s, away_s);
    }
    if (fault->verb == FAULT_CRASH) {
        return task_manager_failure(prediction, FAILURE_PROCESS, 0, away_s);
    }
    return other;
}

double predict_downtime_s(const struct prediction *prediction, const struct failure_model *failure)
{
    const struct predict_input *input = &prediction->input;
    double restore_s = model_restore_s(input->state_bytes, input->task_count, input->task_read_rate,
                                       input->shared_read_rate);
    const struct model_downtime stages = {
        .detection_s = failure->detection_s,
        .scheduling_s = failure->restart_s,
        .restore_s = restore_s,
        .first_record_s = input->first_record_s,
    };
    return model_downtime_s(&stages);
}

struct failure_model predict_assume_failure(const struct prediction *prediction,
                                            bool *is_of_scenario)
{
    const struct scenario *scenario = prediction->scenario;
    struct failure_model worst = { .kind = FAILURE_OTHER };
    double worst_s = 0;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        struct failure_model failure = predict_failure_of(prediction, &scenario->faults[i]);
        double downtime_s =
            failure.kind == FAILURE_OTHER ? 0 : predict_downtime_s(prediction, &failure);
        if (downtime_s > worst_s) {
            worst = failure;
            worst_s = downtime_s;
        }
    }
    *is_of_scenario = worst.kind != FAILURE_OTHER;
    if (!*is_of_scenario) {
        return task_manager_failure(prediction, FAILURE_SILENT, silence_s(&scenario->job),
                                    (double)INFINITY);
    }
    return worst;
}

uint32_t predict_restart_calls(const struct prediction *prediction)
{
    const struct predict_store *store = &prediction->store;
    return (uint32_t)(store->choose.calls + predict_record_trips.calls + sink_trips.calls +
                      store->fetch.calls + store->give_up.calls);
}
