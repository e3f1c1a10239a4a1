#include "sim/campaign/outputs.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"
#include "reports/figure_choice.h"
#include "reports/figures.h"
#include "reports/results_pack.h"
#include "reports/timeline.h"
#include "sim/campaign/output_files.h"
#include "sim/scenario/scenario_json.h"
#include "sim/world/trace_log.h"

/* ---- findings: all that is wrong, in one list ------------------------------------------------ */

struct findings {
    struct results_violation *items;
    uint32_t count;
};

/* Broken properties, then expectations that were not met, then a second run that differs. Owned by
 * the run's arena. */
static struct findings collect_findings(const struct verdict_view *view)
{
    const struct run *run = view->run;
    size_t room = (size_t)view->violation_count + run->unmet_count + 1;
    struct findings findings = { .items = arena_alloc(run->arena, room, sizeof *findings.items) };
    for (uint32_t i = 0; i < view->violation_count; i++) {
        const struct violation *violation = &view->violations[i];
        findings.items[findings.count++] = (struct results_violation){
            .property = property_name(violation->property),
            .time_ns = violation->time_ns,
            .message = violation->message,
        };
    }
    for (uint32_t i = 0; i < run->unmet_count; i++) {
        findings.items[findings.count++] = (struct results_violation){
            .property = "expect",
            .time_ns = run->simulated_ns,
            .message = run->unmet[i].message,
        };
    }
    if (view->verified && view->second_hash != run->trace_hash) {
        findings.items[findings.count++] = (struct results_violation){
            .property = "determinism",
            .time_ns = run->simulated_ns,
            .message = arena_format(run->arena, "a second run has the trace hash %016" PRIx64,
                                    view->second_hash),
        };
    }
    CHECK(findings.count <= room);
    return findings;
}

/* Zero-terminated, owned by the run's arena. */
static const char *describe(const struct run *run, const struct fault *fault)
{
    struct buffer text;
    buffer_init(&text, run->arena);
    fault_describe(run->scenario, fault, &text);
    *buffer_extend(&text, 1) = '\0';
    return (const char *)text.data;
}

static const char *object_text(const struct run *run, const struct fault *fault)
{
    struct buffer text;
    buffer_init(&text, run->arena);
    fault_object_format(run->scenario, &fault->object, &text);
    *buffer_extend(&text, 1) = '\0';
    return (const char *)text.data;
}

static const char *trigger_text(const struct run *run, const struct fault *fault)
{
    struct buffer text;
    buffer_init(&text, run->arena);
    fault_trigger_format(run->scenario, &fault->trigger, &text);
    *buffer_extend(&text, 1) = '\0';
    return (const char *)text.data;
}

/* ---- result.json ----------------------------------------------------------------------------- */

static void set(json_t *object, const char *key, json_t *value)
{
    int failed = json_object_set_new(object, key, value);
    CHECK(failed == 0);
}

static void append(json_t *array, json_t *value)
{
    int failed = json_array_append_new(array, value);
    CHECK(failed == 0);
}

/* JSON is UTF-8, but a bad line of the input may be quoted in a message: then ASCII must do. */
static json_t *json_of_text(const struct run *run, const char *text)
{
    json_t *value = json_string(text);
    if (value == NULL) {
        char *ascii = arena_text(run->arena, text);
        for (char *at = ascii; *at != '\0'; at++) {
            *at = (unsigned char)*at < 0x80 ? *at : '?';
        }
        value = json_string(ascii);
    }
    CHECK(value != NULL);
    return value;
}

/* Beyond 63 bits as a text, as in scenarios. */
static json_t *json_of_number(const struct run *run, uint64_t number)
{
    if (number <= INT64_MAX) {
        return json_integer((json_int_t)number);
    }
    return json_string(arena_format(run->arena, "%" PRIu64, number));
}

static json_t *json_of_seconds(uint64_t time_ns)
{
    return json_real((double)time_ns / 1e9);
}

/* null: did not happen. */
static json_t *json_of_moment(uint64_t time_ns)
{
    return time_ns == 0 ? json_null() : json_of_seconds(time_ns);
}

static json_t *json_of_span(uint64_t start_ns, uint64_t end_ns)
{
    return start_ns == 0 || end_ns < start_ns ? json_null() : json_of_seconds(end_ns - start_ns);
}

static json_t *json_of_recovery(const struct run *run, const struct recovery_summary *recovery)
{
    json_t *object = json_object();
    uint64_t stopped_ns =
        recovery->cancelled_ns > 0 ? recovery->cancelled_ns : recovery->detected_ns;
    set(object, "cause", json_of_text(run, recovery->cause));
    set(object, "failed_s", json_of_seconds(recovery->failed_ns));
    set(object, "detected_s", json_of_moment(recovery->detected_ns));
    set(object, "cancelled_s", json_of_moment(recovery->cancelled_ns));
    set(object, "chosen_s", json_of_moment(recovery->chosen_ns));
    set(object, "running_s", json_of_moment(recovery->running_ns));
    set(object, "caught_up_s", json_of_moment(recovery->caught_up_ns));
    set(object, "detection_s", json_of_span(recovery->failed_ns, recovery->detected_ns));
    set(object, "restart_delay_s", json_of_span(stopped_ns, recovery->chosen_ns));
    set(object, "restore_s", json_of_span(recovery->chosen_ns, recovery->running_ns));
    set(object, "catch_up_s", json_of_span(recovery->running_ns, recovery->caught_up_ns));
    set(object, "total_s", json_of_span(recovery->failed_ns, recovery->caught_up_ns));
    set(object, "restored_from",
        recovery->chosen_ns == 0 ? json_null() : json_of_number(run, recovery->restored_from));
    set(object, "records_replayed", json_of_number(run, recovery->records_replayed));
    return object;
}

static json_t *json_of_fault(const struct run *run, const struct fault_record *record)
{
    json_t *object = json_object();
    set(object, "text", json_of_text(run, describe(run, record->fault)));
    set(object, "do", json_of_text(run, fault_verb_name(record->fault->verb)));
    set(object, "on", json_of_text(run, object_text(run, record->fault)));
    set(object, record->fault->trigger.kind == TRIGGER_AT ? "at" : "when",
        json_of_text(run, trigger_text(run, record->fault)));
    set(object, "fired", json_boolean(record->fired));
    set(object, "fired_s", record->fired ? json_of_seconds(record->fired_ns) : json_null());
    set(object, "ended_s", record->fired ? json_of_seconds(record->ended_ns) : json_null());
    return object;
}

static json_t *json_of_lists(const struct verdict_view *view, json_t *result)
{
    const struct run *run = view->run;
    json_t *recoveries = json_array();
    for (size_t i = 0; i < run->summary.recovery_count; i++) {
        append(recoveries, json_of_recovery(run, &run->summary.recoveries[i]));
    }
    json_t *violations = json_array();
    struct findings findings = collect_findings(view);
    for (uint32_t i = 0; i < findings.count; i++) {
        json_t *violation = json_object();
        set(violation, "property", json_of_text(run, findings.items[i].property));
        set(violation, "message", json_of_text(run, findings.items[i].message));
        append(violations, violation);
    }
    json_t *faults = json_array();
    for (uint32_t i = 0; i < run->scenario->fault_count; i++) {
        append(faults, json_of_fault(run, &run->faults[i]));
    }
    set(result, "recoveries", recoveries);
    set(result, "violations", violations);
    set(result, "faults", faults);
    return result;
}

static json_t *json_of_run(const struct verdict_view *view)
{
    const struct run *run = view->run;
    const struct summary *summary = &run->summary;
    json_t *result = json_object();
    set(result, "name", json_of_text(run, run->scenario->name));
    set(result, "seed", json_of_number(run, run->scenario->seed));
    if (run->live != NULL) {
        set(result, "live", json_of_text(run, run->live));
    }
    set(result, "verdict", json_of_text(run, verdict_name(run->verdict)));
    set(result, "trace_hash",
        json_of_text(run, arena_format(run->arena, "%016" PRIx64, run->trace_hash)));
    set(result, "records", json_of_number(run, run->totals.records));
    set(result, "tasks", json_of_number(run, run->task_count));
    set(result, "events", json_of_number(run, run->event_count));
    set(result, "simulated_s", json_of_seconds(run->simulated_ns));
    set(result, "wall_s", json_of_seconds(run->wall_ns));
    json_t *checkpoints = json_object();
    set(checkpoints, "triggered", json_of_number(run, summary->triggered));
    set(checkpoints, "completed", json_of_number(run, summary->completed));
    set(checkpoints, "failed", json_of_number(run, summary->failed));
    set(result, "checkpoints", checkpoints);
    return json_of_lists(view, result);
}

void outputs_result(const struct verdict_view *view, struct buffer *out)
{
    CHECK(view->run != NULL);
    /* A double holds 15 decimal digits: enough for nanoseconds up to eleven days. */
    enum { DIGITS = 15 };
    json_t *result = json_of_run(view);
    char *text = json_dumps(result, JSON_INDENT(2) | JSON_REAL_PRECISION(DIGITS));
    CHECK(text != NULL);
    buffer_append_text(out, text);
    buffer_append_text(out, "\n");
    free(text);
    json_decref(result);
}

/* ---- plots ----------------------------------------------------------------------------------- */

/* The most faults that are worth a line. */
enum { PLOT_FAULTS_MAX = 100 };

static const char *const plot_names[] = { "checkpoints", "progress" };
static const enum figure_choice plot_choices[] = { CHOICE_CHECKPOINTS, CHOICE_PROGRESS };
enum { PLOT_COUNT = sizeof plot_names / sizeof *plot_names };
_Static_assert(sizeof plot_choices / sizeof *plot_choices == PLOT_COUNT, "a choice each");

static void write_figure(const struct run *run, uint32_t plot, const char *build,
                         struct buffer *out)
{
    struct figure_fault faults[PLOT_FAULTS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->scenario->fault_count && count < PLOT_FAULTS_MAX; i++) {
        const struct fault_record *record = &run->faults[i];
        if (record->fired) {
            faults[count++] = (struct figure_fault){
                .from_ns = record->fired_ns,
                .text = arena_format(run->arena, "%s %s", fault_verb_name(record->fault->verb),
                                     object_text(run, record->fault)),
            };
        }
    }
    struct figure_options options = {
        .format = FIGURE_SVG,
        .output = arena_format(run->arena, "%s.svg", plot_names[plot]),
        .title = arena_format(run->arena, "%s: %s", run->scenario->name, plot_names[plot]),
        .caption = arena_format(run->arena,
                                "scenario %s, seed %" PRIu64 ", build %s, trace hash %016" PRIx64,
                                run->scenario->name, run->scenario->seed, build, run->trace_hash),
        .faults = count > 0 ? faults : NULL,
        .fault_count = count,
    };
    CHECK(plot < PLOT_COUNT);
    (plot == 0 ? figure_checkpoints : figure_progress)(&run->summary, &options, out);
}

static enum status remove_plot(const struct output_folder *folder, uint32_t plot)
{
    CHECK(plot < PLOT_COUNT);
    const char *name = plot_names[plot];
    enum status status = output_file_remove(folder, arena_format(folder->arena, "%s.gp", name));
    return status == STATUS_OK
               ? output_file_remove(folder, arena_format(folder->arena, "%s.svg", name))
               : status;
}

static enum status write_plots(const struct output_folder *folder, const struct run *run,
                               const struct outputs_options *options)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < PLOT_COUNT && status == STATUS_OK; i++) {
        const char *script = arena_format(folder->arena, "%s.gp", plot_names[i]);
        if (!options->plots ||
            !figure_is_chosen(run->scenario->plots, FIGURES_OF_RUN, plot_choices[i])) {
            status = remove_plot(folder, i);
            continue;
        }
        struct buffer text;
        buffer_init(&text, folder->arena);
        write_figure(run, i, options->build, &text);
        status = output_file_write(folder, script, buffer_bytes(&text));
        status = status == STATUS_OK ? output_file_draw(folder, script) : status;
        buffer_free(&text);
    }
    return status;
}

/* ---- the whole folder ------------------------------------------------------------------------ */

static enum status write_results_of_job(const struct output_folder *folder, const struct run *run)
{
    struct buffer content;
    buffer_init(&content, folder->arena);
    oracle_collect_output(run->oracle, &content);
    enum status status = output_file_write(folder, "output.txt", buffer_bytes(&content));
    if (status == STATUS_OK) {
        buffer_reset(&content);
        oracle_collect_state(run->oracle, &content);
        status = output_file_write(folder, "state.tsv", buffer_bytes(&content));
    }
    if (status == STATUS_OK) {
        buffer_reset(&content);
        scenario_write(run->scenario, &content);
        status = output_file_write(folder, "run.json", buffer_bytes(&content));
    }
    buffer_free(&content);
    return status;
}

static enum status write_trace(const struct output_folder *folder, const struct run *run)
{
    if (run->trace == NULL) {
        return output_file_remove(folder, "trace.jsonl");
    }
    struct buffer content;
    buffer_init(&content, folder->arena);
    trace_log_write(run->trace, &content);
    enum status status = output_file_write(folder, "trace.jsonl", buffer_bytes(&content));
    buffer_free(&content);
    return status;
}

static enum status write_timeline(const struct output_folder *folder, const struct run *run)
{
    if (run->timeline == NULL) {
        return output_file_remove(folder, "timeline.json");
    }
    struct buffer content;
    buffer_init(&content, folder->arena);
    timeline_write(run->timeline, run->simulated_ns, &content);
    enum status status = output_file_write(folder, "timeline.json", buffer_bytes(&content));
    buffer_free(&content);
    return status;
}

enum status outputs_forget(const struct output_folder *folder)
{
    static const char *const names[] = { "result.json", "output.txt", "state.tsv", "trace.jsonl",
                                         "timeline.json" };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names && status == STATUS_OK; i++) {
        status = output_file_remove(folder, names[i]);
    }
    for (uint32_t i = 0; i < PLOT_COUNT && status == STATUS_OK; i++) {
        status = remove_plot(folder, i);
    }
    return status;
}

enum status outputs_write(const struct verdict_view *view, const struct outputs_options *options,
                          struct buffer *error)
{
    CHECK(options->folder[0] != '\0');
    const struct run *run = view->run;
    struct output_folder folder = { .arena = run->arena, .path = options->folder, .error = error };
    enum status status = output_folder_make(&folder);
    status = status == STATUS_OK ? output_file_remove(&folder, "result.json") : status;
    status = status == STATUS_OK ? write_results_of_job(&folder, run) : status;
    status = status == STATUS_OK ? write_trace(&folder, run) : status;
    status = status == STATUS_OK ? write_timeline(&folder, run) : status;
    status = status == STATUS_OK ? write_plots(&folder, run, options) : status;
    if (status == STATUS_OK) {
        struct buffer result;
        buffer_init(&result, run->arena);
        outputs_result(view, &result);
        status = output_file_write(&folder, "result.json", buffer_bytes(&result));
        buffer_free(&result);
    }
    return status;
}

/* ---- the database ---------------------------------------------------------------------------- */

static struct results_fault *collect_faults(const struct run *run)
{
    uint32_t count = run->scenario->fault_count;
    struct results_fault *faults = arena_alloc(run->arena, count + 1u, sizeof *faults);
    for (uint32_t i = 0; i < count; i++) {
        const struct fault_record *record = &run->faults[i];
        faults[i] = (struct results_fault){
            .text = describe(run, record->fault),
            .verb = fault_verb_name(record->fault->verb),
            .object = object_text(run, record->fault),
            .trigger = trigger_text(run, record->fault),
            .fired_ns = record->fired ? record->fired_ns : 0,
            .ended_ns = record->fired ? record->ended_ns : 0,
            .fired_count = record->fired ? 1 : 0,
        };
    }
    return faults;
}

/* Owned by the run's arena, or borrowed from the run. */
static struct results_package collect_package(const struct verdict_view *view, const char *build)
{
    const struct run *run = view->run;
    const struct scenario *scenario = run->scenario;
    struct buffer json;
    buffer_init(&json, run->arena);
    scenario_write(scenario, &json);
    *buffer_extend(&json, 1) = '\0';
    struct findings findings = collect_findings(view);
    return (struct results_package){
        .run = {
            .name = scenario->name,
            .path = scenario->path,
            .seed = scenario->seed,
            .build = run->live == NULL ? build
                                       : arena_format(run->arena, "%s live, %s", build, run->live),
            .verdict = verdict_name(run->verdict),
            .exit_code = (int)run->verdict,
            .trace_hash = run->trace_hash,
            .records = run->totals.records,
            .tasks = run->task_count,
            .parallelism = scenario->job.parallelism, /* at which it began */
            .interval_ns = scenario->job.checkpoint.interval_ns,
            .events = run->event_count,
            .simulated_ns = run->simulated_ns,
            .wall_ns = run->wall_ns,
            .scenario_json = (const char *)json.data,
        },
        .summary = run->summary,
        .faults = collect_faults(run),
        .fault_count = scenario->fault_count,
        .violations = findings.items,
        .violation_count = findings.count,
    };
}

enum status outputs_add(const struct verdict_view *view, const char *build, struct results *results,
                        struct buffer *error)
{
    CHECK(results != NULL);
    struct results_package package = collect_package(view, build);
    return results_add(results, &package.run, &package.summary, package.faults,
                       package.fault_count, package.violations, package.violation_count, error);
}

void outputs_pack(const struct verdict_view *view, const char *build, struct buffer *out)
{
    CHECK(view->run != NULL);
    struct results_package package = collect_package(view, build);
    results_pack(&package, out);
}
