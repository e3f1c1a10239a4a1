#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/base/check.h"
#include "sim/campaign/human.h"
#include "sim/campaign/verdict.h"
#include "sim/command/predict_run_private.h"
#include "sim/scenario/scenario_values.h"

static uint64_t nanoseconds(double time_s)
{
    CHECK(time_s >= 0);
    return time_s >= 1e9 ? UINT64_C(1000000000000000000)
                         : (uint64_t)llround(time_s * PREDICT_NS_PER_S);
}

static uint64_t whole(double number)
{
    CHECK(number >= 0);
    return number >= 1e18 ? UINT64_C(1000000000000000000) : (uint64_t)llround(number);
}

static void append_duration(struct buffer *out, double time_s)
{
    if (isinf(time_s)) {
        buffer_append_text(out, "never");
    } else {
        human_duration(out, nanoseconds(time_s));
    }
}

/* ---- what the prediction is made from -------------------------------------------------------- */

static void append_head(const struct prediction *prediction, struct buffer *out)
{
    const struct scenario *scenario = prediction->scenario;
    const struct job_config *job = &scenario->job;
    buffer_append_format(out, "%s, seed %" PRIu64 ", predicted\n", scenario->name, scenario->seed);
    buffer_append_format(out, "job          %s: parallelism %" PRIu32 ", ", job->job,
                         job->parallelism);
    human_count_of(out, prediction->input.task_count, "task");
    buffer_append_text(out, " on ");
    human_count_of(out, job->task_managers, "TaskManager");
    buffer_append_text(out, "; a checkpoint every ");
    human_duration(out, job->checkpoint.interval_ns);
    buffer_append_text(out, "\n");
}

static void append_load(const struct prediction *prediction, struct buffer *out)
{
    const struct predict_input *input = &prediction->input;
    buffer_append_text(out, "input        ");
    if (input->input_rate == 0) {
        buffer_append_text(out, "as fast as it is processed: nothing waits after a failure, so that"
                                " recoveries below end\n"
                                "             with the downtime; what was done since the last"
                                " checkpoint is done again after it\n");
    } else {
        human_count(out, whole(input->input_rate));
        buffer_append_text(out, " records a second");
        if (isfinite(input->capacity)) {
            buffer_append_text(out, "; at most ");
            human_count(out, whole(input->capacity));
            buffer_append_text(out, " can be processed");
        }
        buffer_append_text(out, "\n");
    }
}

static const char *where_the_state_goes(const struct prediction *prediction)
{
    if (store_kind_carries(prediction->scenario->job.checkpoint.store)) {
        return "travels with the acknowledgements";
    }
    return prediction->uploads ? "goes into a file of each task" : "goes into the manifest";
}

static void append_state(const struct prediction *prediction, struct buffer *out)
{
    const struct predict_input *input = &prediction->input;
    buffer_append_text(out, "state        ");
    human_size(out, whole(input->state_bytes));
    buffer_append_format(out, " in %" PRIu32 " of the tasks; from a run without faults of ",
                         prediction->state_task_count);
    human_duration(out, prediction->probe_ns);
    buffer_append_text(out, ", ");
    if (prediction->checkpoint_count == 0) {
        buffer_append_text(out, "in which only the last checkpoint completed\n");
    } else {
        human_count_of(out, prediction->checkpoint_count, "checkpoint");
        buffer_append_text(out, " in its later half\n");
    }
    buffer_append_format(out,
                         "store        %" PRIu32 " round trips one after the other for a"
                         " checkpoint, %" PRIu32 " for a restart, ",
                         prediction->checkpoint_calls, prediction->restart_calls);
    human_duration(out, prediction->scenario->cluster.store.latency_ns);
    buffer_append_text(out, " each");
    if (prediction->scenario->cluster.store.sync_ns > 0) {
        buffer_append_text(out, " and ");
        human_duration(out, prediction->scenario->cluster.store.sync_ns);
        buffer_append_text(out, " more if it syncs");
    }
    buffer_append_format(out, "; the state %s\n", where_the_state_goes(prediction));
}

static const char *kind_text(enum failure_kind kind)
{
    switch (kind) {
    case FAILURE_PROCESS: return "a TaskManager's process dies";
    case FAILURE_SILENT: return "a TaskManager falls silent";
    case FAILURE_JOB_MANAGER: return "the JobManager's process dies";
    case FAILURE_JOB_MANAGER_MACHINE: return "the JobManager's machine loses its power";
    case FAILURE_OTHER: return "something else";
    }
    CHECK_UNREACHABLE("a kind of failure");
}

static const char *kind_name(enum failure_kind kind)
{
    switch (kind) {
    case FAILURE_PROCESS: return "process";
    case FAILURE_SILENT: return "silent";
    case FAILURE_JOB_MANAGER: return "job_manager";
    case FAILURE_JOB_MANAGER_MACHINE: return "job_manager_machine";
    case FAILURE_OTHER: return "other";
    }
    CHECK_UNREACHABLE("a kind of failure");
}

static void append_failure(const struct prediction *prediction, struct buffer *out)
{
    const struct failure_model *assumed = &prediction->assumed;
    buffer_append_format(out, "failure      %s: noticed ", kind_text(assumed->kind));
    if (assumed->detection_s == 0) {
        buffer_append_text(out, "at once");
    } else {
        buffer_append_text(out, "after ");
        append_duration(out, assumed->detection_s);
    }
    buffer_append_text(out, ", ready to read the state ");
    append_duration(out, assumed->restart_s);
    buffer_append_text(out, " later");
    buffer_append_format(out, " (%s)\n",
                         prediction->is_of_scenario ? "the longest of the scenario's faults"
                         : prediction->scenario->fault_count > 0
                             ? "the models know none of the scenario's faults"
                             : "the scenario has no faults");
    const struct restart_options *restart = &prediction->scenario->job.restart;
    if (restart->strategy == RESTART_EXPONENTIAL_DELAY &&
        restart->max_delay_ns > restart->initial_delay_ns) {
        buffer_append_text(out,
                           "             with the first delay of exponential_delay; of failures"
                           " that follow soon it grows to ");
        human_duration(out, restart->max_delay_ns);
        buffer_append_text(out, "\n");
    }
    if (restart->strategy == RESTART_NONE) {
        buffer_append_text(out, "             restart.strategy is none: the job does not survive"
                                " it, and what follows is for one that would\n");
    }
}

/* ---- recoveries one by one ------------------------------------------------------------------- */

enum { MODEL_COLUMN = 12, CAUSE_INDENT = 2 };

static void append_cell(struct buffer *out, double time_s)
{
    size_t start = out->size;
    struct buffer cell;
    buffer_init(&cell, out->arena);
    if (time_s > 0) {
        append_duration(&cell, time_s);
    } else {
        buffer_append_text(&cell, "-");
    }
    for (size_t size = cell.size; size < MODEL_COLUMN; size++) {
        buffer_append_text(out, " ");
    }
    buffer_append(out, buffer_bytes(&cell));
    buffer_free(&cell);
    CHECK(out->size - start >= MODEL_COLUMN);
}

static double model_downtime_of(const struct prediction *prediction,
                                const struct failure_model *failure)
{
    return failure->kind == FAILURE_OTHER ? 0 : predict_downtime_s(prediction, failure);
}

static void append_recoveries(const struct prediction *prediction, struct buffer *out)
{
    if (prediction->recovery_count == 0) {
        return;
    }
    buffer_append_text(out, "\nThe scenario's recoveries\n"
                            "       down: model    measured   all: model    measured  cause\n");
    for (size_t i = 0; i < prediction->recovery_count; i++) {
        const struct predicted_recovery *recovery = &prediction->recoveries[i];
        buffer_append_text(out, "      ");
        append_cell(out, model_downtime_of(prediction, &recovery->model));
        append_cell(out, recovery->downtime_s);
        append_cell(out, recovery->model_recovery_s);
        append_cell(out, recovery->recovery_s);
        buffer_append_format(out, "  %s\n", recovery->cause);
    }
    buffer_append_text(out, "  That a job has caught up is seen when its sources next report, which"
                            " they do every 50 ms.\n");
}

void predict_run_write(const struct prediction *prediction, struct buffer *out)
{
    append_head(prediction, out);
    append_load(prediction, out);
    append_state(prediction, out);
    append_failure(prediction, out);
    buffer_append_text(out, "\n");
    predict_append(&prediction->input, &prediction->output, out);
    append_recoveries(prediction, out);
    if (prediction->input.failure_rate == 0 && prediction->input.recovery_limit_s == 0) {
        buffer_append_text(out,
                           "\nState how often the job fails (--failure-rate 3/day) and how long"
                           " a recovery may take\n(--recovery-limit 30s) for a recommendation"
                           " that weighs them.\n");
    }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void set(json_t *object, const char *key, json_t *value)
{
    int failed = json_object_set_new(object, key, value);
    CHECK(failed == 0);
}

/* JSON knows no infinity: null. */
static void set_number(json_t *object, const char *key, double number)
{
    set(object, key, isfinite(number) ? json_real(number) : json_null());
}

/* 0 is what was not measured. */
static void set_measured(json_t *object, const char *key, double number)
{
    set(object, key, number > 0 ? json_real(number) : json_null());
}

static void set_text(json_t *object, const char *key, const char *text)
{
    json_t *value = json_string(text);
    set(object, key, value == NULL ? json_null() : value);
}

static json_t *json_of_input(const struct prediction *prediction)
{
    const struct predict_input *input = &prediction->input;
    json_t *object = json_object();
    set(object, "tasks", json_integer(input->task_count));
    set(object, "tasks_with_state", json_integer(prediction->state_task_count));
    set_number(object, "input_rate_per_s", input->input_rate);
    set_number(object, "capacity_per_s", input->capacity);
    set_number(object, "state_bytes", input->state_bytes);
    set_number(object, "interval_s", input->interval_s);
    set_number(object, "min_pause_s", input->min_pause_s);
    set_number(object, "fixed_s", input->fixed_s);
    set(object, "checkpoint_round_trips", json_integer(prediction->checkpoint_calls));
    set(object, "restart_round_trips", json_integer(prediction->restart_calls));
    set_number(object, "failure_rate_per_s", input->failure_rate);
    set_number(object, "recovery_limit_s", input->recovery_limit_s);
    set_text(object, "failure", kind_name(prediction->assumed.kind));
    set_number(object, "detection_s", input->detection_s);
    set_number(object, "restart_s", input->restart_s);
    return object;
}

static json_t *json_of_point(const struct predict_point *point)
{
    json_t *object = json_object();
    set_number(object, "period_s", point->period_s);
    set_number(object, "checkpoint_s", point->duration_s);
    set_number(object, "share_stopped", point->overhead);
    set_number(object, "share_of_useful_work", point->utilisation);
    set_number(object, "recovery_mean_s", point->recovery_s.mean);
    set_number(object, "recovery_worst_s", point->recovery_s.worst);
    set_number(object, "replayed_mean", point->replayed_records.mean);
    set_number(object, "replayed_worst", point->replayed_records.worst);
    set_number(object, "waiting_worst", point->peak_lag_records);
    return object;
}

static json_t *json_of_model(const struct predict_output *output)
{
    json_t *object = json_of_point(&output->configured);
    set_number(object, "stop_s", output->stop_s);
    set_number(object, "restore_s", output->restore_s);
    set_number(object, "downtime_s", output->downtime_s);
    return object;
}

static json_t *json_of_measured(const struct predict_measured *measured)
{
    json_t *object = json_object();
    set_measured(object, "period_s", measured->period_s);
    set_measured(object, "checkpoint_s", measured->duration_s);
    set_measured(object, "stop_s", measured->stop_s);
    set_measured(object, "downtime_s", measured->downtime_s);
    set_measured(object, "recovery_mean_s", measured->recovery_s.mean);
    set_measured(object, "recovery_worst_s", measured->recovery_s.worst);
    set_measured(object, "replayed_mean", measured->replayed_records.mean);
    set_measured(object, "replayed_worst", measured->replayed_records.worst);
    return object;
}

static const char *bound_name(enum predict_bound bound)
{
    switch (bound) {
    case PREDICT_BY_UTILISATION: return "useful_work";
    case PREDICT_BY_LIMIT: return "recovery_limit";
    case PREDICT_BY_DURATION: return "checkpoint_duration";
    case PREDICT_LIMIT_BROKEN: return "recovery_limit_cannot_be_kept";
    case PREDICT_NO_REASON: return "none";
    case PREDICT_STORE_TOO_SLOW: return "store_too_slow";
    }
    CHECK_UNREACHABLE("a bound");
}

static json_t *json_of_recommendation(const struct predict_output *output, struct buffer *scratch)
{
    json_t *object = json_object();
    buffer_reset(scratch);
    if (isfinite(output->recommended_s)) {
        predict_append_interval(output, scratch);
    }
    set(object, "interval",
        scratch->size == 0 ? json_null()
                           : json_stringn((const char *)scratch->data, scratch->size));
    set_text(object, "decided_by", bound_name(output->bound));
    set_number(object, "young_s", output->young_s);
    set_number(object, "daly_s", output->daly_s);
    set_number(object, "most_useful_work_s", output->optimum_s);
    set_number(object, "shortest_s", output->shortest_s);
    set_number(object, "longest_within_limit_s", output->limit_s);
    set(object, "then",
        isfinite(output->recommended_s) ? json_of_point(&output->recommended) : json_null());
    return object;
}

static json_t *json_of_recoveries(const struct prediction *prediction)
{
    json_t *array = json_array();
    for (size_t i = 0; i < prediction->recovery_count; i++) {
        const struct predicted_recovery *recovery = &prediction->recoveries[i];
        json_t *object = json_object();
        set_text(object, "cause", recovery->cause);
        set_text(object, "failure", kind_name(recovery->model.kind));
        set_measured(object, "model_downtime_s", model_downtime_of(prediction, &recovery->model));
        set_measured(object, "downtime_s", recovery->downtime_s);
        set_measured(object, "model_recovery_s", recovery->model_recovery_s);
        set_measured(object, "recovery_s", recovery->recovery_s);
        int failed = json_array_append_new(array, object);
        CHECK(failed == 0);
    }
    return array;
}

void predict_run_write_json(const struct prediction *prediction, struct buffer *out)
{
    enum { DIGITS = 6 };
    struct buffer scratch;
    buffer_init(&scratch, out->arena);
    json_t *object = json_object();
    set_text(object, "name", prediction->scenario->name);
    set(object, "input", json_of_input(prediction));
    set(object, "model", json_of_model(&prediction->output));
    set(object, "measured", json_of_measured(&prediction->input.measured));
    set(object, "recommended", json_of_recommendation(&prediction->output, &scratch));
    set(object, "recoveries", json_of_recoveries(prediction));
    char *text = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(DIGITS));
    CHECK(text != NULL);
    buffer_append_text(out, text);
    buffer_append_text(out, "\n");
    free(text);
    json_decref(object);
    buffer_free(&scratch);
}

/* ---- the command ----------------------------------------------------------------------------- */

static enum status read_wish(const struct options *options, struct predict_wish *wish,
                             struct buffer *error)
{
    *wish = (struct predict_wish){ 0 };
    if (options->failure_rate != NULL &&
        !predict_parse_rate(options->failure_rate, &wish->failure_rate)) {
        buffer_append_text(error, "faultline: --failure-rate: must be above 0, such as \"3/day\","
                                  " \"1/h\", \"0.075/min\" or \"0.001/s\"");
        return STATUS_INVALID;
    }
    uint64_t limit_ns = 0;
    if (options->recovery_limit != NULL && (value_parse(bytes_of_text(options->recovery_limit),
                                                        VALUE_DURATION, &limit_ns) != VALUE_OK ||
                                            limit_ns == 0)) {
        buffer_append_text(error, "faultline: --recovery-limit: must be a duration above 0, such as"
                                  " \"30s\"");
        return STATUS_INVALID;
    }
    wish->recovery_limit_s = (double)limit_ns / PREDICT_NS_PER_S;
    return STATUS_OK;
}

static enum status predict_one(const struct options *options, struct arena *arena,
                               struct buffer *text, struct buffer *error)
{
    CHECK(options->scenario_count == 1);
    struct predict_wish wish;
    struct scenario scenario;
    struct bytes input;
    struct prediction prediction;
    enum status status = read_wish(options, &wish, error);
    if (status == STATUS_OK) {
        status = scenario_read(&scenario, arena, options->scenarios[0], &options->overrides, error);
    }
    if (status == STATUS_OK) {
        status = run_read_input(&scenario, arena, &input, error);
    }
    if (status == STATUS_OK) {
        status = predict_scenario(&prediction, arena, &scenario, input, &wish, error);
    }
    if (status == STATUS_OK) {
        (options->json ? predict_run_write_json : predict_run_write)(&prediction, text);
    }
    return status;
}

enum verdict predict_command(const struct options *options)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer text;
    struct buffer error;
    buffer_init(&text, &arena);
    buffer_init(&error, &arena);
    enum status status = predict_one(options, &arena, &text, &error);
    if (status == STATUS_OK) { /* whether it could be written is main's to ask */
        (void)fwrite(text.data, 1, text.size, stdout);
    } else {
        (void)fprintf(stderr, "%.*s\n", (int)error.size, (const char *)error.data);
    }
    arena_drop(&arena);
    return verdict_of_status(status);
}
