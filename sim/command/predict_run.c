#include "sim/command/predict_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"
#include "model/stream/operator.h"
#include "reports/models_recovery.h"
#include "sim/command/predict_run_private.h"

/* ---- small things ---------------------------------------------------------------------------- */

bool predict_parse_rate(const char *text, double *per_s)
{
    static const struct {
        const char *name;
        double unit_s;
    } units[] = { { "/s", 1 }, { "/min", 60 }, { "/h", 3600 }, { "/day", 86400 } };
    /* What strtod takes besides: blanks, signs, words and hexadecimal numbers. */
    if (text[0] == '\0' || strspn(text, "0123456789.") != strcspn(text, "/")) {
        return false;
    }
    char *end;
    double count = strtod(text, &end);
    if (end == text || !isfinite(count) || count <= 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].name) == 0) {
            *per_s = count / units[i].unit_s;
            return *per_s > 0;
        }
    }
    return false;
}

/* ---- the job --------------------------------------------------------------------------------- */

/* The largest share of the records that one subtask gets: key groups do not divide evenly, and the
 * most frequent key stays in one piece. */
static double largest_share(const struct job_config *job)
{
    CHECK(job->parallelism > 0);
    uint32_t groups = (job->max_parallelism + job->parallelism - 1) / job->parallelism;
    double share = (double)groups / job->max_parallelism;
    if (job->input.kind == INPUT_GENERATOR) {
        double exponent = job->input.skew_ppm / PREDICT_PPM;
        double sum = exponent == 0 ? (double)job->input.keys : 0;
        for (uint64_t key = 1; exponent > 0 && key <= job->input.keys; key++) {
            sum += pow((double)key, -exponent);
        }
        share = fmax(share, 1 / sum + (1 - 1 / sum) / job->parallelism);
    }
    return share;
}

static bool has_sink(const struct vertex *vertex)
{
    for (uint32_t i = 0; i < vertex->chain_length; i++) {
        if (vertex->chain[i].ops == &file_sink_operator) {
            return true;
        }
    }
    return false;
}

/* Of a message between two processes, in the mean. */
static double latency_s(const struct scenario *scenario)
{
    const struct cluster *cluster = &scenario->cluster;
    return scenario->job.task_managers == 1
               ? seconds(cluster->network.local_latency_ns)
               : seconds(cluster->network.latency_min_ns + cluster->network.latency_max_ns) / 2;
}

/* How far two messages lie apart at most. */
static double jitter_s(const struct scenario *scenario)
{
    const struct cluster *cluster = &scenario->cluster;
    return scenario->job.task_managers == 1
               ? 0
               : seconds(cluster->network.latency_max_ns - cluster->network.latency_min_ns);
}

static bool is_saturated(const struct predict_input *input)
{
    return input->input_rate == 0 || input->input_rate >= input->capacity;
}

/* The time that a subtask needs for one full buffer of each of its channels, where records come
 * faster than they can be processed. A source stands still as soon as one of its channels is full:
 * if all are used evenly they are half full in the mean; if one gets all, it is full. */
static double round_s(const struct scenario *scenario)
{
    /* On the wire a record is its length, in 4 bytes, and a number of 8. */
    enum { RECORD_BYTES = 12 };
    const struct job_config *job = &scenario->job;
    double even = 1.0 / job->parallelism;
    double skew = job->parallelism == 1 ? 1 : (largest_share(job) - even) / (1 - even);
    double buffer_s =
        (double)job->buffer_bytes / RECORD_BYTES * seconds(scenario->cluster.cpu.record_ns);
    return job->parallelism * buffer_s * (0.5 + fmin(1, fmax(0, skew)) / 2);
}

/* How long a barrier waits behind the records of one hop: those of the buffers that credit lets
 * through and of one that waits for credit, or those that gathered within the buffer timeout. */
static double queue_s(const struct scenario *scenario, const struct predict_input *input)
{
    const struct job_config *job = &scenario->job;
    if (is_saturated(input)) {
        return (job->buffers_per_channel + 1) * round_s(scenario);
    }
    return input->input_rate / input->capacity * seconds(job->buffer_timeout_ns) / 2;
}

static void describe_job(struct prediction *prediction, const struct run *run,
                         const struct checkpoint_means *means)
{
    struct predict_input *input = &prediction->input;
    const struct scenario *scenario = prediction->scenario;
    const struct job_config *job = &scenario->job;
    double record_s = seconds(scenario->cluster.cpu.record_ns);
    input->task_count = run->task_count;
    input->operator_count = run->pipeline.vertex_count;
    input->input_count = run->pipeline.vertex_count > 1 ? job->parallelism : 1;
    input->input_rate = (double)job->input.rate_per_s;
    input->capacity = record_s == 0 ? (double)INFINITY : 1 / (record_s * largest_share(job));
    if (means->output_bytes > 0) { /* the store takes the output too */
        input->capacity =
            fmin(input->capacity,
                 predict_rate_of(scenario->cluster.store.write_bytes_per_s) / means->output_bytes);
    }
    input->state_bytes = means->bytes;
    input->hop_delay_s = latency_s(scenario) + queue_s(scenario, input);
    /* The sources' barriers start as far apart as the triggers came; in full channels each may be
     * anywhere in a round over all of them. */
    if (job->checkpoint.mode == MODE_EXACTLY_ONCE) {
        input->barrier_window_s =
            2 * jitter_s(scenario) + (is_saturated(input) ? round_s(scenario) : 0);
    }
    for (uint32_t i = 0; i < run->pipeline.vertex_count; i++) {
        prediction->state_task_count += run->pipeline.vertices[i].keyed ? job->parallelism : 0;
    }
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

/* What those take who take a checkpoint's messages one behind the other: the trigger, a barrier of
 * every input of each hop, three to and from the uploader, and the JobManager the acknowledgements
 * of all. */
static double passing_s(const struct prediction *prediction)
{
    const struct predict_input *input = &prediction->input;
    double count = 1 + (input->operator_count - 1) * input->input_count +
                   (prediction->uploads ? 3 : 0) + input->task_count;
    return count * seconds(prediction->scenario->cluster.cpu.message_ns);
}

static void describe_checkpoints(struct prediction *prediction, const struct run *run,
                                 const struct checkpoint_means *means)
{
    struct predict_input *input = &prediction->input;
    const struct scenario *scenario = prediction->scenario;
    const struct job_config *job = &scenario->job;
    const struct cluster *cluster = &scenario->cluster;
    prediction->uploads = job->checkpoint.store == STORE_FILES &&
                          means->task_bytes_max >= (double)job->checkpoint.inline_threshold_bytes &&
                          prediction->state_task_count > 0;
    bool commits_output = false;
    for (uint32_t i = 0; i < run->pipeline.vertex_count; i++) {
        commits_output = commits_output || has_sink(&run->pipeline.vertices[i]);
    }
    struct predict_trips pre_commit = { SINK_PRE_COMMIT_CALLS, SINK_PRE_COMMIT_SYNCS, 0 };
    double pre_commit_s = commits_output ? trips_s(cluster, pre_commit) : 0;
    predict_describe_store(prediction);
    const struct predict_store *store = &prediction->store;
    prediction->checkpoint_calls =
        (uint32_t)(store->upload.calls + store->commit.calls) + RECORD_STORE_CALLS;
    prediction->checkpoint_calls += commits_output ? SINK_PRE_COMMIT_CALLS : 0;
    input->interval_s = seconds(job->checkpoint.interval_ns);
    /* What the JobManager does between the end of one checkpoint and the trigger of the next: it
     * discards the one before, and notes the new id. */
    double between_s = trips_s(cluster, store->discard) + trips_s(cluster, predict_record_trips) +
                       trips_s(cluster, store->begin);
    input->min_pause_s = fmax(seconds(job->checkpoint.min_pause_ns), between_s);
    /* A pre-commit writes what the sink has collected: since the last one, but no more than it
     * keeps back. All sinks write through the one store. */
    enum { SINK_COLLECTS_BYTES = 64 * 1024 };
    double collected_bytes = fmin(input->input_rate * input->interval_s * means->output_bytes,
                                  (double)job->parallelism * SINK_COLLECTS_BYTES);
    input->sync_s =
        pre_commit_s + collected_bytes / predict_rate_of(cluster->store.write_bytes_per_s);
    /* The trigger and the acknowledgement travel too, and on each hop the last barrier counts. */
    double last_s = model_last_uniform_s(jitter_s(scenario), input->input_count);
    double path_s = (input->operator_count - 1) * input->hop_delay_s + last_s +
                    2 * latency_s(scenario) + passing_s(prediction);
    input->fixed_s = path_s + input->sync_s + trips_s(cluster, store->upload) +
                     trips_s(cluster, store->commit) + trips_s(cluster, predict_record_trips);
    input->measured.period_s = means->period_s;
    input->measured.duration_s = means->duration_s;
    input->measured.stop_s = means->stop_s;
}

/* ---- recoveries ------------------------------------------------------------------------------ */

/* What the summary of a run calls the fault. */
static const char *fault_text(struct arena *arena, const struct scenario *scenario,
                              const struct fault *fault)
{
    struct buffer text;
    buffer_init(&text, arena);
    fault_describe(scenario, fault, &text);
    *buffer_extend(&text, 1) = '\0';
    return (const char *)text.data;
}

static struct failure_model failure_of_cause(const struct prediction *prediction,
                                             struct arena *arena, const char *cause)
{
    const struct scenario *scenario = prediction->scenario;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        if (strcmp(fault_text(arena, scenario, &scenario->faults[i]), cause) == 0) {
            return predict_failure_of(prediction, &scenario->faults[i]);
        }
    }
    return (struct failure_model){ .kind = FAILURE_OTHER };
}

static double mean_recovery_s(const struct prediction *prediction,
                              const struct failure_model *failure)
{
    const struct predict_input *input = &prediction->input;
    const struct predict_point *point = &prediction->output.configured;
    const struct model_load load = { .input_rate = input->input_rate, .capacity = input->capacity };
    double age_s = model_checkpoint_age_s(point->period_s, point->duration_s).mean;
    return model_recovery_s(&load, predict_downtime_s(prediction, failure), age_s);
}

/* The longest downtime, and recoveries, of the failures that are like the assumed one. */
static void measure_recoveries(struct prediction *prediction, const struct summary *summary)
{
    struct predict_measured *measured = &prediction->input.measured;
    size_t count = 0;
    for (size_t i = 0; i < prediction->recovery_count; i++) {
        const struct predicted_recovery *recovery = &prediction->recoveries[i];
        bool is_assumed = recovery->model.kind == prediction->assumed.kind &&
                          recovery->model.detection_s == prediction->assumed.detection_s &&
                          recovery->model.restart_s == prediction->assumed.restart_s;
        if (!is_assumed || recovery->downtime_s == 0 || recovery->recovery_s == 0) {
            continue;
        }
        double replayed = (double)summary->recoveries[i].records_replayed;
        count++;
        measured->downtime_s = fmax(measured->downtime_s, recovery->downtime_s);
        measured->recovery_s.worst = fmax(measured->recovery_s.worst, recovery->recovery_s);
        measured->replayed_records.worst = fmax(measured->replayed_records.worst, replayed);
        measured->recovery_s.mean += recovery->recovery_s;
        measured->replayed_records.mean += replayed;
    }
    if (count > 0) {
        measured->recovery_s.mean /= (double)count;
        measured->replayed_records.mean /= (double)count;
    }
}

/* Runs the scenario with its faults. `output` holds the models' answers already. */
static void run_with_faults(struct prediction *prediction, struct arena *arena, struct bytes input)
{
    struct run run;
    run_scenario(&run, arena, prediction->scenario, input, &(struct run_options){ 0 });
    const struct summary *summary = &run.summary;
    prediction->recovery_count = summary->recovery_count;
    prediction->recoveries =
        arena_alloc(arena, summary->recovery_count + 1, sizeof *prediction->recoveries);
    for (size_t i = 0; i < summary->recovery_count; i++) {
        const struct recovery_summary *recovery = &summary->recoveries[i];
        struct predicted_recovery *predicted = &prediction->recoveries[i];
        *predicted = (struct predicted_recovery){
            .cause = recovery->cause,
            .model = failure_of_cause(prediction, arena, recovery->cause),
        };
        if (predicted->model.kind != FAILURE_OTHER) {
            predicted->model_recovery_s = mean_recovery_s(prediction, &predicted->model);
        }
        if (recovery->running_ns > recovery->failed_ns) {
            predicted->downtime_s = seconds(recovery->running_ns - recovery->failed_ns);
        }
        if (recovery->caught_up_ns > recovery->failed_ns) {
            predicted->recovery_s = seconds(recovery->caught_up_ns - recovery->failed_ns);
        }
    }
    measure_recoveries(prediction, summary);
}

enum status predict_scenario(struct prediction *prediction, struct arena *arena,
                             const struct scenario *scenario, struct bytes input,
                             const struct predict_wish *wish, struct buffer *error)
{
    CHECK(wish->failure_rate >= 0);
    CHECK(wish->recovery_limit_s >= 0);
    *prediction = (struct prediction){ .scenario = scenario };
    if (scenario->job.checkpoint.interval_ns == 0) {
        buffer_append_format(error,
                             "%s: checkpoint.interval: is off; to predict there must be one, "
                             "such as --set checkpoint.interval=1s",
                             scenario->path);
        return STATUS_INVALID;
    }
    struct run run;
    struct checkpoint_means means;
    enum status status = predict_measure(prediction, &run, arena, input, &means, error);
    if (status != STATUS_OK) {
        return status;
    }
    describe_job(prediction, &run, &means);
    describe_checkpoints(prediction, &run, &means);
    prediction->restart_calls = predict_restart_calls(prediction);
    /* The word to run, and the records on their way. */
    prediction->input.first_record_s = 2 * latency_s(scenario);
    prediction->assumed = predict_assume_failure(prediction, &prediction->is_of_scenario);
    prediction->input.detection_s = prediction->assumed.detection_s;
    prediction->input.restart_s = prediction->assumed.restart_s;
    prediction->input.failure_rate = wish->failure_rate;
    prediction->input.recovery_limit_s = wish->recovery_limit_s;
    predict_compute(&prediction->input, &prediction->output);
    if (scenario->fault_count > 0) {
        run_with_faults(prediction, arena, input);
        predict_compute(&prediction->input, &prediction->output);
    }
    return STATUS_OK;
}
