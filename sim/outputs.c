#include "sim/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/check.h"
#include "reports/figures.h"
#include "reports/timeline.h"
#include "sim/scenario_json.h"
#include "sim/trace_log.h"

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

/* ---- files ----------------------------------------------------------------------------------- */

/* The folder that is written to, and where a failure is told. */
struct folder {
    struct arena *arena;
    const char *path;
    struct buffer *error;
};

static const char *path_in(const struct folder *folder, const char *name)
{
    return arena_format(folder->arena, "%s/%s", folder->path, name);
}

static enum status fail(const struct folder *folder, const char *path, const char *doing,
                        int error_number)
{
    CHECK(error_number != 0);
    buffer_append_format(folder->error, "%s: cannot %s: %s", path, doing, strerror(error_number));
    return error_number == ENOSPC || error_number == EDQUOT ? STATUS_NO_SPACE : STATUS_IO;
}

/* Makes the folder and those above it. */
static enum status make_folder(const struct folder *folder)
{
    char *path = arena_text(folder->arena, folder->path);
    char *at = path;
    do {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        char end = *at;
        *at = '\0';
        struct stat info;
        int error_number = mkdir(path, 0777) == 0 ? 0 : errno;
        if (error_number == EEXIST) {
            error_number = stat(path, &info) != 0 ? errno : S_ISDIR(info.st_mode) ? 0 : ENOTDIR;
        }
        if (error_number != 0) {
            return fail(folder, path, "make the folder", error_number);
        }
        *at = end;
    } while (*at != '\0');
    arena_free(folder->arena, path);
    return STATUS_OK;
}

/* 0, or the number of the error. */
static int write_all(int file, struct bytes content)
{
    CHECK(content.size == 0 || content.data != NULL);
    for (size_t done = 0; done < content.size;) {
        ssize_t count = write(file, content.data + done, content.size - done);
        if (count < 0 && errno != EINTR) {
            return errno;
        }
        done += count > 0 ? (size_t)count : 0;
    }
    return fsync(file) == 0 ? 0 : errno;
}

/* Rule O1. */
static enum status write_file(const struct folder *folder, const char *name, struct bytes content)
{
    const char *path = path_in(folder, name);
    /* Two processes may write to the same folder; each whole file is then of one of them. */
    const char *temporary = arena_format(folder->arena, "%s.%ld.tmp", path, (long)getpid());
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) {
        return fail(folder, path, "write", errno);
    }
    int error_number = write_all(file, content);
    if (close(file) != 0 && error_number == 0) {
        error_number = errno;
    }
    if (error_number == 0 && rename(temporary, path) != 0) {
        error_number = errno;
    }
    if (error_number != 0) {
        (void)unlink(temporary);
        return fail(folder, path, "write", error_number);
    }
    return STATUS_OK;
}

static enum status remove_file(const struct folder *folder, const char *name)
{
    const char *path = path_in(folder, name);
    return unlink(path) == 0 || errno == ENOENT ? STATUS_OK : fail(folder, path, "delete", errno);
}

/* ---- plots ----------------------------------------------------------------------------------- */

/* The most faults that are worth a line. */
enum { PLOT_FAULTS_MAX = 100 };

static const char *const plot_names[] = { "checkpoints", "progress" };
enum { PLOT_COUNT = sizeof plot_names / sizeof *plot_names };

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

/* Runs gnuplot in the folder, without a shell. Not being installed is no failure. */
static enum status draw(const struct folder *folder, const char *script)
{
    posix_spawn_file_actions_t actions;
    int error_number = posix_spawn_file_actions_init(&actions);
    CHECK(error_number == 0);
    error_number = posix_spawn_file_actions_addchdir_np(&actions, folder->path);
    CHECK(error_number == 0);
    char *const arguments[] = { (char[]){ "gnuplot" }, arena_text(folder->arena, script), NULL };
    pid_t child;
    error_number = posix_spawnp(&child, "gnuplot", &actions, NULL, arguments, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (error_number != 0) {
        return error_number == ENOENT ? STATUS_OK : fail(folder, "gnuplot", "start", error_number);
    }
    int how = 0;
    while (waitpid(child, &how, 0) < 0) {
        CHECK(errno == EINTR);
    }
    if (!WIFEXITED(how) || WEXITSTATUS(how) != 0) {
        buffer_append_format(folder->error, "%s: gnuplot cannot draw it", path_in(folder, script));
        return STATUS_IO;
    }
    return STATUS_OK;
}

static enum status write_plots(const struct folder *folder, const struct run *run,
                               const struct outputs_options *options)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < PLOT_COUNT && status == STATUS_OK; i++) {
        const char *script = arena_format(folder->arena, "%s.gp", plot_names[i]);
        const char *picture = arena_format(folder->arena, "%s.svg", plot_names[i]);
        if (!options->plots) {
            status = remove_file(folder, script);
            status = status == STATUS_OK ? remove_file(folder, picture) : status;
            continue;
        }
        struct buffer text;
        buffer_init(&text, folder->arena);
        write_figure(run, i, options->build, &text);
        status = write_file(folder, script, buffer_bytes(&text));
        status = status == STATUS_OK ? draw(folder, script) : status;
        buffer_free(&text);
    }
    return status;
}

/* ---- the whole folder ------------------------------------------------------------------------ */

static enum status write_results_of_job(const struct folder *folder, const struct run *run)
{
    struct buffer content;
    buffer_init(&content, folder->arena);
    oracle_collect_output(run->oracle, &content);
    enum status status = write_file(folder, "output.txt", buffer_bytes(&content));
    if (status == STATUS_OK) {
        buffer_reset(&content);
        oracle_collect_state(run->oracle, &content);
        status = write_file(folder, "state.tsv", buffer_bytes(&content));
    }
    if (status == STATUS_OK) {
        buffer_reset(&content);
        scenario_write(run->scenario, &content);
        status = write_file(folder, "run.json", buffer_bytes(&content));
    }
    buffer_free(&content);
    return status;
}

static enum status write_trace(const struct folder *folder, const struct run *run)
{
    if (run->trace == NULL) {
        return remove_file(folder, "trace.jsonl");
    }
    struct buffer content;
    buffer_init(&content, folder->arena);
    trace_log_write(run->trace, &content);
    enum status status = write_file(folder, "trace.jsonl", buffer_bytes(&content));
    buffer_free(&content);
    return status;
}

static enum status write_timeline(const struct folder *folder, const struct run *run)
{
    if (run->timeline == NULL) {
        return remove_file(folder, "timeline.json");
    }
    struct buffer content;
    buffer_init(&content, folder->arena);
    timeline_write(run->timeline, run->simulated_ns, &content);
    enum status status = write_file(folder, "timeline.json", buffer_bytes(&content));
    buffer_free(&content);
    return status;
}

enum status outputs_write(const struct verdict_view *view, const struct outputs_options *options,
                          struct buffer *error)
{
    CHECK(options->folder[0] != '\0');
    const struct run *run = view->run;
    struct folder folder = { .arena = run->arena, .path = options->folder, .error = error };
    enum status status = make_folder(&folder);
    status = status == STATUS_OK ? remove_file(&folder, "result.json") : status;
    status = status == STATUS_OK ? write_results_of_job(&folder, run) : status;
    status = status == STATUS_OK ? write_trace(&folder, run) : status;
    status = status == STATUS_OK ? write_timeline(&folder, run) : status;
    status = status == STATUS_OK ? write_plots(&folder, run, options) : status;
    if (status == STATUS_OK) {
        struct buffer result;
        buffer_init(&result, run->arena);
        outputs_result(view, &result);
        status = write_file(&folder, "result.json", buffer_bytes(&result));
        buffer_free(&result);
    }
    return status;
}

/* ---- the database ---------------------------------------------------------------------------- */

enum status outputs_add(const struct verdict_view *view, const char *build, struct results *results,
                        struct buffer *error)
{
    CHECK(results != NULL);
    const struct run *run = view->run;
    const struct scenario *scenario = run->scenario;
    struct buffer json;
    buffer_init(&json, run->arena);
    scenario_write(scenario, &json);
    *buffer_extend(&json, 1) = '\0';
    uint32_t fault_count = scenario->fault_count;
    struct results_fault *faults = arena_alloc(run->arena, fault_count + 1u, sizeof *faults);
    for (uint32_t i = 0; i < fault_count; i++) {
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
    struct findings findings = collect_findings(view);
    struct results_run row = {
        .name = scenario->name,
        .path = scenario->path,
        .seed = scenario->seed,
        .build = build,
        .verdict = verdict_name(run->verdict),
        .exit_code = (int)run->verdict,
        .trace_hash = run->trace_hash,
        .records = run->totals.records,
        .tasks = run->task_count,
        .parallelism = scenario->job.parallelism,
        .interval_ns = scenario->job.checkpoint.interval_ns,
        .events = run->event_count,
        .simulated_ns = run->simulated_ns,
        .wall_ns = run->wall_ns,
        .scenario_json = (const char *)json.data,
    };
    enum status status = results_add(results, &row, &run->summary, faults, fault_count,
                                     findings.items, findings.count, error);
    buffer_free(&json);
    return status;
}
