#include "sim/command/calibrate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "sim/campaign/human.h"
#include "sim/campaign/output_files.h"
#include "sim/campaign/verdict.h"
#include "sim/live/call_times.h"
#include "sim/live/live_measure.h"
#include "sim/live/live_run.h"
#include "sim/scenario/scenario_fields.h"
#include "sim/scenario/scenario_values.h"

enum {
    TRIALS = 5,
    CHECKPOINTS_MAX = 64,
    FIGURES_MAX = 16,
    SETTINGS_MAX = 12,
    NS_PER_S = 1000000000,
    MIB = 1 << 20,
    DISK_FILE_BYTES = 32 * MIB,
};

/* One value of the fragment, and how it was found. */
struct figure {
    const char *section; /* of `cluster` */
    const char *name;
    const char *value;
    const char *how;
};

/* What a run of the job that is measured took. */
struct trial {
    bool processes; /* live: not threads; only before threads were started here */
    uint64_t running_ns;
    uint64_t end_of_data_ns; /* of the last subtask */
    uint64_t records;
    uint64_t bytes; /* of the largest part of the final checkpoint */
    uint64_t async_ns;
    struct call_times *calls; /* to note those to the store in; NULL: nowhere */
    /* From the trigger of a checkpoint until all have acknowledged it, less the synchronous part
     * that is the longest: of the first checkpoints. */
    uint64_t passing_ns[CHECKPOINTS_MAX];
    size_t passing_count;
    uint64_t triggered_ns; /* of the one under way */
    uint64_t sync_part_ns;
};

struct calibration {
    const struct options *options;
    struct arena *arena;
    const char *folder; /* for the files of all measurements, one after the other */
    struct figure figures[FIGURES_MAX];
    uint32_t figure_count;
    struct live_disk_speed disk;
    struct live_message_speed messages;
    uint64_t record_ns;
    struct call_times calls;
    enum state_backend backend; /* of the job that is measured */
    struct buffer *error;
};

/* ---- figures --------------------------------------------------------------------------------- */

/* Three significant digits: more would claim too much. */
static uint64_t rounded(uint64_t value)
{
    uint64_t unit = 1;
    while (value / unit >= 1000) {
        unit *= 10;
    }
    return (value + unit / 2) / unit * unit;
}

static void add_figure(struct calibration *calibration, const char *section, const char *name,
                       const char *value, const char *how)
{
    CHECK(calibration->figure_count < FIGURES_MAX);
    calibration->figures[calibration->figure_count++] =
        (struct figure){ .section = section, .name = name, .value = value, .how = how };
}

static void add_value(struct calibration *calibration, const char *section, const char *name,
                      uint64_t value, enum value_unit unit, const char *how)
{
    struct buffer text;
    buffer_init(&text, calibration->arena);
    value_format(value, unit, &text);
    *buffer_extend(&text, 1) = '\0';
    add_figure(calibration, section, name, (const char *)text.data, how);
}

static void add_duration(struct calibration *calibration, const char *section, const char *name,
                         uint64_t duration_ns, const char *how)
{
    add_value(calibration, section, name, rounded(duration_ns), VALUE_DURATION, how);
}

/* In whole MiB a second: a smaller disk than that is none. */
static void add_bandwidth(struct calibration *calibration, const char *section, const char *name,
                          uint64_t bytes_per_s, const char *how)
{
    uint64_t mib_per_s = rounded(bytes_per_s / MIB);
    add_value(calibration, section, name, (mib_per_s > 0 ? mib_per_s : 1) * MIB, VALUE_BANDWIDTH,
              how);
}

/* What is left of `whole`. */
static uint64_t above(uint64_t whole, uint64_t part)
{
    return whole > part ? whole - part : 0;
}

/* ---- trials: the job, for real --------------------------------------------------------------- */

/* One worker that counts; what the user sets comes on top. */
static const char trial_json[] =
    "{ \"name\": \"calibrate\","
    "  \"job\": { \"name\": \"count\", \"parallelism\": 1,"
    "             \"input\": { \"records\": 500000, \"keys\": 10000, \"skew\": 0 } },"
    "  \"checkpoint\": { \"interval\": \"1h\" },"
    "  \"cluster\": { \"task_managers\": 1 } }";

static void on_call(void *context, const struct live_call *call)
{
    const struct trial *trial = context;
    call_times_add(trial->calls, call);
}

static void on_fact(void *context, const struct fact_event *event)
{
    struct trial *trial = context;
    switch (event->fact.kind) {
    case FACT_JOB_RUNNING: trial->running_ns = event->time_ns; break;
    case FACT_TASK_END_OF_DATA: trial->end_of_data_ns = event->time_ns; break;
    case FACT_CHECKPOINT_TRIGGERED:
        trial->triggered_ns = event->time_ns;
        trial->sync_part_ns = 0;
        break;
    case FACT_SNAPSHOT_TAKEN:
        if (event->fact.values[0] > trial->sync_part_ns) {
            trial->sync_part_ns = event->fact.values[0];
        }
        break;
    case FACT_CHECKPOINT_ALL_ACKED:
        if (trial->passing_count < CHECKPOINTS_MAX) {
            trial->passing_ns[trial->passing_count++] =
                above(event->time_ns, trial->triggered_ns + trial->sync_part_ns);
        }
        break;
    default: break;
    }
}

static enum status read_trial(struct calibration *calibration, struct arena *arena,
                              const char *const *settings, struct scenario *scenario)
{
    const struct scenario_overrides *given = &calibration->options->overrides;
    const char **all = arena_alloc(arena, given->setting_count + SETTINGS_MAX, sizeof *all);
    struct scenario_overrides overrides = *given;
    overrides.settings = all;
    for (uint32_t i = 0; i < given->setting_count; i++) {
        all[i] = given->settings[i];
    }
    for (; *settings != NULL; settings++) {
        CHECK(overrides.setting_count < given->setting_count + SETTINGS_MAX);
        all[overrides.setting_count++] = *settings;
    }
    return scenario_parse(scenario, arena, bytes_of_text(trial_json), "calibrate", ".", &overrides,
                          calibration->error);
}

static void note_checkpoints(struct trial *trial, const struct summary *summary)
{
    for (size_t i = 0; i < summary->task_count; i++) {
        if (summary->tasks[i].bytes >= trial->bytes) {
            trial->bytes = summary->tasks[i].bytes;
            trial->async_ns = summary->tasks[i].async_ns;
        }
    }
}

/* Runs it, live or simulated; it must pass. */
static enum status run_trial_in(struct calibration *calibration, struct arena *arena, bool is_live,
                                const char *const *settings, struct trial *trial)
{
    struct scenario scenario;
    struct bytes input;
    struct run run;
    *trial = (struct trial){ .calls = trial->calls, .processes = trial->processes };
    struct live_run_options how = { .threads = !trial->processes,
                                    .folder = calibration->folder,
                                    .on_call = trial->calls != NULL ? on_call : NULL };
    how.run.observer = (struct run_observer){ .on_fact = on_fact, .context = trial };
    enum status status = read_trial(calibration, arena, settings, &scenario);
    if (status == STATUS_OK) {
        status = run_read_input(&scenario, arena, &input, calibration->error);
    }
    if (status == STATUS_OK && is_live) {
        struct buffer notes;
        buffer_init(&notes, arena);
        status = live_run(&run, arena, &scenario, input, &how, &notes, calibration->error);
    } else if (status == STATUS_OK) {
        run_scenario(&run, arena, &scenario, input, &how.run);
    }
    if (status == STATUS_OK && run.verdict != VERDICT_PASS) {
        buffer_append_format(calibration->error, "calibrate: the job that is measured ended: %s",
                             verdict_name(run.verdict));
        status = STATUS_INVALID;
    }
    if (status == STATUS_OK) {
        trial->records = run.totals.records;
        note_checkpoints(trial, &run.summary);
    }
    return status;
}

static enum status run_trial(struct calibration *calibration, bool is_live,
                             const char *const *settings, struct trial *trial)
{
    struct arena arena;
    arena_init(&arena);
    enum status status = run_trial_in(calibration, &arena, is_live, settings, trial);
    arena_drop(&arena);
    return status;
}

static uint64_t record_ns_of(const struct trial *trial)
{
    uint64_t whole_ns = trial->end_of_data_ns - trial->running_ns;
    return whole_ns / (trial->records > 0 ? trial->records : 1);
}

/* The times of a record in several runs, rising. */
static enum status measure_record(struct calibration *calibration, const char *const *settings,
                                  uint64_t record_ns[TRIALS])
{
    enum status status = STATUS_OK;
    for (int i = 0; i < TRIALS && status == STATUS_OK; i++) {
        struct trial trial = { 0 };
        status = run_trial(calibration, true, settings, &trial);
        record_ns[i] = status == STATUS_OK ? record_ns_of(&trial) : 0;
    }
    (void)live_median(record_ns, TRIALS);
    return status;
}

/* ---- what is measured ------------------------------------------------------------------------ */

static enum status calibrate_disk(struct calibration *calibration)
{
    struct live_disk_speed *disk = &calibration->disk;
    enum status status = live_measure_disk(calibration->arena, calibration->folder, DISK_FILE_BYTES,
                                           disk, calibration->error);
    if (status != STATUS_OK) {
        return status;
    }
    static const char written[] = "3 new files of 32 MiB, written and synced, in the median";
    static const char read[] = "the same files read again, from the system's cache";
    add_bandwidth(calibration, "disk", "write", disk->write_bytes_per_s, written);
    add_bandwidth(calibration, "disk", "read", disk->read_bytes_per_s, read);
    add_duration(calibration, "disk", "sync", disk->sync_ns,
                 "4 KiB of a file changed and synced 15 times, the sync in the median");
    add_bandwidth(calibration, "store", "write", disk->write_bytes_per_s, written);
    add_bandwidth(calibration, "store", "read", disk->read_bytes_per_s, read);
    return STATUS_OK;
}

static enum status calibrate_messages(struct calibration *calibration)
{
    struct live_message_speed *messages = &calibration->messages;
    enum status status = live_measure_messages(calibration->arena, calibration->folder, messages,
                                               calibration->error);
    if (status == STATUS_OK) {
        add_duration(calibration, "network", "latency", messages->latency_ns,
                     "half a round trip between two live processes, the median of 9 times 200");
        add_duration(calibration, "network", "local_latency", messages->local_latency_ns,
                     "the same between two threads of one process");
        add_bandwidth(calibration, "network", "bandwidth", messages->bytes_per_s,
                      "round trips of 1 MiB between the processes, the median of 9 times 8");
    }
    return status;
}

/* A backend on disk is given fewer records: it takes so much longer for each. */
static const char *const few[] = { "job.input.records=30000", NULL };

/* How long a row of the backend takes: as long as makes a simulated record last as a real one. The
 * simulator also knows how many rows there are to a record. */
static enum status calibrate_state(struct calibration *calibration, uint64_t live_record_ns)
{
    enum { PROBE_NS = 10000 };
    const char *record = arena_format(calibration->arena, "cluster.cpu.record=%" PRIu64 "ns",
                                      calibration->record_ns);
    const char *const without[] = { few[0], record, "cluster.cpu.state=0ns", NULL };
    const char *const with[] = { few[0], record, "cluster.cpu.state=10us", NULL };
    struct trial none = { 0 };
    struct trial some = { 0 };
    enum status status = run_trial(calibration, false, without, &none);
    if (status == STATUS_OK) {
        status = run_trial(calibration, false, with, &some);
    }
    if (status != STATUS_OK) {
        return status;
    }
    uint64_t none_ns = record_ns_of(&none);
    uint64_t some_ns = record_ns_of(&some);
    if (some_ns > none_ns && live_record_ns > none_ns) {
        add_duration(calibration, "cpu", "state",
                     (live_record_ns - none_ns) * PROBE_NS / (some_ns - none_ns),
                     "what makes a simulated record of this backend last as long as a live one");
    }
    return STATUS_OK;
}

/* `how`, and what the least and the most of several measurements were. */
static const char *with_spread(const struct calibration *calibration, const char *how,
                               const uint64_t values[TRIALS], enum value_unit unit)
{
    struct buffer text;
    buffer_init(&text, calibration->arena);
    buffer_append_format(&text, "%s; the median of %d runs, from ", how, TRIALS);
    value_format(values[0], unit, &text);
    buffer_append_text(&text, " to ");
    value_format(values[TRIALS - 1], unit, &text);
    *buffer_extend(&text, 1) = '\0';
    return (const char *)text.data;
}

static enum status calibrate_records(struct calibration *calibration)
{
    static const char *const plain[] = { "state.backend=heap", NULL };
    uint64_t record_ns[TRIALS];
    enum status status = measure_record(calibration, plain, record_ns);
    if (status != STATUS_OK) {
        return status;
    }
    calibration->record_ns = record_ns[TRIALS / 2];
    add_duration(calibration, "cpu", "record", calibration->record_ns,
                 with_spread(calibration, "the job run live on the heap at parallelism 1",
                             record_ns, VALUE_DURATION));
    if (calibration->backend != STATE_BACKEND_HEAP) {
        status = measure_record(calibration, few, record_ns);
        if (status == STATUS_OK) {
            status = calibrate_state(calibration, record_ns[TRIALS / 2]);
        }
    }
    return status;
}

/* A while with a checkpoint every 50 ms. */
#define OFTEN                                                                                      \
    "job.input.records=14000", "job.input.keys=1000", "job.input.rate=20k/s",                      \
        "checkpoint.interval=50ms", "cluster.slots=4"
#define STORE_SETTINGS OFTEN, "checkpoint.inline_threshold=0B"

/* Without an uploader that waits for a disk. */
#define PASSING_SETTINGS OFTEN, "checkpoint.store=memory", "job.parallelism=4"

/* Who syncs alone waits for all of the disk's work; of several the first does it for the others. */
static const char *const alone[] = { STORE_SETTINGS, "job.parallelism=1", NULL };
static const char *const together[] = { STORE_SETTINGS, "job.parallelism=4", NULL };

static enum status measure_alone(struct calibration *calibration)
{
    struct trial trial = { .calls = &calibration->calls };
    return run_trial(calibration, true, alone, &trial);
}

static enum status measure_together(struct calibration *calibration)
{
    struct trial trial = { .calls = &calibration->calls };
    return run_trial(calibration, true, together, &trial);
}

static enum status median_passing(struct calibration *calibration, bool is_live,
                                  const char *const *settings, uint64_t *passing_ns)
{
    struct trial trial = { .processes = is_live };
    enum status status = run_trial(calibration, is_live, settings, &trial);
    *passing_ns = trial.passing_count > 0 ? live_median(trial.passing_ns, trial.passing_count) : 0;
    return status;
}

/* How long a message takes whoever takes it: as long as makes the messages of a simulated
 * checkpoint pass in the time of a live one. The simulator knows how many of them are one behind
 * the other. */
static enum status calibrate_message(struct calibration *calibration)
{
    enum { PROBE_NS = 100000 };
    const struct live_message_speed *speed = &calibration->messages;
    const char *latency = arena_format(calibration->arena, "cluster.network.latency=%" PRIu64 "ns",
                                       speed->latency_ns);
    const char *local = arena_format(
        calibration->arena, "cluster.network.local_latency=%" PRIu64 "ns", speed->local_latency_ns);
    const char *const without[] = { PASSING_SETTINGS, latency, local, NULL };
    const char *const with[] = { PASSING_SETTINGS, latency, local, "cluster.cpu.message=100us",
                                 NULL };
    uint64_t live_ns = 0;
    uint64_t none_ns = 0;
    uint64_t some_ns = 0;
    enum status status = median_passing(calibration, true, without, &live_ns);
    if (status == STATUS_OK) {
        status = median_passing(calibration, false, without, &none_ns);
    }
    if (status == STATUS_OK) {
        status = median_passing(calibration, false, with, &some_ns);
    }
    if (status == STATUS_OK && some_ns > none_ns) {
        add_duration(calibration, "cpu", "message",
                     above(live_ns, none_ns) * PROBE_NS / (some_ns - none_ns),
                     "what makes the messages of a simulated checkpoint of four subtasks pass in "
                     "the time of a live one, in the median: from trigger to acknowledgements, "
                     "less the disk");
    }
    return status;
}

/* What a call of the store takes, and what it takes besides to sync and to remove. A checkpoint has
 * to wait for about as many syncs of the JobManager as of a task. */
static void calibrate_store(struct calibration *calibration)
{
    struct call_times *calls = &calibration->calls;
    uint64_t call_ns = call_times_median(calls, LIVE_CALL_NAME);
    uint64_t manager_ns = call_times_mean(calls, LIVE_CALL_SYNC, true);
    uint64_t task_ns = call_times_mean(calls, LIVE_CALL_SYNC, false);
    uint64_t remove_ns = call_times_mean(calls, LIVE_CALL_REMOVE, true);
    add_duration(calibration, "store", "latency", call_ns,
                 "to open a file to write it, to make a directory, to give a new name: the median "
                 "in live jobs of one and of four subtasks");
    add_duration(calibration, "store", "sync", above(manager_ns + task_ns, 2 * call_ns) / 2,
                 "a sync in the same, less a call: half of one of the JobManager and one of a "
                 "subtask");
    add_duration(calibration, "store", "remove", above(remove_ns, call_ns),
                 "a file removed or replaced, or a directory removed, in the same, less a call");
}

/* Serialised into memory: what a disk takes is measured apart, and varies more than this. */
static enum status calibrate_snapshot(struct calibration *calibration)
{
    static const char *const many[] = { "checkpoint.store=memory", "job.input.records=100000",
                                        "job.input.keys=100000", NULL };
    static const char *const some[] = { "checkpoint.store=memory", "job.input.records=30000",
                                        "job.input.keys=30000", NULL };
    bool is_heap = calibration->backend == STATE_BACKEND_HEAP;
    uint64_t rates[TRIALS];
    enum status status = STATUS_OK;
    for (int i = 0; i < TRIALS && status == STATUS_OK; i++) {
        struct trial trial = { 0 };
        status = run_trial(calibration, true, is_heap ? many : some, &trial);
        CHECK(trial.bytes <= UINT64_MAX / NS_PER_S);
        rates[i] = trial.bytes * NS_PER_S / (trial.async_ns > 0 ? trial.async_ns : 1);
        rates[i] = rounded(rates[i] / MIB) * MIB;
    }
    if (status == STATUS_OK) {
        uint64_t rate = live_median(rates, TRIALS);
        add_bandwidth(calibration, "cpu", "snapshot", rate,
                      with_spread(calibration,
                                  is_heap ? "a live checkpoint of 100,000 keys into memory"
                                          : "a live checkpoint of 30,000 keys into memory",
                                  rates, VALUE_BANDWIDTH));
    }
    return status;
}

/* ---- the fragment ---------------------------------------------------------------------------- */

static bool has_figure(const struct calibration *calibration, const char *name)
{
    for (uint32_t i = 0; i < calibration->figure_count; i++) {
        if (strcmp(calibration->figures[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* What is not in the fragment, each with its reason, a line each. */
static void write_missing(const struct calibration *calibration, uint64_t start_ns,
                          struct buffer *out)
{
    if (!has_figure(calibration, "state")) {
        const char *why = calibration->backend == STATE_BACKEND_HEAP
                              ? "the heap has no rows on disk"
                              : "its rows take no time of their own";
        buffer_append_format(out, "  cpu.state: not measured: %s\n", why);
    }
    buffer_append_text(out, "  a restore: has no key of its own; cpu.snapshot and store.read\n"
                            "  the start of a process: ");
    human_duration(out, start_ns);
    buffer_append_text(out, ", the median of 9; no key: a fault's \"for\" says it\n");
}

/* Sections stand together, in the order of their first figures. */
static void write_cluster(const struct calibration *calibration, struct buffer *out)
{
    static const char *const sections[] = { "network", "disk", "store", "cpu" };
    const char *between_sections = "";
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        const char *between = "";
        buffer_append_format(out, "%s    \"%s\": { ", between_sections, sections[i]);
        for (uint32_t j = 0; j < calibration->figure_count; j++) {
            const struct figure *figure = &calibration->figures[j];
            if (strcmp(figure->section, sections[i]) == 0) {
                buffer_append_format(out, "%s\"%s\": \"%s\"", between, figure->name, figure->value);
                between = ", ";
            }
        }
        buffer_append_text(out, " }");
        between_sections = ",\n";
    }
}

static void write_fragment(const struct calibration *calibration, struct buffer *out)
{
    const struct scenario_overrides *given = &calibration->options->overrides;
    struct buffer about;
    buffer_init(&about, calibration->arena);
    buffer_append_text(&about, "What this machine takes, by faultline calibrate");
    for (uint32_t i = 0; i < given->setting_count; i++) {
        buffer_append_format(&about, " --set %s", given->settings[i]);
    }
    for (uint32_t i = 0; i < calibration->figure_count; i++) {
        const struct figure *figure = &calibration->figures[i];
        buffer_append_format(&about, "; %s.%s: %s", figure->section, figure->name, figure->how);
    }
    *buffer_extend(&about, 1) = '\0';
    buffer_append_text(out, "{\n  \"about\": ");
    append_json_text((const char *)about.data, out);
    buffer_append_text(out, ",\n  \"cluster\": {\n");
    write_cluster(calibration, out);
    buffer_append_text(out, "\n  }\n}\n");
}

static void print_figures(const struct calibration *calibration, uint64_t start_ns,
                          const char *path)
{
    struct buffer text;
    buffer_init(&text, calibration->arena);
    for (uint32_t i = 0; i < calibration->figure_count; i++) {
        const struct figure *figure = &calibration->figures[i];
        const char *key = arena_format(calibration->arena, "%s.%s", figure->section, figure->name);
        buffer_append_format(&text, "%-22s %-10s %s\n", key, figure->value, figure->how);
    }
    buffer_append_text(&text, "not in the file:\n");
    write_missing(calibration, start_ns, &text);
    buffer_append_format(&text, "written to %s\n", path);
    (void)fwrite(text.data, 1, text.size, stdout);
}

/* ---- the command ----------------------------------------------------------------------------- */

/* Processes first: when a job has run here, this process has had other threads. The store between
 * others, so that what disturbs it for a moment does not decide; but before what writes so much
 * that it disturbs it. */
static enum status (*const stages[])(struct calibration *) = {
    calibrate_messages, calibrate_message,  measure_alone, calibrate_records,
    measure_together,   calibrate_snapshot, measure_alone, calibrate_disk,
};

static enum status measure_all(struct calibration *calibration, uint64_t *start_ns)
{
    struct output_folder folder = { .arena = calibration->arena,
                                    .path = calibration->folder,
                                    .error = calibration->error };
    static const char *const as_given[] = { NULL };
    struct scenario scenario;
    enum status status = read_trial(calibration, calibration->arena, as_given, &scenario);
    calibration->backend = scenario.job.state.backend;
    if (status == STATUS_OK) {
        status = output_folder_make(&folder);
    }
    if (status == STATUS_OK) {
        status = live_measure_start(start_ns, calibration->error);
    }
    for (size_t i = 0; i < sizeof stages / sizeof *stages && status == STATUS_OK; i++) {
        status = stages[i](calibration);
    }
    if (status == STATUS_OK) {
        calibrate_store(calibration);
    }
    return status;
}

enum verdict calibrate_command(const struct options *options)
{
    const char *path = options->out != NULL ? options->out : OPTIONS_DEFAULT_CALIBRATION;
    struct arena arena;
    arena_init(&arena);
    struct buffer error;
    buffer_init(&error, &arena);
    struct calibration calibration = { .options = options, .arena = &arena, .error = &error };
    call_times_init(&calibration.calls, &arena);
    calibration.folder = arena_format(&arena, "%s.volumes", path);
    uint64_t start_ns = 0;
    live_tell_load(stderr);
    enum status status = measure_all(&calibration, &start_ns);
    if (status == STATUS_OK) {
        struct buffer fragment;
        buffer_init(&fragment, &arena);
        write_fragment(&calibration, &fragment);
        status = output_path_write(&arena, path, buffer_bytes(&fragment), &error);
    }
    if (status == STATUS_OK) {
        print_figures(&calibration, start_ns, path);
    } else {
        (void)fprintf(stderr, "%.*s\n", (int)error.size, (const char *)error.data);
    }
    arena_drop(&arena);
    return status == STATUS_OK        ? VERDICT_PASS
           : status == STATUS_INVALID ? VERDICT_BAD_USAGE
                                      : VERDICT_SURROUNDINGS;
}
