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

/* From where a JobManager may deploy until the job runs, in round trips. */
static uint32_t deploy_calls(const struct prediction *prediction)
{
    uint32_t retained = prediction->scenario->job.checkpoint.retained;
    return LIST_CALLS + LIST_EACH_CALLS * retained + STORE_READ_CALLS + RECORD_STORE_CALLS +
           SINK_OPEN_CALLS + SINK_RESTORE_CALLS + (prediction->uploads ? STORE_READ_CALLS : 0);
}

static double deploy_s(const struct prediction *prediction)
{
    uint32_t retained = prediction->scenario->job.checkpoint.retained;
    return trips_s(&prediction->scenario->cluster, deploy_calls(prediction),
                   LIST_EACH_SYNCS * retained + RECORD_STORE_SYNCS + SINK_OPEN_SYNCS +
                       SINK_RESTORE_SYNCS,
                   RECORD_STORE_REMOVES);
}

/* Discarding the checkpoint that the failure cut short: in round trips, and what it removes. */
static uint32_t discard_calls(const struct prediction *prediction)
{
    return DISCARD_CALLS + (prediction->uploads ? prediction->state_task_count : 0);
}

static uint32_t discard_removes(const struct prediction *prediction)
{
    return DISCARD_REMOVES + (prediction->uploads ? prediction->state_task_count : 0);
}

/* A new JobManager's, until it has the leadership and knows the store. */
static double take_over_s(const struct prediction *prediction)
{
    uint32_t retained = prediction->scenario->job.checkpoint.retained;
    uint32_t calls = RECORD_LOAD_CALLS + RECORD_STORE_CALLS + STORE_INIT_CALLS + LIST_CALLS +
                     FIND_CALLS * (retained + 1) + discard_calls(prediction) + LIST_CALLS +
                     LIST_EACH_CALLS * retained;
    return trips_s(&prediction->scenario->cluster, calls,
                   RECORD_LOAD_SYNCS + RECORD_STORE_SYNCS + STORE_INIT_SYNCS + DISCARD_SYNCS +
                       LIST_EACH_SYNCS * retained,
                   RECORD_STORE_REMOVES + discard_removes(prediction));
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
    double wait_s = first_delay_s(&job->restart) + trips_s(&prediction->scenario->cluster,
                                                           discard_calls(prediction), DISCARD_SYNCS,
                                                           discard_removes(prediction));
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
    return deploy_calls(prediction) + discard_calls(prediction);
}
