#include "sim/scenario/scenario_json.h"

#include <string.h>

#include "model/base/check.h"
#include "model/jobs/jobs.h"
#include "sim/scenario/scenario_faults.h"
#include "sim/scenario/scenario_fields.h"
#include "sim/scenario/scenario_library.h"
#include "sim/scenario/scenario_load.h"
#include "sim/scenario/scenario_nearest.h"
#include "sim/scenario/scenario_reader.h"

static bool is_name_character(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || strchr("._-", character) != NULL;
}

/* The file's name without ".json", made fit to name a folder. */
static const char *default_name(struct arena *arena, const char *label)
{
    char *name = arena_text(arena, path_base(label));
    size_t size = strlen(name);
    if (size > strlen(".json") && strcmp(name + size - strlen(".json"), ".json") == 0) {
        name[size - strlen(".json")] = '\0';
    }
    for (char *at = name; *at != '\0'; at++) {
        if (!is_name_character(*at) || (at == name && *at == '.')) {
            *at = '-';
        }
    }
    return *name == '\0' ? "scenario" : name;
}

static bool check_name(struct reader *reader)
{
    CHECK(reader->scenario->name != NULL);
    const char *name = reader->scenario->name;
    bool ok = *name != '\0' && *name != '.';
    for (const char *at = name; *at != '\0'; at++) {
        ok = ok && is_name_character(*at);
    }
    return ok || reader_fail(reader, "name",
                             "names a folder: must be letters, digits, \"-\", \"_\" and \".\", "
                             "and not begin with \".\"");
}

/* A job by its name; the error is set if there is none. */
static const struct job_info *find_named_job(struct reader *reader)
{
    const char *name = reader->scenario->job.job;
    const struct job_info *job = job_find(name);
    if (job != NULL) {
        return job;
    }
    struct nearest nearest;
    nearest_init(&nearest, bytes_of_text(name));
    const char *list = "";
    for (uint32_t i = 0; job_at(i) != NULL; i++) {
        nearest_offer(&nearest, bytes_of_text(job_at(i)->name), job_at(i)->name);
        list = arena_format(reader->arena, "%s%s\"%s\"", list, i == 0 ? "" : ", ", job_at(i)->name);
    }
    if (nearest.answer != NULL) {
        reader_fail(reader, "job.name", "unknown job \"%s\"; did you mean \"%s\"?", name,
                    nearest.answer);
    } else {
        reader_fail(reader, "job.name", "unknown job \"%s\"; must be one of %s", name, list);
    }
    return NULL;
}

static const struct job_info *load_job(struct reader *reader)
{
    struct scenario *scenario = reader->scenario;
    struct buffer error;
    buffer_init(&error, reader->arena);
    enum status status =
        library_load(reader->arena, scenario->library_path, &scenario->library, &error);
    if (status != STATUS_OK) {
        reader->lack = status;
        reader_fail(reader, "job.library", "%.*s", (int)error.size, (const char *)error.data);
        return NULL;
    }
    scenario->job.job = scenario->library->name;
    return scenario->library;
}

static bool find_job(struct reader *reader)
{
    CHECK(reader->pipeline.vertex_count == 0);
    bool is_own = reader->scenario->library_path != NULL;
    const struct job_info *job = is_own ? load_job(reader) : find_named_job(reader);
    if (job == NULL) {
        return false;
    }
    job_build(job, &reader->pipeline);
    CHECK(reader->pipeline.vertex_count > 0);
    return true;
}

/* Everything but these has a default. */
static bool check_given(struct reader *reader)
{
    if (reader_find(reader, "job") == NULL) {
        return reader_fail(reader, "job", "must be given");
    }
    bool has_name = reader_find(reader, "job.name") != NULL;
    bool has_library = reader_find(reader, "job.library") != NULL;
    if (has_name && has_library) {
        return reader_fail(reader, "job.library", "there is a \"name\" already: one of the two");
    }
    return has_name || has_library ||
           reader_fail(reader, "job.name", "must be given, or a job of your own as \"library\"");
}

/* Flink's rule (KeyGroupRangeAssignment.computeDefaultMaxParallelism): the power of two from 1.5
 * times the parallelism, at least 128. */
static uint32_t default_max_parallelism(uint32_t parallelism)
{
    CHECK(parallelism >= 1 && parallelism <= 32768);
    uint32_t max_parallelism = 128;
    while (max_parallelism < parallelism + parallelism / 2) {
        max_parallelism *= 2;
    }
    return max_parallelism <= 32768 ? max_parallelism : 32768;
}

/* The fewest with which all subtasks find room although one TaskManager is lost. */
static uint32_t default_slots(uint32_t parallelism, uint32_t task_managers)
{
    CHECK(task_managers >= 1);
    uint32_t left = task_managers > 1 ? task_managers - 1 : 1;
    return (parallelism + left - 1) / left;
}

/* Defaults that follow from other values. */
static void fill_defaults(struct reader *reader)
{
    struct scenario *scenario = reader->scenario;
    struct job_config *job = &scenario->job;
    if (reader_find(reader, "job.max_parallelism") == NULL) {
        job->max_parallelism = default_max_parallelism(job->parallelism);
    }
    if (reader_find(reader, "cluster.slots") == NULL) {
        job->slots = default_slots(faults_parallelism_max(reader), job->task_managers);
    }
    if (reader_find(reader, "job.input.seed") == NULL) {
        job->input.seed = scenario->seed;
    }
    if (reader_find(reader, "job.input.nexmark.seed") == NULL) {
        job->input.nexmark.seed = scenario->seed;
    }
    if (reader_find(reader, "restart.attempts") == NULL &&
        job->restart.strategy == RESTART_FIXED_DELAY) {
        job->restart.attempts = 1; /* as Flink; the other strategies do not count by default */
    }
    if (reader_find(reader, "expect.fired") == NULL) {
        scenario->expect.all_fired = reader_find(reader, "random") == NULL;
    }
}

static bool resolve_file(struct reader *reader)
{
    struct scenario *scenario = reader->scenario;
    struct input_config *input = &scenario->job.input;
    const char *base = path_base(scenario->input_path);
    if (*base == '\0') {
        return reader_fail(
            reader, scenario->input_shape.query != NULL ? "job.input.sqlite" : "job.input.file",
            "must be the path of a file");
    }
    *input = (struct input_config){
        .kind = INPUT_FILE,
        .file = arena_format(reader->arena, "input/%s", input_is_standard(base) ? "stdin" : base),
        .label = input->label,
        .rate_per_s = input->rate_per_s,
        .skip_bad_records = input->skip_bad_records,
    };
    return true;
}

static bool resolve_nexmark(struct reader *reader)
{
    struct input_config *input = &reader->scenario->job.input;
    input->kind = INPUT_NEXMARK;
    return input->nexmark.out_of_order % NEXMARK_ORDER_MULTIPLIER != 0 ||
           reader_fail(reader, "job.input.nexmark.out_of_order",
                       "must not be a multiple of %d: such a group would hold events twice",
                       NEXMARK_ORDER_MULTIPLIER);
}

/* Of keys that need another one: is that there? */
static bool check_input_keys(struct reader *reader)
{
    static const char *const needs[][2] = {
        { "format", "file" },   { "compression", "file" }, { "column", "file" },
        { "header", "column" }, { "query", "sqlite" },     { "sqlite", "query" },
    };
    for (uint32_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        const char *path = arena_format(reader->arena, "job.input.%s", needs[i][0]);
        const char *needed = arena_format(reader->arena, "job.input.%s", needs[i][1]);
        if (reader_find(reader, path) != NULL && reader_find(reader, needed) == NULL) {
            return reader_fail(reader, path, "makes sense with a \"%s\" only", needs[i][1]);
        }
    }
    const struct input_shape *shape = &reader->scenario->input_shape;
    if (shape->column == NULL && shape->format > FORMAT_LINES) {
        return reader_fail(reader, "job.input.column",
                           "must be given: which column is the record?");
    }
    return true;
}

/* A "file" has no key of generated input, and Nexmark events have none of generated integers. */
static bool resolve_input(struct reader *reader)
{
    CHECK(reader->scenario->job.input.kind == INPUT_GENERATOR); /* the default */
    static const char *const generated[] = { "records", "keys", "skew", "seed" };
    bool has_query = reader_find(reader, "job.input.sqlite") != NULL;
    bool has_file = has_query || reader_find(reader, "job.input.file") != NULL;
    const char *name = has_query ? "sqlite" : has_file ? "file" : "nexmark";
    bool has_nexmark = reader_find(reader, "job.input.nexmark") != NULL;
    if (has_file && has_nexmark) {
        return reader_fail(reader, "job.input.nexmark", "there is a \"%s\" already", name);
    }
    for (uint32_t i = 0; i < sizeof generated / sizeof generated[0]; i++) {
        const char *path = arena_format(reader->arena, "job.input.%s", generated[i]);
        if ((has_file || has_nexmark) && reader_find(reader, path) != NULL) {
            return reader_fail(reader, path,
                               "makes sense with generated records only, and there is a \"%s\"",
                               name);
        }
    }
    if (has_query && reader_find(reader, "job.input.file") != NULL) {
        return reader_fail(reader, "job.input.sqlite", "there is a \"file\" already");
    }
    if (!check_input_keys(reader)) {
        return false;
    }
    if (!has_file && reader_find(reader, "job.input.label") != NULL) {
        return reader_fail(reader, "job.input.label", "makes sense with a \"file\" only");
    }
    return has_file      ? resolve_file(reader)
           : has_nexmark ? resolve_nexmark(reader)
                         : true;
}

/* Integers are lines too; Nexmark events may also come from a file. */
static bool check_input(struct reader *reader)
{
    const struct job_info *job = scenario_job(reader->scenario);
    enum input_kind kind = reader->scenario->job.input.kind;
    if (job->input == JOB_READS_EVENTS && kind == INPUT_GENERATOR) {
        return reader_fail(reader, "job.input",
                           "the job \"%s\" reads events: give \"nexmark\", or a \"file\" of them",
                           job->name);
    }
    if (job->input == JOB_READS_INTEGERS && kind == INPUT_NEXMARK) {
        return reader_fail(reader, "job.input.nexmark", "the job \"%s\" reads integers", job->name);
    }
    return true;
}

/* What no value can break alone. */
static bool check_together(struct reader *reader)
{
    CHECK(reader->scenario->job.parallelism > 0);
    CHECK(reader->scenario->job.slots > 0);
    const struct job_config *job = &reader->scenario->job;
    if (job->max_parallelism < job->parallelism) {
        return reader_fail(reader, "job.max_parallelism",
                           "must be at least job.parallelism, which is %u", job->parallelism);
    }
    if ((uint64_t)job->task_managers * job->slots < job->parallelism) {
        return reader_fail(reader, "cluster.slots",
                           "%u TaskManagers with %u each are too few slots: job.parallelism is %u",
                           job->task_managers, job->slots, job->parallelism);
    }
    if (!state_backend_is_built_in(job->state.backend)) {
        return reader_fail(reader, "state.backend", "this faultline was built without RocksDB");
    }
    if (job->heartbeat_timeout_ns < job->heartbeat_interval_ns) {
        return reader_fail(reader, "cluster.heartbeat.timeout",
                           "must not be shorter than cluster.heartbeat.interval");
    }
    if (job->restart.max_delay_ns < job->restart.initial_delay_ns) {
        return reader_fail(reader, "restart.max_delay",
                           "must not be shorter than restart.initial_delay");
    }
    return true;
}

static bool check_elsewhere(struct reader *reader)
{
    static const char *const texts[] = { "$schema", "like" };
    for (uint32_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const json_t *value = json_object_get(reader->root, texts[i]);
        if (value != NULL && !json_is_string(value)) {
            return reader_fail(reader, texts[i], "must be a text");
        }
    }
    struct sweep_grid unused;
    return read_sweep(reader, reader->grid != NULL ? reader->grid : &unused);
}

static bool read_tree(struct reader *reader)
{
    CHECK(json_is_object(reader->root));
    if (!fields_check_keys(reader, "", reader->root) || !check_given(reader) ||
        !fields_read(reader, BASE_SCENARIO, reader->scenario) || !check_elsewhere(reader) ||
        !check_name(reader) || !find_job(reader)) {
        return false;
    }
    fill_defaults(reader);
    return resolve_input(reader) && check_input(reader) && check_together(reader) &&
           read_faults(reader) && read_plots(reader);
}

static enum status end_reading(struct reader *reader, bool ok)
{
    CHECK(ok != reader->failed);
    json_decref(reader->root);
    json_decref(reader->origins);
    return ok || reader->lack != STATUS_OK ? reader->lack : STATUS_INVALID;
}

/* The reader has its arena, error, label and scenario. */
static enum status read_json(struct reader *reader, struct bytes json, const char *path,
                             const char *directory, const struct scenario_overrides *overrides)
{
    CHECK(!reader->failed);
    CHECK(reader->scenario != NULL);
    scenario_init(reader->scenario);
    reader->scenario->name = default_name(reader->arena, reader->label);
    reader->scenario->path = path == NULL ? "" : arena_text(reader->arena, path);
    bool ok = load_tree(reader, json, path, directory, overrides) && read_tree(reader);
    return end_reading(reader, ok);
}

/* The reader has its arena, error and scenario, and its grid if one is wanted. */
static enum status read_file(struct reader *reader, const char *path,
                             const struct scenario_overrides *overrides)
{
    CHECK(path != NULL);
    struct bytes content = { 0 };
    const char *reason = NULL;
    enum status status = file_load(reader->arena, path, &content, &reason);
    if (status != STATUS_OK) {
        buffer_append_format(reader->error, "%s: %s", path, reason);
        return status;
    }
    reader->label = path;
    return read_json(reader, content, path, path_directory(reader->arena, path), overrides);
}

enum status scenario_read(struct scenario *scenario, struct arena *arena, const char *path,
                          const struct scenario_overrides *overrides, struct buffer *error)
{
    struct reader reader = { .arena = arena, .error = error, .scenario = scenario };
    return read_file(&reader, path, overrides);
}

enum status scenario_read_sweep(struct sweep_grid *grid, struct scenario *scenario,
                                struct arena *arena, const char *path,
                                const struct scenario_overrides *overrides, struct buffer *error)
{
    CHECK(grid != NULL);
    struct reader reader = { .arena = arena, .error = error, .scenario = scenario, .grid = grid };
    return read_file(&reader, path, overrides);
}

enum status scenario_parse(struct scenario *scenario, struct arena *arena, struct bytes json,
                           const char *label, const char *directory,
                           const struct scenario_overrides *overrides, struct buffer *error)
{
    CHECK(label != NULL);
    CHECK(directory != NULL);
    struct reader reader = { .arena = arena, .error = error, .label = label, .scenario = scenario };
    return read_json(&reader, json, NULL, *directory == '\0' ? "." : directory, overrides);
}

enum status scenario_parse_faults(struct scenario *scenario, struct arena *arena, struct bytes json,
                                  const char *label, struct buffer *error)
{
    CHECK(label != NULL);
    struct reader reader = { .arena = arena, .error = error, .label = label, .scenario = scenario };
    job_build(scenario_job(scenario), &reader.pipeline);
    return end_reading(&reader, load_tree(&reader, json, NULL, ".", NULL) && read_faults(&reader));
}
