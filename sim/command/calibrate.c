#include "sim/command/calibrate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "model/base/check.h"
#include "sim/campaign/human.h"
#include "sim/campaign/output_files.h"
#include "sim/campaign/verdict.h"
#include "sim/command/probe.h"
#include "sim/command/trial.h"
#include "sim/live/live_measure.h"
#include "sim/scenario/scenario_fields.h"
#include "sim/scenario/scenario_values.h"

enum {
    TRIALS = 5,
    FIGURES_MAX = 16,
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

struct calibration {
    struct trial_place place;
    struct arena *arena;
    struct figure figures[FIGURES_MAX];
    uint32_t figure_count;
    struct live_disk_speed disk;
    struct live_message_speed messages;
    uint64_t record_ns;
    struct probe probe;
    enum state_backend backend; /* of the job that is measured */
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

/* ---- what is measured ------------------------------------------------------------------------ */

/* The times of a record in several runs, rising. */
static enum status measure_record(struct calibration *calibration, const char *const *settings,
                                  uint64_t record_ns[TRIALS])
{
    enum status status = STATUS_OK;
    for (int i = 0; i < TRIALS && status == STATUS_OK; i++) {
        struct trial trial = { 0 };
        status = trial_run_live(&calibration->place, settings, &trial);
        record_ns[i] = status == STATUS_OK ? trial_record_ns(&trial) : 0;
    }
    (void)live_median(record_ns, TRIALS);
    return status;
}

static enum status calibrate_disk(struct calibration *calibration)
{
    struct live_disk_speed *disk = &calibration->disk;
    enum status status = live_measure_disk(calibration->arena, calibration->place.folder,
                                           DISK_FILE_BYTES, disk, calibration->place.error);
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
    enum status status = live_measure_messages(calibration->arena, calibration->place.folder,
                                               messages, calibration->place.error);
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
    enum status status = trial_run_simulated(&calibration->place, without, &none);
    if (status == STATUS_OK) {
        status = trial_run_simulated(&calibration->place, with, &some);
    }
    if (status != STATUS_OK) {
        return status;
    }
    uint64_t none_ns = trial_record_ns(&none);
    uint64_t some_ns = trial_record_ns(&some);
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

static enum status measure_passing(struct calibration *calibration)
{
    return probe_messages(&calibration->probe, &calibration->place, true);
}

static enum status measure_alone(struct calibration *calibration)
{
    return probe_store(&calibration->probe, &calibration->place, PROBE_ONE, false);
}

static enum status measure_together(struct calibration *calibration)
{
    return probe_store(&calibration->probe, &calibration->place, PROBE_FOUR, false);
}

/* Of what several live jobs have shown. */
static enum status calibrate_probe(struct calibration *calibration)
{
    struct cluster cluster = { 0 };
    struct probe_passing passing;
    cluster.network.latency_min_ns = calibration->messages.latency_ns;
    cluster.network.latency_max_ns = calibration->messages.latency_ns;
    cluster.network.local_latency_ns = calibration->messages.local_latency_ns;
    enum status status = probe_simulate(&passing, &calibration->place, &cluster);
    if (status != STATUS_OK) {
        return status;
    }
    probe_apply(&calibration->probe, &passing, &cluster);
    add_duration(calibration, "cpu", "message", cluster.cpu.message_ns,
                 "what makes the messages of a simulated checkpoint of four subtasks pass in the "
                 "time of a live one, in the median: from trigger to acknowledgements, less the "
                 "disk");
    add_duration(calibration, "store", "latency", cluster.store.latency_ns,
                 "to open a file to write it, to make a directory, to give a new name: half of one "
                 "of the JobManager and one of a subtask, in live jobs of one and of four");
    add_duration(calibration, "store", "sync", cluster.store.sync_ns,
                 "a sync in the same, less a call");
    add_duration(calibration, "store", "remove", cluster.store.remove_ns,
                 "a file removed or replaced, or a directory removed, in the same, less a call");
    return STATUS_OK;
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
        status = trial_run_live(&calibration->place, is_heap ? many : some, &trial);
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
    const struct scenario_overrides *given = &calibration->place.overrides;
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
    calibrate_messages, measure_passing, measure_alone,  calibrate_records, measure_together,
    calibrate_snapshot, measure_alone,   calibrate_disk, calibrate_probe,
};

/* What would only show when all is measured. */
static enum status check_place(const struct calibration *calibration,
                               const struct scenario *scenario, const char *path)
{
    struct buffer *error = calibration->place.error;
    struct stat info;
    if (scenario->job.input.kind == INPUT_GENERATOR && scenario->job.input.records == 0) {
        buffer_append_text(error, "calibrate: job.input.records: 0 leaves nothing to measure");
        return STATUS_INVALID;
    }
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        buffer_append_format(error, "%s: is a directory, and was to be the file", path);
        return STATUS_IO;
    }
    return STATUS_OK;
}

static enum status measure_all(struct calibration *calibration, const char *path,
                               uint64_t *start_ns)
{
    static const char *const as_given[] = { NULL };
    struct scenario scenario;
    enum status status = trial_read(&calibration->place, calibration->arena, as_given, &scenario);
    calibration->backend = scenario.job.state.backend;
    if (status == STATUS_OK) {
        status = check_place(calibration, &scenario, path);
    }
    if (status == STATUS_OK) {
        status = output_parent_make(calibration->arena, calibration->place.folder,
                                    calibration->place.error);
    }
    if (status == STATUS_OK) {
        status = live_measure_start(start_ns, calibration->place.error);
    }
    for (size_t i = 0; i < sizeof stages / sizeof *stages && status == STATUS_OK; i++) {
        status = stages[i](calibration);
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
    struct calibration calibration = { .arena = &arena,
                                       .place = { .command = "calibrate",
                                                  .overrides = options->overrides,
                                                  .folder =
                                                      arena_format(&arena, "%s.volumes", path),
                                                  .error = &error } };
    probe_init(&calibration.probe, &arena);
    uint64_t start_ns = 0;
    live_tell_load(stderr);
    enum status status = measure_all(&calibration, path, &start_ns);
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
    return verdict_of_status(status);
}
